#pragma once

#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

namespace avocet {

/// In each run of the tests.
inline constexpr int kMutations = 20'000;

/// Damages messages, the same way for the same seed: what a fuzzer does, without one.
class MessageMutator {
public:
  explicit MessageMutator(uint64_t seed) : random_(seed) {}

  size_t Below(size_t bound) { return random_() % bound; }

  /// Fields of a message that still parses get values at and past every bound; now and then bytes change.
  std::string Mutate(google::protobuf::Message& message) {
    for (size_t times = 1 + Below(3); times > 0; --times)
      ChangeSomeField(message);
    std::string bytes = message.SerializeAsString();
    if (Below(4) == 0 && !bytes.empty()) bytes[Below(bytes.size())] = static_cast<char>(random_());
    if (Below(16) == 0) bytes.resize(Below(bytes.size() + 1));
    return bytes;
  }

private:
  using FieldDescriptor = google::protobuf::FieldDescriptor;
  using Message = google::protobuf::Message;

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

/// AVOCET_TEST_SEED of the environment, or 1.
inline uint64_t MutationSeed() {
  const char* seed = std::getenv("AVOCET_TEST_SEED");
  return seed == nullptr ? 1 : std::strtoull(seed, nullptr, 10);
}

/// AVOCET_FUZZ_RUNS of the environment, or kMutations.
inline int MutationRuns() {
  const char* runs = std::getenv("AVOCET_FUZZ_RUNS");
  return runs == nullptr ? kMutations : std::atoi(runs);
}

} // namespace avocet
