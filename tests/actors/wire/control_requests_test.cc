// For each request and each field of it: the largest value that a client may ask with, and one past it. As it comes in:
// through the codec, then the check.
#include "actors/wire/control_requests.h"

#include <cmath>
#include <functional>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "actors/wire/control_codec.h"
#include "tests/support/view_builder.h"

namespace avocet {
namespace {

using ::testing::HasSubstr;

/// One change of a request that may be made. `field` is what the refusal names; empty: it may be made.
template <class Proto> struct RequestCase {
  std::function<void(Proto&)> change;
  std::string field;
};

template <class Message, class Proto>
void ExpectRequests(const Message& good, const std::vector<RequestCase<Proto>>& cases) {
  const auto check = [](const Proto& proto) {
    const Result<Message> request = FromProto(proto);
    return request.ok() ? CheckRequest(*request) : request.status();
  };
  ASSERT_EQ(check(ToProto(good)), Status());
  for (size_t i = 0; i < cases.size(); ++i) {
    SCOPED_TRACE("case " + std::to_string(i) + ": " + cases[i].field);
    Proto proto = ToProto(good);
    cases[i].change(proto);
    const Status status = check(proto);
    if (cases[i].field.empty()) {
      EXPECT_EQ(status, Status());
      continue;
    }
    EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
    EXPECT_THAT(status.message(), HasSubstr("'" + cases[i].field + "'"));
    EXPECT_EQ(status.message().find('\x1b'), std::string::npos);
  }
}

const std::string kTooLong(64, 'a');
const std::string kEscape = "cam\x1b[2J";
constexpr uint64_t kMost = std::numeric_limits<uint64_t>::max();

TEST(ControlRequests, APieceOfAModelFileIsPartOfIt) {
  using Proto = v1::PutModelChunkRequest;
  ExpectRequests<PutModelChunk, Proto>(
      {FakeDigest("pose"), 2, 9, "bytes"},
      {{[](Proto& p) { p.set_sha256("x"); }, "sha256"},
       {[](Proto& p) { p.set_sha256(std::string(1 << 20, 'f')); }, "sha256"},
       {[](Proto& p) { p.set_total_bytes(kMaxModelFileBytes); }, ""},
       {[](Proto& p) { p.set_total_bytes(kMaxModelFileBytes + 1); }, "total_bytes"},
       {[](Proto& p) { p.set_total_bytes(0); }, "total_bytes"},
       {[](Proto& p) { p.set_offset(4); }, ""},
       {[](Proto& p) { p.set_offset(5); }, "data"},
       {[](Proto& p) { p.set_offset(10); }, "offset"},
       {[](Proto& p) { p.set_offset(kMost); }, "offset"},
       {[](Proto& p) { p.set_total_bytes(kMaxModelFileBytes), p.set_data(std::string((8 << 20) + 1, 'd')); }, "data"}});
}

TEST(ControlRequests, AFileIsFetchedByDigest) {
  using Proto = v1::FetchModelRequest;
  ExpectRequests<FetchModel, Proto>({FakeDigest("pose"), 0},
                                    {{[](Proto& p) { p.set_sha256("../../etc/passwd"); }, "sha256"},
                                     {[](Proto& p) { p.set_offset(kMaxModelFileBytes); }, ""},
                                     {[](Proto& p) { p.set_offset(kMaxModelFileBytes + 1); }, "offset"}});
}

TEST(ControlRequests, AModelIsBounded) {
  using Proto = v1::ImportModelRequest;
  ExpectRequests<ImportModel, Proto>(
      {{.name = "pose", .variants = {{ModelFormat::kOnnx, FakeDigest("pose"), 9}}}},
      {{[](Proto& p) { p.mutable_model()->set_name(kTooLong); }, "name"},
       {[](Proto& p) { p.mutable_model()->set_name(kEscape); }, "name"},
       {[](Proto& p) { p.mutable_model()->set_version("01"); }, "version"},
       {[](Proto& p) { p.mutable_model()->clear_variants(); }, "variants"},
       {[](Proto& p) { *p.mutable_model()->add_variants() = p.model().variants(0); }, "variants"},
       {[](Proto& p) { p.mutable_model()->mutable_variants(0)->set_size_bytes(kMaxModelFileBytes + 1); }, "size_bytes"},
       {[](Proto& p) { p.mutable_model()->set_imported_at_ns(-1); }, "imported_at"}});
}

v1::SampleInput& AddSamples(v1::ProfileModelRequest& profile, size_t count) {
  const SampleInput sample{.name = "x"};
  while (static_cast<size_t>(profile.samples_size()) < count)
    *profile.add_samples() = ToProto(sample);
  return *profile.mutable_samples(0);
}

TEST(ControlRequests, AProfileIsOfAModelOnADevice) {
  using Proto = v1::ProfileModelRequest;
  ExpectRequests<ProfileModel, Proto>({"pose:1", DeviceId("n1/gpu0")},
                                      {{[](Proto& p) { p.set_device(""); }, ""},
                                       {[](Proto& p) { p.set_model("pose"); }, ""},
                                       {[](Proto& p) { p.set_model(""); }, "model"},
                                       {[](Proto& p) { p.set_model(kEscape); }, "model"},
                                       {[](Proto& p) { p.set_model(std::string(1 << 20, 'm')); }, "model"},
                                       {[](Proto& p) { AddSamples(p, kMaxSamples); }, ""},
                                       {[](Proto& p) { AddSamples(p, kMaxSamples + 1); }, "samples"},
                                       {[](Proto& p) { AddSamples(p, 1).set_name(""); }, "name"},
                                       {[](Proto& p) { p.set_device("n1"); }, "device"},
                                       {[](Proto& p) { p.set_device("n1/" + kTooLong); }, "device"}});
}

/// An application and how it is to be placed, in a plan or an application of it.
template <class Message, class Proto> void ExpectAppRequests() {
  ExpectRequests<Message, Proto>(
      {MakeApp("cam", "pose"), {.policy = PlacementPolicy::kHeadroom, .max_moves = 1}},
      {{[](Proto& p) { p.mutable_app()->set_name(kTooLong); }, "name"},
       {[](Proto& p) { p.mutable_app()->set_name(kEscape); }, "name"},
       {[](Proto& p) { p.mutable_app()->set_model(kEscape); }, "model"},
       {[](Proto& p) { p.mutable_app()->set_tenant(kTooLong); }, "tenant"},
       {[](Proto& p) { p.mutable_app()->set_priority(101); }, "priority"},
       {[](Proto& p) { p.mutable_app()->set_rate_rps(kMaxRateRps); }, ""},
       {[](Proto& p) { p.mutable_app()->set_rate_rps(kMaxRateRps * 1.01); }, "rate_rps"},
       {[](Proto& p) { p.mutable_app()->set_rate_rps(0); }, "rate_rps"},
       {[](Proto& p) { p.mutable_app()->set_rate_rps(-1); }, "rate_rps"},
       {[](Proto& p) { p.mutable_app()->set_rate_rps(NAN); }, "rate_rps"},
       {[](Proto& p) { p.mutable_app()->set_rate_rps(INFINITY); }, "rate_rps"},
       {[](Proto& p) { p.mutable_app()->set_network_allowance_ns(-1); }, "network_allowance"},
       {[](Proto& p) { p.mutable_app()->set_preprocess_ns(-1); }, "preprocess"},
       {[](Proto& p) { p.mutable_options()->set_max_moves(kMaxMovesPerDecision); }, ""},
       {[](Proto& p) { p.mutable_options()->set_max_moves(kMaxMovesPerDecision + 1); }, "max_moves"},
       {[](Proto& p) { p.mutable_options()->set_max_moves(-1); }, "max_moves"}});
}

TEST(ControlRequests, AnApplicationIsBounded) {
  ExpectAppRequests<PlanApp, v1::PlanAppRequest>();
  ExpectAppRequests<ApplyApp, v1::ApplyAppRequest>();
}

template <class Message, class Proto> void ExpectAppName() {
  ExpectRequests<Message, Proto>({AppId("cam")}, {{[](Proto& p) { p.set_app(kTooLong.substr(1)); }, ""},
                                                  {[](Proto& p) { p.set_app(""); }, "app"},
                                                  {[](Proto& p) { p.set_app(kTooLong); }, "app"},
                                                  {[](Proto& p) { p.set_app(kEscape); }, "app"}});
}

TEST(ControlRequests, AnApplicationIsAskedForByName) {
  ExpectAppName<GetApp, v1::GetAppRequest>();
  ExpectAppName<ExplainApp, v1::ExplainAppRequest>();
  ExpectAppName<RemoveApp, v1::RemoveAppRequest>();
}

TEST(ControlRequests, ANodeIsAdoptedByName) {
  using Proto = v1::AdoptNodeRequest;
  ExpectRequests<AdoptNode, Proto>({NodeId("n1")}, {{[](Proto& p) { p.set_node(""); }, "node"},
                                                    {[](Proto& p) { p.set_node(kTooLong); }, "node"},
                                                    {[](Proto& p) { p.set_node(kEscape); }, "node"}});
}

TEST(ControlRequests, ARebalanceHasABound) {
  using Proto = v1::RebalanceRequest;
  ExpectRequests<Rebalance, Proto>({0, true}, {{[](Proto& p) { p.set_max_moves(kMaxRebalanceMoves); }, ""},
                                               {[](Proto& p) { p.set_max_moves(kMaxRebalanceMoves + 1); }, "max_moves"},
                                               {[](Proto& p) { p.set_max_moves(-1); }, "max_moves"}});
}

TEST(ControlRequests, AnyNumberIsAPlaceInTheLog) {
  using Proto = v1::ListEventsRequest;
  ExpectRequests<ListEvents, Proto>({7}, {{[](Proto& p) { p.set_after_sequence(kMost); }, ""}});
}

} // namespace
} // namespace avocet
