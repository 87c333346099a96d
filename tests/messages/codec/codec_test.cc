#include "messages/codec/codec.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "tests/support/arbitrary.h"

namespace avocet {
namespace {

template <class T> class Codec : public testing::Test {};

using Types = testing::Types<Model, Profile, Application, DeviceSpec, NodeInfo, MeasurementWindow, DeviceFit,
                             TotalsSlot, Placement, Decision, Command, Event>;
TYPED_TEST_SUITE(Codec, Types);

/// Decode may refuse bytes, but only as corruption; what it accepts is valid.
template <class T> void AssertDecodesToValidOrCorruption(const std::string& bytes) {
  const Result<T> decoded = Decode<T>(bytes);
  if (decoded.ok()) {
    RC_ASSERT(Validate(*decoded) == Status());
    RC_ASSERT(*Decode<T>(Encode(*decoded)) == *decoded);
  } else {
    RC_ASSERT(decoded.status().code() == StatusCode::kCorruption);
  }
}

TYPED_TEST(Codec, GeneratedValuesAreValid) {
  rc::detail::checkGTest([](const TypeParam& value) {
    const Status status = Validate(value);
    RC_LOG() << status.ToString();
    RC_ASSERT(status.ok());
  });
}

TYPED_TEST(Codec, MessageKeepsEveryFact) {
  rc::detail::checkGTest([](const TypeParam& value) {
    const Result<TypeParam> back = FromProto(ToProto(value));
    RC_LOG() << back.status().ToString();
    RC_ASSERT(back.ok());
    RC_ASSERT(*back == value);
  });
}

TYPED_TEST(Codec, BytesKeepEveryFact) {
  rc::detail::checkGTest([](const TypeParam& value) {
    const Result<TypeParam> back = Decode<TypeParam>(Encode(value));
    RC_LOG() << back.status().ToString();
    RC_ASSERT(back.ok());
    RC_ASSERT(*back == value);
  });
}

TYPED_TEST(Codec, SurvivesArbitraryBytes) {
  rc::detail::checkGTest([](const std::string& bytes) { AssertDecodesToValidOrCorruption<TypeParam>(bytes); });
}

/// Almost right bytes get further than arbitrary ones.
TYPED_TEST(Codec, SurvivesDamagedBytes) {
  rc::detail::checkGTest([](const TypeParam& value) {
    std::string bytes = Encode(value);
    const auto at = *rc::gen::inRange<size_t>(0, bytes.size());
    bytes[at] = *rc::gen::arbitrary<char>();
    AssertDecodesToValidOrCorruption<TypeParam>(bytes);
    AssertDecodesToValidOrCorruption<TypeParam>(bytes.substr(0, at));
  });
}

TYPED_TEST(Codec, RefusesNothingAtAll) {
  EXPECT_EQ(Decode<TypeParam>("").status().code(), StatusCode::kCorruption);
}

} // namespace
} // namespace avocet
