// Thousands of damaged requests of a client, the same on every run: what a fuzzer does, without one.
#include "tests/fuzz/control_input.h"

#include <map>
#include <memory>
#include <string>
#include <vector>

#include <google/protobuf/stubs/logging.h>
#include <gtest/gtest.h>

#include "actors/wire/control_codec.h"
#include "actors/wire/control_table.h"
#include "avocet/v1/control.pb.h"
#include "tests/fuzz/message_mutator.h"
#include "tests/support/view_builder.h"

namespace avocet {
namespace {

/// A call that may be made.
struct Request {
  char number = 0;
  std::unique_ptr<google::protobuf::Message> body;
};

/// What is asked: every field has a value.
template <class Message> Message Sample() {
  return {};
}
template <> PutModelChunk Sample() {
  return {FakeDigest("pose"), 2, 9, "bytes"};
}
template <> FetchModel Sample() {
  return {FakeDigest("pose"), 2};
}
template <> ImportModel Sample() {
  return {{.name = "pose",
           .variants = {{ModelFormat::kOnnx, FakeDigest("pose"), 9}},
           .imported_at = WallTime(FromMillis(5))}};
}
template <> ProfileModel Sample() {
  return {"pose:1", DeviceId("n1/gpu0")};
}
Application SampleApp() {
  return MakeApp(
      "door", "pose",
      {.latency_ms = 500, .network_allowance_ms = 1, .preprocess_ms = 1, .device_kinds = {DeviceKind::kGpu}});
}
template <> PlanApp Sample() {
  return {SampleApp(), {.policy = PlacementPolicy::kHeadroom, .max_moves = 1}};
}
template <> ApplyApp Sample() {
  return {SampleApp(), {.policy = PlacementPolicy::kHeadroom, .max_moves = 1}};
}
template <> AdoptNode Sample() {
  return {NodeId("n1")};
}
template <> GetApp Sample() {
  return {AppId("cam")};
}
template <> ExplainApp Sample() {
  return {AppId("cam")};
}
template <> RemoveApp Sample() {
  return {AppId("cam")};
}
template <> Rebalance Sample() {
  return {3, true};
}
template <> ListEvents Sample() {
  return {7};
}

std::vector<Request> Corpus() {
  std::vector<Request> corpus;
#define AVOCET_SAMPLE(Message, Reply)                                                                                  \
  corpus.push_back(                                                                                                    \
      {static_cast<char>(corpus.size()), std::make_unique<v1::Message##Request>(ToProto(Sample<avocet::Message>()))});
  AVOCET_EACH_CONTROL_RPC(AVOCET_SAMPLE)
#undef AVOCET_SAMPLE
  return corpus;
}

TEST(ControlInput, WhatMayBeAskedIsUsed) {
  for (const auto& request : Corpus()) {
    const std::string bytes = request.number + request.body->SerializeAsString();
    EXPECT_EQ(ProblemWithControlInput(bytes), "") << request.body->GetTypeName();
    EXPECT_EQ(DepthOfControlInput(bytes), ControlInputDepth::kUsed) << request.body->GetTypeName();
  }
}

/// AVOCET_TEST_SEED and AVOCET_FUZZ_RUNS in the environment make it another run, or a longer one.
TEST(ControlInput, WhatPassesTheChecksEndsInRecordsThatCanBeRead) {
  const uint64_t seed = MutationSeed();
  const int runs = MutationRuns();
  const google::protobuf::LogSilencer silencer; // it logs each message that does not parse
  const auto corpus = Corpus();
  MessageMutator mutator(seed);
  std::map<ControlInputDepth, int> depths;
  for (int run = 0; run < runs; ++run) {
    const Request& request = corpus[mutator.Below(corpus.size())];
    const std::unique_ptr<google::protobuf::Message> body(request.body->New());
    body->CopyFrom(*request.body);
    const std::string bytes = request.number + mutator.Mutate(*body);
    ASSERT_EQ(ProblemWithControlInput(bytes), "") << "seed " << seed << " run " << run << ":\n"
                                                  << body->ShortDebugString();
    ++depths[DepthOfControlInput(bytes)];
  }
  if (runs < kMutations) return;
  for (const auto depth : {ControlInputDepth::kUnparsed, ControlInputDepth::kUndecoded, ControlInputDepth::kRefused,
                           ControlInputDepth::kUsed})
    EXPECT_GT(depths[depth], runs / 200) << static_cast<int>(depth);
}

} // namespace
} // namespace avocet
