#include "messages/measurement.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "messages/reports.h"
#include "tests/support/arbitrary.h"

namespace avocet {
namespace {

constexpr double kBucketError = 0.045;
constexpr auto kOneOver = Duration(1'000'000'000'000); // 1000 s, above the last bucket

rc::Gen<std::vector<Duration>> Latencies() {
  // Log-uniform from 1 us to 200 s: every bucket comes up.
  const auto exponent = DoubleBetween(-6, std::log10(200.0));
  return rc::gen::resize(300, rc::gen::container<std::vector<Duration>>(
                                  rc::gen::map(exponent, [](double e) { return FromSeconds(std::pow(10.0, e)); })));
}

LatencyHistogram HistogramOf(const std::vector<Duration>& values) {
  LatencyHistogram histogram;
  for (const Duration value : values)
    histogram.Add(value);
  return histogram;
}

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

TEST(LatencyHistogram, IsEmptyAtFirst) {
  EXPECT_EQ(LatencyHistogram().total(), 0U);
  EXPECT_FALSE(LatencyHistogram().Quantile(0.5).has_value());
}

TEST(LatencyHistogram, BucketsBeginAtTheirLowerBound) {
  const std::vector<std::pair<Duration, size_t>> cases = {
      {Duration(1000), 0}, {Duration(1090), 0},  {Duration(1091), 1},       {Duration(1999), 7},
      {Duration(2000), 8}, {Duration(4000), 16}, {Duration(1'024'000), 80}, {Duration(1'023'999), 79},
  };
  for (const auto& [value, bucket] : cases) {
    EXPECT_EQ(HistogramOf({value}).counts()[bucket], 1U) << value.count() << " ns, bucket " << bucket;
  }
}

TEST(LatencyHistogram, CountsValuesOutOfRangeAtTheEnds) {
  const auto histogram =
      HistogramOf({Duration(-5), Duration(0), Duration(1), Duration(999), kOneOver, Duration::max()});
  EXPECT_EQ(histogram.counts().front(), 4U);
  EXPECT_EQ(histogram.counts().back(), 2U);
  EXPECT_EQ(histogram.total(), 6U);
}

RC_GTEST_PROP(LatencyHistogram, QuantileIsWithinTheBucketError, ()) {
  auto values = *rc::gen::nonEmpty(Latencies());
  const auto percent = static_cast<size_t>(*rc::gen::inRange(0, 101));
  std::sort(values.begin(), values.end());
  // The smallest value with at least `percent` of the sample at or below it, in integers.
  const size_t rank = std::max<size_t>(1, (percent * values.size() + 99) / 100);
  const double exact = ToSeconds(values[rank - 1]);
  const double estimate = ToSeconds(*HistogramOf(values).Quantile(static_cast<double>(percent) / 100));
  RC_ASSERT(std::abs(estimate - exact) <= kBucketError * exact);
}

TEST(LatencyHistogram, QuantileIsNotOffByOneWhereTheProductRoundsUp) {
  ASSERT_GT(0.07 * 100, 7); // and yet the 7th of 100 values is meant
  LatencyHistogram histogram;
  histogram.AddToBucket(10, 7);
  histogram.AddToBucket(20, 93);
  LatencyHistogram seven;
  seven.AddToBucket(10, 7);
  EXPECT_EQ(histogram.Quantile(0.07), seven.Quantile(1));
}

TEST(LatencyHistogram, QuantileClampsItsArgument) {
  const auto histogram = HistogramOf({std::chrono::milliseconds(1), std::chrono::seconds(1)});
  EXPECT_EQ(histogram.Quantile(-1), histogram.Quantile(0));
  EXPECT_EQ(histogram.Quantile(2), histogram.Quantile(1));
  EXPECT_LT(histogram.Quantile(0), histogram.Quantile(1));
}

RC_GTEST_PROP(LatencyHistogram, MergeEqualsOneSample, ()) {
  const auto left = *Latencies();
  const auto right = *Latencies();
  auto both = left;
  both.insert(both.end(), right.begin(), right.end());
  LatencyHistogram merged = HistogramOf(left);
  merged.Merge(HistogramOf(right));
  RC_ASSERT(merged.total() == both.size());
  RC_ASSERT(merged == HistogramOf(both));
}

TEST(LatencyHistogram, AddToBucketChecksItsIndexAndSaturates) {
  LatencyHistogram histogram;
  EXPECT_FALSE(histogram.AddToBucket(-1, 1));
  EXPECT_FALSE(histogram.AddToBucket(LatencyHistogram::kBuckets, 1));
  EXPECT_EQ(histogram.total(), 0U);
  constexpr uint32_t kFull = std::numeric_limits<uint32_t>::max();
  EXPECT_TRUE(histogram.AddToBucket(LatencyHistogram::kBuckets - 1, kFull - 1));
  EXPECT_TRUE(histogram.AddToBucket(LatencyHistogram::kBuckets - 1, 2));
  EXPECT_EQ(histogram.counts().back(), kFull);
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
    window.response_histogram.Add(std::chrono::milliseconds(500));
    totals.Add(window);
    completions += count;
    ++observed;
  }
  RC_ASSERT(totals.completions == completions);
  RC_ASSERT(totals.arrivals == completions + 3 * observed);
  RC_ASSERT(totals.failures == 2 * observed);
  RC_ASSERT(totals.refusals == observed);
  RC_ASSERT(totals.response.count == observed);
  RC_ASSERT(totals.response_histogram.total() == observed);
}

} // namespace
} // namespace avocet
