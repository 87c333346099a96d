#include "controller/queueing/gamma_mixture.h"

#include <cmath>

#include <gtest/gtest.h>

namespace avocet {
namespace {

GammaMixture Exponential(double mean) {
  GammaMixture one;
  one.Add({1, 0, mean, mean * mean});
  return one;
}

TEST(GammaMixture, ExponentialHasItsClosedForm) {
  const auto one = Exponential(2);
  EXPECT_NEAR(one.Cdf(3), 1 - std::exp(-1.5), 1e-12);
  EXPECT_NEAR(one.Quantile(0.95), -2 * std::log(0.05), 1e-8);
  EXPECT_NEAR(one.Quantile(0.99), -2 * std::log(0.01), 1e-8);
}

TEST(GammaMixture, ConstantIsAnAtom) {
  GammaMixture one;
  one.Add({1, 0.25, 0.5, 0});
  EXPECT_EQ(one.Cdf(0.7499), 0);
  EXPECT_EQ(one.Cdf(0.75), 1);
  EXPECT_EQ(one.Quantile(0.5), 0.75);
}

TEST(GammaMixture, QuantileAtAnAtomIsTheAtom) {
  GammaMixture one;
  one.Add({0.6, 0, 1, 0});
  one.Add({0.4, 1, 1, 1});
  EXPECT_EQ(one.Quantile(0.3), 1);
  EXPECT_EQ(one.Quantile(0.6), 1);
  EXPECT_GT(one.Quantile(0.61), 1);
}

TEST(GammaMixture, QuantileInvertsCdf) {
  GammaMixture one;
  one.Add({0.3, 0.1, 0.2, 0.01});
  one.Add({0.7, 0.5, 3, 20});
  for (const double p : {0.001, 0.2, 0.5, 0.95, 0.99, 0.9999})
    EXPECT_NEAR(one.Cdf(one.Quantile(p)), p, 1e-8) << p;
}

TEST(GammaMixture, QuantileKeepsToTheToleranceAskedFor) {
  for (const double scv : {0.05, 0.5, 1.0, 4.0}) {
    GammaMixture one;
    one.Add({0.4, 0, 1, 0}); // at once
    one.Add({0.25, 1, 2, scv * 4});
    one.Add({0.35, 1.5, 3, scv * 9});
    for (const double p : {0.41, 0.5, 0.95, 0.99}) {
      const double exact = one.Quantile(p);
      EXPECT_NEAR(one.Cdf(exact), p, 1e-8) << scv << " " << p;
      EXPECT_NEAR(one.Quantile(p, 1e-4) / exact, 1, 3e-4) << scv << " " << p;
    }
  }
}

TEST(GammaMixture, QuantilesBesideAnAtomStayOnTheirSide) {
  GammaMixture one; // nearly everything within a millionth of 200
  one.Add({0.5, 0, 200, 0});
  one.Add({0.5, 200, 1e-6, 1e-12});
  EXPECT_EQ(one.Quantile(0.5), 200);
  for (const double tolerance : {1e-4, 1e-10}) {
    EXPECT_GE(one.Quantile(0.51, tolerance), 200);
    EXPECT_NEAR(one.Quantile(0.51, tolerance), 200, 400 * tolerance);
  }
}

TEST(GammaMixture, StandardDeviationIsThatOfTheWhole) {
  GammaMixture one;
  one.Add({0.5, 0, 1, 0});
  one.Add({0.5, 1, 2, 3});
  EXPECT_DOUBLE_EQ(one.StandardDeviation(), std::sqrt(0.5 * 3 + 1));
}

TEST(GammaMixture, MeanIsTheWeightedMean) {
  GammaMixture one;
  one.Add({0.25, 1, 2, 4});
  one.Add({0.75, 0, 4, 0});
  EXPECT_DOUBLE_EQ(one.Mean(), 0.25 * 3 + 0.75 * 4);
}

TEST(GammaMixture, PartsWithoutWeightAreLeftOut) {
  GammaMixture one;
  for (int i = 0; i < 100; ++i)
    one.Add({0, 1, 1, 1});
  one.Add({1, 0, 2, 0});
  EXPECT_EQ(one.Quantile(0.5), 2);
}

TEST(ShiftedGamma, GivesBackAConstantPlusAGamma) {
  const Cumulants sum = GammaCumulants(3, 0) + GammaCumulants(2, 5);
  const auto part = ShiftedGamma(1, sum);
  EXPECT_DOUBLE_EQ(part.shift_s, 3);
  EXPECT_DOUBLE_EQ(part.mean_s, 2);
  EXPECT_DOUBLE_EQ(part.variance, 5);
}

TEST(ShiftedGamma, HasNoNegativeTimesForSumsOfGammas) {
  for (const double mean : {1e-6, 0.1, 1.0, 50.0}) {
    for (const double scv : {0.01, 0.5, 1.0, 4.0}) {
      const Cumulants sum = GammaCumulants(mean, scv * mean * mean) + GammaCumulants(1, 1);
      EXPECT_GE(ShiftedGamma(1, sum).shift_s, 0) << mean << " " << scv;
    }
  }
}

} // namespace
} // namespace avocet
