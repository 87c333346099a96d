#include "cli/render/format.h"

#include <gtest/gtest.h>

namespace avocet {
namespace {

TEST(FormatNumber, KeepsThreeSignificantDigitsAndWholeNumbers) {
  EXPECT_EQ(FormatNumber(0), "0");
  EXPECT_EQ(FormatNumber(50), "50");
  EXPECT_EQ(FormatNumber(1.8349), "1.83");
  EXPECT_EQ(FormatNumber(12.0), "12");
  EXPECT_EQ(FormatNumber(71.26), "71.3");
  EXPECT_EQ(FormatNumber(1234.5), "1234");
  EXPECT_EQ(FormatNumber(0.012345), "0.0123");
  EXPECT_EQ(FormatNumber(-1.5), "-1.5");
}

TEST(FormatMillis, ShowsAbsentValues) {
  EXPECT_EQ(FormatMillis(Duration(1'500'000)), "1.5");
  EXPECT_EQ(FormatMillis(std::optional<Duration>()), "-");
}

TEST(FormatPercent, KeepsTwoDigits) {
  EXPECT_EQ(FormatPercent(0.614), "61 %");
  EXPECT_EQ(FormatPercent(0.0042), "0.42 %");
  EXPECT_EQ(FormatPercent(1.25), "125 %");
}

TEST(FormatBytes, PicksAUnit) {
  EXPECT_EQ(FormatBytes(560), "560 B");
  EXPECT_EQ(FormatBytes(4300), "4.2 KiB");
  EXPECT_EQ(FormatBytes(3 * kMiB / 2), "1.5 MiB");
}

TEST(FormatScv, LeavesRoundingOut) {
  EXPECT_EQ(FormatScv(4.7e-32), "0");
  EXPECT_EQ(FormatScv(0.25), "0.25");
  EXPECT_EQ(RoundScv(4.7e-32), 0);
  EXPECT_EQ(RoundScv(1.2345), 1.2345);
}

TEST(FormatDuration, PicksAUnit) {
  EXPECT_EQ(FormatDuration(std::chrono::milliseconds(850)), "850 ms");
  EXPECT_EQ(FormatDuration(std::chrono::milliseconds(12500)), "12.5 s");
  EXPECT_EQ(FormatDuration(std::chrono::minutes(3)), "3 min");
  EXPECT_EQ(FormatDuration(std::chrono::minutes(150)), "2.5 h");
}

TEST(FormatTime, IsUtc) {
  EXPECT_EQ(FormatTime(WallTime(std::chrono::seconds(1714564991))), "2024-05-01T12:03:11Z");
}

TEST(FloorTo3Digits, NeverExceedsTheValue) {
  EXPECT_DOUBLE_EQ(FloorTo3Digits(6.109), 6.10);
  EXPECT_DOUBLE_EQ(FloorTo3Digits(6.1), 6.1);
  EXPECT_DOUBLE_EQ(FloorTo3Digits(1239.9), 1230);
  EXPECT_DOUBLE_EQ(FloorTo3Digits(0.012399), 0.0123);
  EXPECT_EQ(FloorTo3Digits(0), 0);
}

TEST(FormatApart, AddsDigitsUntilTheyDiffer) {
  EXPECT_EQ(FormatApart(50, 71.26), std::make_pair(std::string("50"), std::string("71.3")));
  EXPECT_EQ(FormatApart(50, 50.004), std::make_pair(std::string("50"), std::string("50.004")));
  EXPECT_EQ(FormatApart(50, 50), std::make_pair(std::string("50"), std::string("50")));
}

} // namespace
} // namespace avocet
