#include "node_agent/inference/request_parameters.h"

#include <gtest/gtest.h>

#include <limits>

namespace avocet {
namespace {

constexpr auto kInvalid = StatusCode::kInvalidArgument;

TEST(TimeoutOf, IsMicroseconds) {
  EXPECT_EQ(TimeoutOf({}).value(), std::nullopt);
  EXPECT_EQ(TimeoutOf({{"timeout", int64_t{1500}}}).value(), std::chrono::microseconds(1500));
  EXPECT_EQ(TimeoutOf({{"timeout", uint64_t{2000}}}).value(), std::chrono::milliseconds(2));
  EXPECT_EQ(TimeoutOf({{"timeout", int64_t{0}}}).value(), std::nullopt);
}

TEST(TimeoutOf, BoundsWhatWouldOverflow) {
  EXPECT_EQ(TimeoutOf({{"timeout", std::numeric_limits<uint64_t>::max()}}).value(), std::chrono::hours(24 * 365));
  EXPECT_EQ(TimeoutOf({{"timeout", std::numeric_limits<int64_t>::max()}}).value(), std::chrono::hours(24 * 365));
}

TEST(TimeoutOf, RefusesOtherTypesAndNegatives) {
  EXPECT_EQ(TimeoutOf({{"timeout", int64_t{-1}}}).status().code(), kInvalid);
  EXPECT_EQ(TimeoutOf({{"timeout", std::string("5")}}).status().code(), kInvalid);
  EXPECT_EQ(TimeoutOf({{"timeout", true}}).status().code(), kInvalid);
  EXPECT_EQ(TimeoutOf({{"timeout", 5.0}}).status().code(), kInvalid);
}

TEST(CheckPriority, TakesNonNegativeIntegersOnly) {
  EXPECT_TRUE(CheckPriority({}).ok());
  EXPECT_TRUE(CheckPriority({{"priority", uint64_t{7}}}).ok());
  EXPECT_TRUE(CheckPriority({{"priority", int64_t{0}}}).ok());
  EXPECT_EQ(CheckPriority({{"priority", int64_t{-1}}}).code(), kInvalid);
  EXPECT_EQ(CheckPriority({{"priority", std::string("high")}}).code(), kInvalid);
}

} // namespace
} // namespace avocet
