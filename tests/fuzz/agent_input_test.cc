// Thousands of damaged messages of an agent, the same on every run: what a fuzzer does, without one.
#include "tests/fuzz/agent_input.h"

#include <map>
#include <string>
#include <vector>

#include <google/protobuf/stubs/logging.h>
#include <gtest/gtest.h>

#include "actors/wire/link_codec.h"
#include "avocet/v1/link.pb.h"
#include "messages/codec/codec.h"
#include "tests/fuzz/message_mutator.h"
#include "tests/support/fake_agent.h"

namespace avocet {
namespace {

Placement RunningCam(PlacementPhase phase) {
  const Command start = StartOfCam().command;
  return {.app = start.app,
          .device = start.device,
          .model = start.model,
          .format = start.format,
          .file = start.file,
          .epoch = start.epoch,
          .phase = phase,
          .reason = phase == PlacementPhase::kFailed ? "out of memory" : ""};
}

SentWindow Window(uint64_t sequence) {
  AppWindow app{.app = AppId("cam"), .model = ModelId("pose:1"), .arrivals = 2, .completions = 2};
  for (Moments* moments : {&app.interarrival, &app.service, &app.switched_service, &app.response})
    moments->Add(0.01);
  app.response_sketch.Add(FromMillis(10));
  return {{.device = DeviceId("n1/gpu0"),
           .boot = BootId("boot"),
           .sequence = sequence,
           .length = FromMillis(200),
           .busy = FromMillis(20),
           .apps = {app}},
          1};
}

/// One message of each kind that may be said.
std::vector<v1::AgentMessage> Corpus() {
  std::vector<v1::AgentMessage> corpus(4);
  *corpus[0].mutable_hello() = ToProto(LinkHello{TestNode(), {RunningCam(PlacementPhase::kReady)}, 7});
  *corpus[1].mutable_running() = ToProto(RunningCam(PlacementPhase::kFailed));
  for (const uint64_t sequence : {1, 2, 3})
    *corpus[2].mutable_windows()->add_windows() = ToProto(Window(sequence));
  *corpus[3].mutable_answer() = ToProto(LinkAnswer{{},
                                                   Profile{.model = ModelId("pose:1"),
                                                           .format = ModelFormat::kEmulated,
                                                           .device_type = "test device",
                                                           .service_mean = FromMillis(10),
                                                           .memory_bytes = kMiB,
                                                           .runs = 5,
                                                           .emulated = true}});
  return corpus;
}

TEST(AgentInput, WhatMayBeSaidIsUsed) {
  for (const auto& message : Corpus()) {
    const std::string bytes = message.SerializeAsString();
    EXPECT_EQ(ProblemWithAgentInput(bytes), "") << message.ShortDebugString();
    EXPECT_EQ(DepthOfAgentInput(bytes), AgentInputDepth::kUsed) << message.ShortDebugString();
  }
}

/// AVOCET_TEST_SEED and AVOCET_FUZZ_RUNS in the environment make it another run, or a longer one.
TEST(AgentInput, WhatPassesTheChecksCanBeWrittenAndReadBack) {
  const uint64_t seed = MutationSeed();
  const int runs = MutationRuns();
  const google::protobuf::LogSilencer silencer; // it logs each message that does not parse
  const auto corpus = Corpus();
  MessageMutator mutator(seed);
  std::map<AgentInputDepth, int> depths;
  for (int run = 0; run < runs; ++run) {
    v1::AgentMessage message = corpus[mutator.Below(corpus.size())];
    const std::string bytes = mutator.Mutate(message);
    ++depths[DepthOfAgentInput(bytes)];
    v1::AgentMessage shown;
    ASSERT_EQ(ProblemWithAgentInput(bytes), "")
        << "seed " << seed << " run " << run << ": "
        << (shown.ParseFromString(bytes) ? shown.ShortDebugString().substr(0, 2000) : "");
  }
  if (runs < kMutations) return;
  for (const auto depth :
       {AgentInputDepth::kUnparsed, AgentInputDepth::kUndecoded, AgentInputDepth::kRefused, AgentInputDepth::kUsed})
    EXPECT_GT(depths[depth], runs / 100) << "the mutations reach little, depth " << static_cast<int>(depth);
}

} // namespace
} // namespace avocet
