#include "controller/root_finding.h"

#include <cmath>

#include <gtest/gtest.h>

namespace avocet {
namespace {

template <class F> double RootOf(const F& f, double low, double high) {
  return FindRoot(f, {low, high, f(low), f(high)}, 1e-13);
}

TEST(FindRoot, FindsSmoothRoots) {
  EXPECT_NEAR(RootOf([](double x) { return std::cos(x) - x; }, 0, 1), 0.7390851332151607, 1e-12);
  EXPECT_NEAR(RootOf([](double x) { return std::exp(x) - 2; }, -5, 50), std::log(2), 1e-12);
}

TEST(FindRoot, FindsTheJump) {
  EXPECT_NEAR(RootOf([](double x) { return x < 0.3 ? -1.0 : 1.0; }, 0, 1), 0.3, 1e-9);
}

TEST(FindRoot, ReturnsAnEndThatIsTheRoot) {
  EXPECT_EQ(RootOf([](double x) { return x; }, 0, 1), 0);
  EXPECT_EQ(RootOf([](double x) { return x - 1; }, 0, 1), 1);
}

TEST(FindRoot, EndsWhateverTheFunction) {
  int calls = 0;
  const auto nasty = [&](double x) {
    return ++calls, (std::fmod(x * 1e9, 2) < 1 ? -1e-300 : 1e300) * (x > 0.5 ? 1 : -1);
  };
  (void)FindRoot(nasty, {0, 1, -1, 1}, 0);
  EXPECT_LE(calls, kMaxRootSteps);
}

TEST(FindRoot, FindsRootsOfVerySmallSize) {
  EXPECT_NEAR(RootOf([](double x) { return x - 1e-12; }, 0, 1) / 1e-12, 1, 1e-9);
}

TEST(BracketFrom, EnclosesTheRootWhereverItStarts) {
  const auto falls = [](double t) { return 3 - t; };
  for (const double start : {0.0, 0.5, 2.999, 3.001, 10.0, 1e6}) {
    for (const double scale : {1e-3, 1.0, 100.0}) {
      const Bracket bracket = BracketFrom(falls, {start, scale, 0});
      EXPECT_LE(bracket.low, 3) << start << " " << scale;
      EXPECT_GE(bracket.high, 3) << start << " " << scale;
      EXPECT_GT(bracket.at_low, 0);
      EXPECT_LE(bracket.at_high, 0);
    }
  }
}

TEST(BracketFrom, EndsAtTheLeastWhereNothingIsPositive) {
  const Bracket bracket = BracketFrom([](double t) { return -1 - t; }, {5, 1, 2});
  EXPECT_EQ(bracket.low, 2);
  EXPECT_EQ(bracket.high, 2);
}

TEST(BracketFrom, IsNarrowForAFunctionThatFallsAsPromised) {
  const Bracket bracket = BracketFrom([](double t) { return (3 - t) / 0.5; }, {2.9, 0.5, 0});
  EXPECT_LT(bracket.high - bracket.low, 0.2);
}

} // namespace
} // namespace avocet
