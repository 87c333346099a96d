// For each message and each field of it: the largest value that a controller may say, and one past it.
#include "actors/protocol/controller_claims.h"

#include <functional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "messages/measurement.h"
#include "tests/support/fake_agent.h"

namespace avocet {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

/// One change of what may be said. `field` is what the refusal names; empty: it may be said.
template <class T> struct ClaimCase {
  std::function<void(T&)> change;
  std::string field;
  StatusCode code = StatusCode::kInvalidArgument;
};

template <class T, class Check>
void ExpectClaims(const T& good, const Check& check, const std::vector<ClaimCase<T>>& claims) {
  ASSERT_EQ(check(good), Status());
  for (size_t i = 0; i < claims.size(); ++i) {
    SCOPED_TRACE("claim " + std::to_string(i) + ": " + claims[i].field);
    T value = good;
    claims[i].change(value);
    const Status status = check(value);
    if (claims[i].field.empty()) {
      EXPECT_EQ(status, Status());
      continue;
    }
    EXPECT_EQ(status.code(), claims[i].code);
    EXPECT_THAT(status.message(), AllOf(HasSubstr("field '" + claims[i].field + "' is"), HasSubstr("it must be")));
  }
}

const NodeInfo kSelf = TestNode();
const DeviceId kOthers("n2/gpu0");
const std::string kTooLong(64, 'a');

TEST(ControllerClaims, ACommandIsForADeviceOfThisNode) {
  ExpectClaims<Command>(StartOfCam().command, [](const Command& c) { return CheckCommand(kSelf, c); },
                        {{[](auto& c) { c.device = kOthers; }, "device", StatusCode::kNotFound},
                         {[](auto& c) { c.device = DeviceId("n1/none"); }, "device", StatusCode::kNotFound},
                         {[](auto& c) { c.epoch = kMaxEpoch; }, ""},
                         {[](auto& c) { c.epoch = kMaxEpoch + 1; }, "epoch"},
                         {[](auto& c) { c.epoch = 0; }, "epoch"},
                         {[](auto& c) { c.app = AppId(kTooLong); }, "app"},
                         {[](auto& c) { c.app = AppId("cam\x1b[2J"); }, "app"},
                         {[](auto& c) { c.model = ModelId("pose"); }, "model"},
                         {[](auto& c) { c.file = Sha256("../../etc/passwd"); }, "file"},
                         {[](auto& c) { c.size_bytes = kMaxModelFileBytes; }, ""},
                         {[](auto& c) { c.size_bytes = kMaxModelFileBytes + 1; }, "size_bytes"}});
}

struct Order {
  DeviceId device{"n1/gpu0"};
  ModelId model{"pose:1"};
  Variant variant{ModelFormat::kEmulated, FakeDigest("pose"), 9};
};

TEST(ControllerClaims, AProfileIsOfAFileThatTheDeviceReads) {
  ExpectClaims<Order>({}, [](const Order& o) { return CheckProfileOrder(kSelf, o.device, o.model, o.variant); },
                      {{[](auto& o) { o.device = kOthers; }, "device", StatusCode::kNotFound},
                       {[](auto& o) { o.model = ModelId("pose:x"); }, "model"},
                       {[](auto& o) { o.variant.format = ModelFormat::kOnnx; }, "format"},
                       {[](auto& o) { o.variant.file = Sha256("x"); }, "file"},
                       {[](auto& o) { o.variant.size_bytes = 0; }, "size_bytes"},
                       {[](auto& o) { o.variant.size_bytes = kMaxModelFileBytes; }, ""},
                       {[](auto& o) { o.variant.size_bytes = kMaxModelFileBytes + 1; }, "size_bytes"}});
}

SetPredictions Predictions() {
  return {DeviceId("n1/gpu0"),
          {{AppId("cam"), {FromMillis(1), FromMillis(1), FromMillis(2), FromMillis(3)}}},
          {{AppId("cam"), FromMillis(50)}}};
}

constexpr Duration kTick(1);

TEST(ControllerClaims, PredictionsCanBeShown) {
  ExpectClaims<SetPredictions>(
      Predictions(), [](const SetPredictions& p) { return CheckPredictions(kSelf, p.device, p.apps, p.objectives); },
      {{[](auto& p) { p.device = kOthers; }, "device", StatusCode::kNotFound},
       {[](auto& p) { p.apps.assign(kMaxAppsPerDevice, p.apps[0]); }, ""},
       {[](auto& p) { p.apps.assign(kMaxAppsPerDevice + 1, p.apps[0]); }, "apps"},
       {[](auto& p) { p.objectives.assign(kMaxAppsPerDevice + 1, p.objectives[0]); }, "objectives"},
       {[](auto& p) { p.apps[0].app = AppId(""); }, "app"},
       {[](auto& p) { p.apps[0].latency.mean = -kTick; }, "mean"},
       {[](auto& p) { p.apps[0].latency.p99 = kMaxPredictedLatency; }, ""},
       {[](auto& p) { p.apps[0].latency.p99 = kMaxPredictedLatency + kTick; }, "p99"},
       {[](auto& p) { p.apps[0].latency.p95 = Duration::min(); }, "p95"},
       {[](auto& p) { p.apps[0].latency.p50 = Duration::max(); }, "p50"},
       {[](auto& p) { p.objectives[0].limit = Duration::zero(); }, "limit"},
       {[](auto& p) { p.objectives[0].limit = kMaxLatency; }, ""},
       {[](auto& p) { p.objectives[0].limit = kMaxLatency + kTick; }, "limit"},
       {[](auto& p) { p.objectives[0].app = AppId(kTooLong); }, "app"}});
}

TEST(ControllerClaims, AnAcknowledgementIsOfThisNodesWindows) {
  struct Ack {
    std::string device = "n1/gpu0";
    std::string boot = "boot";
    uint64_t sequence = 7;
  };
  constexpr uint64_t kMost = (uint64_t{1} << 63) - 1;
  ExpectClaims<Ack>({}, [](const Ack& a) { return CheckAck(kSelf, DeviceId(a.device), BootId(a.boot), a.sequence); },
                    {{[](auto& a) { a.device = "n2/gpu0"; }, "device", StatusCode::kNotFound},
                     {[](auto& a) { a.boot = ""; }, ""},
                     {[](auto& a) { a.boot = "a\nb"; }, "boot"},
                     {[](auto& a) { a.sequence = kMost; }, ""},
                     {[](auto& a) { a.sequence = kMost + 1; }, "sequence"}});
}

TEST(ControllerClaims, RequestsAreNumbered) {
  EXPECT_EQ(CheckRequestId(1, 0), Status());
  EXPECT_EQ(CheckRequestId(7, 7), Status());
  EXPECT_EQ(CheckRequestId(0, 0).code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(CheckRequestId(7, 8).code(), StatusCode::kInvalidArgument) << "all later requests would be ignored";
}

} // namespace
} // namespace avocet
