#include "messages/suggest.h"

#include <array>

#include <gtest/gtest.h>

namespace avocet {
namespace {

constexpr std::array<std::string_view, 4> kKeys{"name", "rate", "rate_rps", "tenant"};

TEST(EditDistance, CountsEachKindOfSlip) {
  EXPECT_EQ(EditDistance("", ""), 0U);
  EXPECT_EQ(EditDistance("rate_rps", "rate_rps"), 0U);
  EXPECT_EQ(EditDistance("rate_rp", "rate_rps"), 1U);   // insertion
  EXPECT_EQ(EditDistance("ratee_rps", "rate_rps"), 1U); // deletion
  EXPECT_EQ(EditDistance("rate-rps", "rate_rps"), 1U);  // replacement
  EXPECT_EQ(EditDistance("raet_rps", "rate_rps"), 1U);  // swap
  EXPECT_EQ(EditDistance("abc", ""), 3U);
  EXPECT_EQ(EditDistance("", "abc"), 3U);
  EXPECT_EQ(EditDistance("kitten", "sitting"), 3U);
}

TEST(EditDistance, IsBlindToCase) {
  EXPECT_EQ(EditDistance("RATE_rps", "rate_RPS"), 0U);
}

TEST(Nearest, FindsTheClosestName) {
  EXPECT_EQ(Nearest("rate_rp", kKeys), "rate_rps");
  EXPECT_EQ(Nearest("rat", kKeys), "rate") << "the first that it begins";
  EXPECT_EQ(Nearest("tennant", kKeys), "tenant");
}

TEST(Nearest, PrefersTheFirstOfEquals) {
  constexpr std::array<std::string_view, 2> kEqual{"gpu1", "gpu2"};
  EXPECT_EQ(Nearest("gpu0", kEqual), "gpu1");
}

TEST(Nearest, IsSilentWhenMoreThanAThirdIsWrong) {
  constexpr std::array<std::string_view, 1> kOne{"abcdef"};
  EXPECT_EQ(Nearest("abcdxy", kOne), "abcdef"); // 2 of 6
  EXPECT_EQ(Nearest("abcxyz", kOne), std::nullopt);
  EXPECT_EQ(Nearest("colour", kKeys), std::nullopt);
}

TEST(Nearest, CompletesABeginning) {
  constexpr std::array<std::string_view, 2> kUnits{"statistic", "latency_ms"};
  EXPECT_EQ(Nearest("latency", kUnits), "latency_ms");
  EXPECT_EQ(Nearest("la", kUnits), std::nullopt);
}

TEST(Nearest, FindsTheWholeThatAWordIsTheEndOf) {
  constexpr std::array<std::string_view, 3> kKinds{"cpu", "gpu", "edgetpu"};
  EXPECT_EQ(Nearest("tpu", kKinds), "edgetpu") << "one letter away from two others";
  EXPECT_EQ(Nearest("gpu", kKinds), "gpu");
  EXPECT_EQ(Nearest("CPU", kKinds), "cpu");
  EXPECT_EQ(Nearest("npu", kKinds), "cpu");
}

TEST(Suggestion, NamesTheNearestOrLists) {
  EXPECT_EQ(Suggestion("rate_rp", kKeys), "; did you mean 'rate_rps'?");
  EXPECT_EQ(Suggestion("colour", kKeys), "; valid: name, rate, rate_rps, tenant");
  EXPECT_EQ(Suggestion("colour", {}), "");
}

} // namespace
} // namespace avocet
