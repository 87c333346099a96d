#include "controller/queueing/root_finding.h"

#include <cmath>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

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

RC_GTEST_PROP(FindRootProperties, KeepsToItsTolerance, ()) {
  const double root = *rc::gen::inRange(1, 1000000) / 1e3, steepness = *rc::gen::element(1e-3, 1.0, 100.0);
  const double low = root * *rc::gen::element(0.0, 0.5, 0.999), high = root * *rc::gen::element(1.001, 2.0, 1e3);
  const auto f = [&](double x) { return std::expm1(steepness * (root - x) / root); };
  for (const double tolerance : {1e-3, 1e-6, 1e-12}) {
    const double found = FindRoot(f, {low, high, f(low), f(high)}, tolerance);
    RC_ASSERT(std::abs(found - root) <= 2 * tolerance * root);
  }
}

RC_GTEST_PROP(FindRootProperties, AsksLittleMoreThanBisectionWould, ()) {
  const double root = *rc::gen::inRange(1, 999) / 1e3, power = *rc::gen::element(1.0, 3.0, 9.0, 21.0);
  int calls = 0;
  const auto f = [&](double x) { return ++calls, std::copysign(std::pow(std::abs(root - x), power), root - x); };
  const Bracket bracket{0, 1, f(0), f(1)};
  calls = 0;
  (void)FindRoot(f, bracket, 1e-9);
  RC_ASSERT(calls <= 100); // bisection: 30 to 40
}

TEST(FindRoot, TakesRisingFunctionsToo) {
  EXPECT_NEAR(RootOf([](double x) { return x * x * x - 8; }, 0, 100), 2, 1e-11);
}

} // namespace
} // namespace avocet
