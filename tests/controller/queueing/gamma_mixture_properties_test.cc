// Any mixture of shifted gammas.
#include <cmath>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "controller/queueing/gamma_mixture.h"
#include "tests/controller/queueing/any_load.h"

namespace avocet {
namespace {

std::vector<MixturePart> AnyParts() {
  std::vector<MixturePart> parts(*rc::gen::inRange<size_t>(1, 6));
  double total = 0;
  for (auto& part : parts) {
    part.weight = Between(0.01, 1);
    part.shift_s = *rc::gen::arbitrary<bool>() ? Between(1e-3, 1) : 0;
    part.mean_s = Between(1e-3, 1);
    part.variance = *rc::gen::element(0.0, 0.05, 1.0, 5.0) * part.mean_s * part.mean_s;
    total += part.weight;
  }
  for (auto& part : parts)
    part.weight /= total;
  return parts;
}

GammaMixture MixtureOfParts(const std::vector<MixturePart>& parts) {
  GammaMixture mixture;
  for (const auto& part : parts)
    mixture.Add(part);
  return mixture;
}

RC_GTEST_PROP(GammaMixtureProperties, CdfNeverFalls, ()) {
  const auto mixture = MixtureOfParts(AnyParts());
  const double t = Between(1e-3, 10);
  RC_ASSERT(mixture.Cdf(t) <= mixture.Cdf(t * Between(1.0001, 3)) + 1e-12);
}

RC_GTEST_PROP(GammaMixtureProperties, QuantileIsTheSmallestTimeWithTheProbability, ()) {
  const auto mixture = MixtureOfParts(AnyParts());
  const double p = *rc::gen::element(0.001, 0.1, 0.5, 0.95, 0.99, 0.9999), t = mixture.Quantile(p);
  RC_ASSERT(mixture.Cdf(t * (1 + 1e-8)) >= p - 1e-9);
  RC_ASSERT(mixture.Cdf(t * (1 - 1e-8)) <= p + 1e-9);
}

RC_GTEST_PROP(GammaMixtureProperties, QuantilesAreInOrder, ()) {
  const auto mixture = MixtureOfParts(AnyParts());
  const double low = Between(1e-4, 0.9), high = 1 - (1 - low) * Between(0.01, 1);
  RC_ASSERT(mixture.Quantile(low) <= mixture.Quantile(high) * (1 + 1e-9));
}

RC_GTEST_PROP(GammaMixtureProperties, TimeScalesOut, ()) {
  const auto parts = AnyParts();
  auto scaled = parts;
  const double factor = Between(1e-4, 1e4);
  for (auto& part : scaled) {
    part.shift_s *= factor;
    part.mean_s *= factor;
    part.variance *= factor * factor;
  }
  const auto a = MixtureOfParts(parts), b = MixtureOfParts(scaled);
  RC_ASSERT(IsClose(a.Mean() * factor, b.Mean(), 1e-12));
  RC_ASSERT(IsClose(a.Quantile(0.97) * factor, b.Quantile(0.97), 1e-7));
}

RC_GTEST_PROP(GammaMixtureProperties, HalvesOfAPartAreThePart, ()) {
  const auto parts = AnyParts();
  GammaMixture halves;
  const auto whole = MixtureOfParts(parts);
  halves.Add(0.5, whole);
  halves.Add(0.5, whole);
  const double t = Between(1e-3, 10);
  RC_ASSERT(std::abs(halves.Cdf(t) - whole.Cdf(t)) < 1e-12);
  RC_ASSERT(IsClose(halves.StandardDeviation(), whole.StandardDeviation(), 1e-9) || whole.StandardDeviation() < 1e-9);
}

RC_GTEST_PROP(ShiftedGammaProperties, GivesBackMeanAndVariance, ()) {
  const Cumulants sum = GammaCumulants(Between(1e-3, 10), Between(1e-6, 10)) + GammaCumulants(Between(1e-3, 10), 0);
  const auto part = ShiftedGamma(0.5, sum);
  RC_ASSERT(part.weight == 0.5);
  RC_ASSERT(IsClose(part.shift_s + part.mean_s, sum.mean, 1e-12));
  RC_ASSERT(IsClose(part.variance, sum.variance, 1e-12));
}

TEST(ShiftedGamma, KeepsTheThirdCumulantWhereTheShiftIsNotNegative) {
  const Cumulants sum = GammaCumulants(2, 4) + GammaCumulants(3, 1);
  const auto part = ShiftedGamma(1, sum);
  EXPECT_NEAR(2 * part.variance * part.variance / part.mean_s, sum.third, 1e-12);
}

TEST(ShiftedGamma, OfTooLittleSkewStartsAtZero) {
  // Less skew than a gamma with that mean has would need a negative shift.
  const auto part = ShiftedGamma(1, {1, 1, 0.1});
  EXPECT_EQ(part.shift_s, 0);
  EXPECT_EQ(part.mean_s, 1);
}

TEST(ShiftedGamma, WithoutSpreadOrSkewIsConstant) {
  for (const Cumulants cumulants : {Cumulants{2, 0, 1}, Cumulants{2, 1, 0}, Cumulants{2, -1e-18, 1}}) {
    const auto part = ShiftedGamma(1, cumulants);
    EXPECT_EQ(part.shift_s, 2);
    EXPECT_EQ(part.variance, 0);
  }
}

TEST(GammaMixture, ErlangHasItsClosedForm) {
  GammaMixture one; // three stages of mean 1
  one.Add({1, 0, 3, 3});
  for (const double t : {0.1, 1.0, 5.0, 30.0})
    EXPECT_NEAR(one.Survival(t) / (std::exp(-t) * (1 + t + t * t / 2)), 1, 1e-12) << t;
}

TEST(GammaMixture, SurvivalKeepsItsDigitsInTheTail) {
  GammaMixture one;
  one.Add({1, 0, 1, 1});
  EXPECT_NEAR(one.Survival(100) / std::exp(-100), 1, 1e-10);
  EXPECT_EQ(one.Cdf(100), 1);
}

TEST(GammaMixture, TakesNegativeWeights) {
  // The sum of exponentials of means 2 and 1: 2 e^(-t/2) - e^(-t).
  GammaMixture sum;
  sum.Add({2, 0, 2, 4});
  sum.Add({-1, 0, 1, 1});
  EXPECT_NEAR(sum.Survival(3), 2 * std::exp(-1.5) - std::exp(-3), 1e-12);
  EXPECT_NEAR(sum.StandardDeviation(), std::sqrt(5), 1e-12);
  EXPECT_NEAR(sum.Cdf(sum.Quantile(0.95)), 0.95, 1e-9);
}

TEST(GammaMixture, NothingHappensBeforeTheShift) {
  GammaMixture one;
  one.Add({1, 0.5, 1, 1});
  EXPECT_EQ(one.Survival(0.5), 1);
  EXPECT_LT(one.Survival(0.501), 1);
}

} // namespace
} // namespace avocet
