// Moments and transforms of any service time.
#include <cmath>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "controller/queueing/service_time.h"
#include "tests/controller/queueing/any_load.h"

namespace avocet {
namespace {

ServicePart AnyPart() {
  const double mean = Between(1e-3, 10);
  return {Between(0.01, 1), mean, *rc::gen::element(0.0, 1e-4, 0.3, 1.0, 7.0)};
}

ServiceTime AnyMixture() {
  std::vector<ServicePart> parts;
  const size_t count = *rc::gen::inRange<size_t>(1, kMaxServiceParts + 1);
  while (parts.size() < count)
    parts.push_back(AnyPart());
  return ServiceMixture(parts);
}

RC_GTEST_PROP(ServiceTimeProperties, ProbabilitiesSumToOne, ()) {
  double sum = 0;
  for (const auto& part : AnyMixture().parts)
    sum += part.probability;
  RC_ASSERT(IsClose(sum, 1, 1e-12));
}

RC_GTEST_PROP(ServiceTimeProperties, MeanAndScvAreThoseOfTheMoments, ()) {
  const auto service = AnyMixture();
  const auto moments = MomentsOf(service);
  RC_ASSERT(IsClose(service.mean_s, moments.first, 1e-12));
  RC_ASSERT(std::abs((1 + service.scv) * service.mean_s * service.mean_s / moments.second - 1) < 1e-12);
}

RC_GTEST_PROP(ServiceTimeProperties, AddingAConstantKeepsCentralMoments, ()) {
  const auto central3 = [](const RawMoments& m) {
    return m.third - 3 * m.first * m.second + 2 * m.first * m.first * m.first;
  };
  const auto part = AnyPart();
  const double plus = Between(0.01, 1) * part.mean_s;
  const auto plain = MomentsOf(part), moved = MomentsOf(part, plus);
  const double variance = plain.second - plain.first * plain.first;
  RC_ASSERT(IsClose(moved.first, plain.first + plus, 1e-12));
  RC_ASSERT(std::abs(moved.second - moved.first * moved.first - variance) <= 1e-12 * moved.second);
  RC_ASSERT(std::abs(central3(moved) - central3(plain)) <= 1e-11 * moved.third);
}

RC_GTEST_PROP(ServiceTimeProperties, TransformHasTheMomentsAsItsExpansion, ()) {
  const auto part = AnyPart();
  const auto m = MomentsOf(part);
  const double x = 1e-3 / part.mean_s / (1 + part.scv);
  const double expected = 1 - x * m.first + x * x * m.second / 2 - x * x * x * m.third / 6;
  RC_ASSERT(std::abs(Transform(part, x) - expected) < 1e-9);
}

RC_GTEST_PROP(ServiceTimeProperties, TransformFallsFromOneToZero, ()) {
  const auto part = AnyPart();
  const double x = Between(1e-6, 1e6);
  RC_ASSERT(Transform(part, 0.0) == 1);
  RC_ASSERT(Transform(part, 2 * x) <= Transform(part, x));
  RC_ASSERT(Transform(part, x) >= 0);
}

RC_GTEST_PROP(ServiceTimeProperties, ComplexTransformContinuesTheRealOne, ()) {
  const auto part = AnyPart();
  const double re = Between(1e-3, 10), im = Between(1e-3, 100);
  RC_ASSERT(IsClose(Transform(part, std::complex<double>(re)).real(), Transform(part, re), 1e-10));
  const auto z = Transform(part, std::complex<double>(re, im));
  RC_ASSERT(std::abs(z) <= Transform(part, re) * (1 + 1e-10));
  RC_ASSERT(std::abs(Transform(part, std::complex<double>(re, -im)) - std::conj(z)) < 1e-10);
}

TEST(ServiceTime, TransformsOfTheNamedCasesAreTheirs) {
  const double x = 3, s = 0.5;
  EXPECT_DOUBLE_EQ(Transform(ServicePart{1, s, 0}, x), std::exp(-x * s));
  EXPECT_DOUBLE_EQ(Transform(ServicePart{1, s, 1}, x), 1 / (1 + x * s));
  EXPECT_DOUBLE_EQ(Transform(ServicePart{1, s, 0.5}, x), std::pow(1 + x * s / 2, -2)); // Erlang-2
}

TEST(ServiceTime, TransformDoesNotJumpWhereItCountsAsConstant) {
  const double below = Transform(ServicePart{1, 1, 0.99e-9}, 2.0), above = Transform(ServicePart{1, 1, 1.01e-9}, 2.0);
  EXPECT_NEAR(below, above, 1e-8);
}

TEST(ServiceTime, StandardErrorFallsWithTheRootOfTheObservations) {
  const ServiceTime hundred{.mean_s = 2, .scv = 4, .observations = 100};
  EXPECT_DOUBLE_EQ(StandardError(hundred), 2 * 2 / 10.0);
  EXPECT_EQ(StandardError({.mean_s = 2, .scv = 4}), 0) << "taken as certain";
  EXPECT_EQ(StandardError({.mean_s = 2, .scv = 0, .observations = 5}), 0);
}

} // namespace
} // namespace avocet
