#include "cli/load/sample_statistics.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>

#include <gtest/gtest.h>

namespace avocet {
namespace {

std::vector<double> Exponentials(size_t n, uint64_t seed) {
  std::mt19937_64 random(seed);
  std::exponential_distribution<double> exponential(1);
  std::vector<double> values(n);
  std::generate(values.begin(), values.end(), [&] { return exponential(random); });
  return values;
}

/// Autoregressive: successive values are correlated by `phi`, the mean is 10.
std::vector<double> Correlated(size_t n, double phi, uint64_t seed) {
  std::mt19937_64 random(seed);
  std::normal_distribution<double> normal;
  std::vector<double> values(n);
  double state = normal(random) / std::sqrt(1 - phi * phi);
  for (double& value : values) {
    value = 10 + state;
    state = phi * state + normal(random);
  }
  return values;
}

bool Covers(const std::optional<Interval>& interval, double truth) {
  return interval && interval->low <= truth && (!interval->high || truth <= *interval->high);
}

/// The same values as windows of `size` values each.
std::vector<ResponseBatch> Windows(const std::vector<double>& values, size_t size) {
  std::vector<ResponseBatch> windows((values.size() + size - 1) / size);
  for (size_t i = 0; i < values.size(); ++i) {
    windows[i / size].response.Add(values[i]);
    windows[i / size].sketch.Add(FromSeconds(values[i]));
  }
  return windows;
}

TEST(SortedQuantile, IsTheSmallestValueWithThatShareBelow) {
  std::vector<double> values(100);
  std::iota(values.begin(), values.end(), 1);
  EXPECT_EQ(SortedQuantile(values, 0), 1);
  EXPECT_EQ(SortedQuantile(values, 0.07), 7);
  EXPECT_EQ(SortedQuantile(values, 0.5), 50);
  EXPECT_EQ(SortedQuantile(values, 0.95), 95);
  EXPECT_EQ(SortedQuantile(values, 0.951), 96);
  EXPECT_EQ(SortedQuantile(values, 1), 100);
}

TEST(Summarize, DescribesASample) {
  const std::vector<double> values{0.3, 0.1, 0.2};
  const SampleSummary summary = Summarize(values);
  EXPECT_EQ(summary.count, 3U);
  EXPECT_DOUBLE_EQ(summary.mean_s, 0.2);
  EXPECT_DOUBLE_EQ(summary.at(Statistic::kP50), 0.2);
  EXPECT_DOUBLE_EQ(summary.at(Statistic::kP99), 0.3);
  EXPECT_DOUBLE_EQ(summary.max_s, 0.3);
  ASSERT_TRUE(summary.mean_interval_s);
  // Student's t with 2 degrees of freedom: 4.303 * 0.1 / sqrt(3).
  EXPECT_NEAR(summary.mean_interval_s->low, 0.2 - 0.24841, 1e-4);
}

TEST(Summarize, GivesEveryQuantileTheIntervalOfItsStatistic) {
  const auto values = Correlated(4000, 0.9, 11);
  const SampleSummary summary = Summarize(values);
  EXPECT_LT(summary.p50_s, summary.p90_s);
  EXPECT_LT(summary.p90_s, summary.p95_s);
  EXPECT_LT(summary.p99_s, summary.p999_s);
  EXPECT_LT(summary.p999_s, summary.max_s);
  for (const auto& [statistic, interval] : {std::pair{Statistic::kP50, summary.p50_interval_s},
                                            {Statistic::kP95, summary.p95_interval_s},
                                            {Statistic::kP99, summary.p99_interval_s}}) {
    const auto same = ConfidenceInterval(statistic, std::span<const double>(values));
    ASSERT_TRUE(interval && same);
    EXPECT_EQ(interval->low, same->low);
    EXPECT_EQ(interval->high, same->high);
  }
  EXPECT_TRUE(Covers(summary.p90_interval_s, summary.p90_s));
  EXPECT_TRUE(Covers(summary.p999_interval_s, summary.p999_s));
}

TEST(Summarize, OfNothingIsEmpty) {
  EXPECT_EQ(Summarize({}).count, 0U);
  EXPECT_FALSE(Summarize(std::vector<double>{1}).mean_interval_s);
}

// Coverage of the true value by nominal 95 % intervals over 200 seeds. A binomial share of 0.95
// falls below 0.90 with a probability of 0.002; the seeds are fixed, so the test is deterministic.
template <class Draw> double Coverage(Statistic statistic, double truth, const Draw& draw) {
  int covered = 0;
  constexpr int kRuns = 200;
  for (int seed = 0; seed < kRuns; ++seed)
    covered += Covers(ConfidenceInterval(statistic, std::span<const double>(draw(seed))), truth) ? 1 : 0;
  return covered / double{kRuns};
}

TEST(ConfidenceInterval, CoversIndependentValues) {
  const auto draw = [](int seed) { return Exponentials(600, static_cast<uint64_t>(seed)); };
  EXPECT_GE(Coverage(Statistic::kMean, 1, draw), 0.92);
  EXPECT_GE(Coverage(Statistic::kP50, std::log(2), draw), 0.92);
  EXPECT_GE(Coverage(Statistic::kP95, std::log(20), draw), 0.92);
}

TEST(ConfidenceInterval, CoversCorrelatedValues) {
  const auto draw = [](int seed) { return Correlated(2000, 0.9, static_cast<uint64_t>(seed)); };
  EXPECT_GE(Coverage(Statistic::kMean, 10, draw), 0.90);
  const double sigma = 1 / std::sqrt(1 - 0.81);
  EXPECT_GE(Coverage(Statistic::kP95, 10 + 1.64485 * sigma, draw), 0.90);
}

TEST(ConfidenceInterval, OfCorrelatedValuesIsWiderThanIndependenceWouldSay) {
  const auto values = Correlated(4000, 0.9, 7);
  std::vector<double> shuffled = values;
  std::shuffle(shuffled.begin(), shuffled.end(), std::mt19937_64(1));
  const auto wide = ConfidenceInterval(Statistic::kMean, std::span<const double>(values));
  const auto narrow = ConfidenceInterval(Statistic::kMean, std::span<const double>(shuffled));
  EXPECT_GT(*wide->high - wide->low, 2 * (*narrow->high - narrow->low));
}

TEST(ConfidenceInterval, OfAFewValuesBoundsNoHighQuantile) {
  const auto interval = ConfidenceInterval(Statistic::kP99, std::span<const double>(Exponentials(50, 1)));
  ASSERT_TRUE(interval);
  EXPECT_FALSE(interval->high);
}

TEST(ConfidenceInterval, NeedsTwoValues) {
  EXPECT_FALSE(ConfidenceInterval(Statistic::kMean, std::span<const double>(Exponentials(1, 1))));
  EXPECT_FALSE(ConfidenceInterval(Statistic::kP95, std::span<const ResponseBatch>()));
}

TEST(ConfidenceInterval, OfWindowsAgreesWithThatOfTheValues) {
  auto values = Correlated(4000, 0.9, 3);
  for (double& value : values)
    value *= 1e-3;
  const auto windows = Windows(values, 10); // 400 windows: 20 batches of 200 values, as from the values
  for (Statistic statistic : {Statistic::kMean, Statistic::kP50, Statistic::kP95}) {
    const auto exact = ConfidenceInterval(statistic, std::span<const double>(values));
    const auto binned = ConfidenceInterval(statistic, std::span<const ResponseBatch>(windows));
    // A bucket is 1 % wide; the interval's ends are its edges.
    EXPECT_NEAR(binned->low / exact->low, 1, 0.015) << ToString(statistic);
    EXPECT_NEAR(*binned->high / *exact->high, 1, 0.015) << ToString(statistic);
  }
}

TEST(ConfidenceInterval, OfWindowsIgnoresEmptyOnes) {
  std::vector<ResponseBatch> windows = Windows(Exponentials(300, 5), 10);
  const auto dense = ConfidenceInterval(Statistic::kMean, std::span<const ResponseBatch>(windows));
  windows.insert(windows.begin(), 30, ResponseBatch{});
  const auto sparse = ConfidenceInterval(Statistic::kMean, std::span<const ResponseBatch>(windows));
  EXPECT_NEAR(sparse->low + *sparse->high, dense->low + *dense->high, 1e-9);
}

TEST(ConfidenceInterval, OfOneStretchAssumesIndependence) {
  const auto values = Exponentials(400, 5);
  const auto one = Windows(values, 400);
  const auto interval = ConfidenceInterval(Statistic::kMean, std::span<const ResponseBatch>(one));
  const double half = (*interval->high - interval->low) / 2;
  EXPECT_NEAR(half, 1.966 * std::sqrt(one[0].response.variance() / 400), 1e-3);
}

} // namespace
} // namespace avocet
