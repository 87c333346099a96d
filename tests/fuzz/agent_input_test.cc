// Thousands of damaged messages of an agent, the same on every run: what a fuzzer does, without one.
#include "tests/fuzz/agent_input.h"

#include <cmath>
#include <cstdlib>
#include <limits>
#include <map>
#include <random>
#include <string>
#include <vector>

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>
#include <google/protobuf/stubs/logging.h>
#include <gtest/gtest.h>

#include "actors/wire/link_codec.h"
#include "avocet/v1/link.pb.h"
#include "messages/codec/codec.h"
#include "tests/support/fake_agent.h"

namespace avocet {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

constexpr int kMutations = 20'000;

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

class MessageMutator {
public:
  explicit MessageMutator(uint64_t seed) : random_(seed) {}

  /// Fields of a message that still parses get values at and past every bound; now and then bytes change.
  std::string Next(const std::vector<v1::AgentMessage>& corpus) {
    v1::AgentMessage message = corpus[Below(corpus.size())];
    for (size_t times = 1 + Below(3); times > 0; --times)
      ChangeSomeField(message);
    std::string bytes = message.SerializeAsString();
    if (Below(4) == 0 && !bytes.empty()) bytes[Below(bytes.size())] = static_cast<char>(random_());
    if (Below(16) == 0) bytes.resize(Below(bytes.size() + 1));
    return bytes;
  }

private:
  size_t Below(size_t bound) { return random_() % bound; }
  template <class T> T OneOf(const std::vector<T>& values) { return values[Below(values.size())]; }

  uint64_t Integer() {
    constexpr uint64_t kMost = std::numeric_limits<uint64_t>::max();
    static const std::vector<uint64_t> kValues{0,         1,          2,          3,          5,     99,        4096,
                                               1U << 31U, 1ULL << 32, 1ULL << 62, 1ULL << 63, kMost, kMost - 1, 1000};
    return Below(2) == 0 ? OneOf(kValues) : OneOf(kValues) + Below(5) - 2;
  }
  double Number() {
    static const std::vector<double> kValues{0,    1,     -1,     1e-9, 5e-10,    1e9,    1.1e9,
                                             1e18, 1e308, -1e308, NAN,  INFINITY, 5e-324, 4e18};
    return OneOf(kValues);
  }
  std::string Text() {
    static const std::vector<std::string> kValues{"",
                                                  "n1",
                                                  "n2",
                                                  "n1/gpu0",
                                                  "n2/gpu0",
                                                  "cam",
                                                  "pose:1",
                                                  "boot",
                                                  "test device",
                                                  std::string(63, 'a'),
                                                  std::string(64, 'a'),
                                                  std::string(256, 't'),
                                                  std::string(257, 't'),
                                                  std::string(4096, 'r'),
                                                  std::string(4097, 'r'),
                                                  std::string("\0\x1b[2J", 5),
                                                  "127.0.0.1:99999"};
    return OneOf(kValues);
  }

  void ChangeSomeField(Message& message) {
    const auto& reflection = *message.GetReflection();
    std::vector<const FieldDescriptor*> fields;
    reflection.ListFields(message, &fields);
    if (Below(6) == 0) { // one that is absent, too
      const auto& descriptor = *message.GetDescriptor();
      if (descriptor.field_count() > 0) fields = {descriptor.field(static_cast<int>(Below(descriptor.field_count())))};
    }
    if (fields.empty()) return;
    Change(message, *OneOf(fields));
  }

  void Change(Message& message, const FieldDescriptor& field) {
    const auto& reflection = *message.GetReflection();
    if (field.is_repeated()) return ChangeList(message, field);
    switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_MESSAGE:
      return ChangeSomeField(*reflection.MutableMessage(&message, &field));
    case FieldDescriptor::CPPTYPE_STRING:
      return reflection.SetString(&message, &field, Text());
    case FieldDescriptor::CPPTYPE_DOUBLE:
      return reflection.SetDouble(&message, &field, Number());
    case FieldDescriptor::CPPTYPE_UINT64:
      return reflection.SetUInt64(&message, &field, Integer());
    case FieldDescriptor::CPPTYPE_INT64:
      return reflection.SetInt64(&message, &field, static_cast<int64_t>(Integer()));
    case FieldDescriptor::CPPTYPE_UINT32:
      return reflection.SetUInt32(&message, &field, static_cast<uint32_t>(Integer()));
    case FieldDescriptor::CPPTYPE_INT32:
      return reflection.SetInt32(&message, &field, static_cast<int32_t>(Integer()));
    case FieldDescriptor::CPPTYPE_ENUM:
      return reflection.SetEnumValue(&message, &field, static_cast<int>(Below(7)));
    case FieldDescriptor::CPPTYPE_BOOL:
      return reflection.SetBool(&message, &field, Below(2) == 0);
    default:
      return;
    }
  }

  void ChangeList(Message& message, const FieldDescriptor& field) {
    const auto& reflection = *message.GetReflection();
    const int size = reflection.FieldSize(message, &field);
    if (size == 0 || field.cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) return;
    auto& element = *reflection.MutableRepeatedMessage(&message, &field, static_cast<int>(Below(size)));
    if (Below(8) == 0) return reflection.AddMessage(&message, &field)->CopyFrom(element);
    ChangeSomeField(element);
  }

  std::mt19937_64 random_;
};

TEST(AgentInput, WhatMayBeSaidIsUsed) {
  for (const auto& message : Corpus()) {
    const std::string bytes = message.SerializeAsString();
    EXPECT_EQ(ProblemWithAgentInput(bytes), "") << message.ShortDebugString();
    EXPECT_EQ(DepthOfAgentInput(bytes), AgentInputDepth::kUsed) << message.ShortDebugString();
  }
}

/// AVOCET_TEST_SEED and AVOCET_FUZZ_RUNS in the environment make it another run, or a longer one.
TEST(AgentInput, WhatPassesTheChecksCanBeWrittenAndReadBack) {
  const char *seed_text = std::getenv("AVOCET_TEST_SEED"), *runs_text = std::getenv("AVOCET_FUZZ_RUNS");
  const uint64_t seed = seed_text == nullptr ? 1 : std::strtoull(seed_text, nullptr, 10);
  const int runs = runs_text == nullptr ? kMutations : std::atoi(runs_text);
  const google::protobuf::LogSilencer silencer; // it logs each message that does not parse
  const auto corpus = Corpus();
  MessageMutator mutator(seed);
  std::map<AgentInputDepth, int> depths;
  for (int run = 0; run < runs; ++run) {
    const std::string bytes = mutator.Next(corpus);
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
