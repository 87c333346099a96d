// The upper bound of an estimated rate, and the limits of the estimator's options.
#include <cmath>
#include <random>

#include <gtest/gtest.h>

#include "controller/queueing/estimator.h"

namespace avocet {
namespace {

TEST(EstimatorOptions, AreChecked) {
  EXPECT_TRUE(Validate(EstimatorOptions{}).ok());
  EXPECT_FALSE(Validate(EstimatorOptions{.half_life_windows = 0}).ok());
  EXPECT_FALSE(Validate(EstimatorOptions{.half_life_windows = NAN}).ok());
  EXPECT_FALSE(Validate(EstimatorOptions{.significant_change = 1}).ok());
}

TEST(UpperRateBound, IsTheExactPoissonBound) {
  // chi-square quantiles: n = 10 events -> 16.962, n = 100 -> 118.08.
  EXPECT_NEAR(UpperRateBound({.mean = 10, .scv = 1, .weight = 10}), 16.962, 0.02);
  EXPECT_NEAR(UpperRateBound({.mean = 5, .scv = 1, .weight = 100}), 5 * 1.1808, 0.005);
}

TEST(UpperRateBound, ClosesInOnTheMeanWithWeight) {
  EXPECT_NEAR(UpperRateBound({.mean = 20, .scv = 1, .weight = 1e6}), 20, 0.05);
  EXPECT_EQ(UpperRateBound({.mean = 0, .scv = 0, .weight = 0}), 0);
}

TEST(UpperRateBound, CoversTheTrueRateNineteenTimesInTwenty) {
  std::mt19937_64 random(3);
  std::poisson_distribution<int> count(40);
  int covered = 0;
  for (int i = 0; i < 4000; ++i) {
    const double n = count(random);
    covered += UpperRateBound({.mean = n, .scv = 1, .weight = n}) >= 40 ? 1 : 0;
  }
  EXPECT_NEAR(covered / 4000.0, 0.95, 0.02);
}

TEST(EstimatorOptions, AreCheckedAtTheirLimits) {
  EXPECT_TRUE(Validate(EstimatorOptions{.half_life_windows = 1e-9}).ok());
  EXPECT_FALSE(Validate(EstimatorOptions{.half_life_windows = INFINITY}).ok());
  EXPECT_TRUE(Validate(EstimatorOptions{.significant_change = 0.999}).ok());
  EXPECT_FALSE(Validate(EstimatorOptions{.significant_change = 0}).ok());
}

TEST(UpperRateBound, ScalesWithTheRate) {
  const Estimate rate{.mean = 3, .scv = 1, .weight = 7}, twice{.mean = 6, .scv = 1, .weight = 7};
  EXPECT_DOUBLE_EQ(UpperRateBound(twice), 2 * UpperRateBound(rate));
}

} // namespace
} // namespace avocet
