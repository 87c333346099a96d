#include "messages/measurement.h"

#include <algorithm>
#include <cmath>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "messages/reports.h"
#include "tests/support/arbitrary.h"

namespace avocet {
namespace {

TEST(Moments, OfAnEmptySampleAreZero) {
  const Moments moments;
  EXPECT_EQ(moments.mean(), 0);
  EXPECT_EQ(moments.variance(), 0);
  EXPECT_EQ(moments.scv(), 0);
}

TEST(Moments, OfASmallSampleAreExact) {
  Moments moments;
  for (const double value : {1.0, 2.0, 3.0, 6.0})
    moments.Add(value);
  EXPECT_EQ(moments.count, 4U);
  EXPECT_DOUBLE_EQ(moments.mean(), 3);
  EXPECT_DOUBLE_EQ(moments.variance(), 3.5);
  EXPECT_DOUBLE_EQ(moments.scv(), 3.5 / 9);
}

TEST(Moments, VarianceIsNeverNegative) {
  Moments moments;
  for (int i = 0; i < 1000; ++i)
    moments.Add(0.1); // sum2 / n - mean^2 is about -1e-17 here
  EXPECT_LT(moments.sum2 / 1000 - moments.mean() * moments.mean(), 1e-15);
  EXPECT_GE(moments.variance(), 0);
  moments = {.count = 2, .sum = 2, .sum2 = 1.5};
  EXPECT_EQ(moments.variance(), 0);
}

RC_GTEST_PROP(Moments, MergeEqualsOnePass, (const std::vector<uint16_t>& left, const std::vector<uint16_t>& right)) {
  // Multiples of 2^-10: the sums are exact, so the order of addition must not show.
  Moments merged;
  Moments other;
  Moments one_pass;
  for (const uint16_t value : left)
    merged.Add(value / 1024.0);
  for (const uint16_t value : right)
    other.Add(value / 1024.0);
  for (const auto* sample : {&left, &right}) {
    for (const uint16_t value : *sample)
      one_pass.Add(value / 1024.0);
  }
  merged.Merge(other);
  RC_ASSERT(merged.count == left.size() + right.size());
  RC_ASSERT(merged == one_pass);
}

RC_GTEST_PROP(Moments, VarianceEqualsTwoPass, ()) {
  const auto sample = *rc::gen::nonEmpty(rc::gen::container<std::vector<double>>(DoubleBetween(0.001, 1)));
  Moments moments;
  for (const double value : sample)
    moments.Add(value);
  double squares = 0;
  for (const double value : sample)
    squares += (value - moments.mean()) * (value - moments.mean());
  RC_ASSERT(std::abs(moments.variance() - squares / static_cast<double>(sample.size())) < 1e-12);
}

RC_GTEST_PROP(AppTotals, AddUpWindows, ()) {
  AppTotals totals;
  uint64_t completions = 0;
  uint64_t observed = 0;
  const auto windows = *rc::gen::container<std::vector<uint16_t>>(rc::gen::arbitrary<uint16_t>());
  for (const uint16_t count : windows) {
    AppWindow window;
    window.arrivals = count + 3U;
    window.completions = count;
    window.failures = 2;
    window.refusals = 1;
    window.response.Add(0.5);
    window.response_sketch.Add(std::chrono::milliseconds(500));
    window.expired = 1;
    totals.Add(window, std::chrono::milliseconds(200));
    completions += count;
    ++observed;
  }
  RC_ASSERT(totals.completions == completions);
  RC_ASSERT(totals.arrivals == completions + 3 * observed);
  RC_ASSERT(totals.failures == 2 * observed);
  RC_ASSERT(totals.refusals == observed);
  RC_ASSERT(totals.expired == observed);
  RC_ASSERT(totals.measured == observed * std::chrono::milliseconds(200));
  RC_ASSERT(totals.response.count == observed);
  RC_ASSERT(totals.response_sketch.total() == observed);
}

TEST(AppTotals, LengthsOfTimeDoNotOverflow) {
  AppTotals totals;
  totals.Add({}, Duration::max());
  totals.Add({}, Duration::max());
  totals.Merge(totals);
  EXPECT_EQ(totals.measured, Duration::max());
}

} // namespace
} // namespace avocet
