#include "cli/load/sample_statistics.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include <boost/math/distributions/students_t.hpp>

#include "messages/invariant.h"

namespace avocet {
namespace {

/// The share of a statistic that is a quantile; empty for the mean.
std::optional<double> ShareOf(Statistic statistic) {
  switch (statistic) {
  case Statistic::kMean:
    return std::nullopt;
  case Statistic::kP50:
    return 0.50;
  case Statistic::kP95:
    return 0.95;
  case Statistic::kP99:
    return 0.99;
  }
  return std::nullopt;
}

double StudentT(double degrees_of_freedom) {
  return boost::math::quantile(boost::math::students_t(std::max(1.0, degrees_of_freedom)), 0.975);
}

/// Number of values of a batch and the sum of what is averaged over them.
struct Batch {
  double count = 0;
  double sum = 0;
};

/// Half the width of the interval around sum/count over all batches: the ratio estimator, since
/// batches of windows hold different numbers of values. `independent_variance` of a single value
/// is the floor of the error.
double HalfWidth(std::span<const Batch> batches, double independent_variance) {
  double count = 0, sum = 0, squares = 0;
  for (const Batch& batch : batches) {
    count += batch.count;
    sum += batch.sum;
  }
  const double independent = std::sqrt(independent_variance / count) * StudentT(count - 1);
  const auto k = static_cast<double>(batches.size());
  if (k < kMinBatches) return independent;
  for (const Batch& batch : batches)
    squares += std::pow(batch.sum - sum / count * batch.count, 2);
  return std::max(independent, std::sqrt(squares * k / (k - 1)) / count * StudentT(k - 1));
}

/// Cuts `size` things into at most kBatches runs of equal length and calls `add(index, batch)`.
template <class Add> std::vector<Batch> MakeBatches(size_t size, const Add& add) {
  const size_t k = std::min<size_t>(kBatches, size);
  std::vector<Batch> batches(k);
  for (size_t i = 0; i < size; ++i)
    add(i, batches[i * k / size]);
  std::erase_if(batches, [](const Batch& batch) { return batch.count == 0; });
  return batches;
}

double Variance(std::span<const double> values, double mean) {
  double squares = 0;
  for (double value : values)
    squares += (value - mean) * (value - mean);
  return squares / static_cast<double>(values.size() - 1);
}

double Mean(std::span<const double> values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

Interval MeanInterval(std::span<const double> values) {
  const double mean = Mean(values);
  const auto batches = MakeBatches(values.size(), [&](size_t i, Batch& batch) {
    batch.count += 1;
    batch.sum += values[i];
  });
  const double half = HalfWidth(batches, Variance(values, mean));
  return {mean - half, mean + half};
}

std::vector<double> Sorted(std::span<const double> values) {
  std::vector<double> sorted(values.begin(), values.end());
  std::sort(sorted.begin(), sorted.end());
  return sorted;
}

Interval QuantileInterval(std::span<const double> values, std::span<const double> sorted, double p) {
  const double quantile = SortedQuantile(sorted, p);
  const auto batches = MakeBatches(values.size(), [&](size_t i, Batch& batch) {
    batch.count += 1;
    batch.sum += values[i] <= quantile ? 1 : 0;
  });
  const double half = HalfWidth(batches, p * (1 - p));
  Interval interval;
  interval.low = p - half > 0 ? SortedQuantile(sorted, p - half) : 0;
  if (p + half < 1) interval.high = SortedQuantile(sorted, p + half);
  return interval;
}

// ---- from windows ----

ResponseBatch Total(std::span<const ResponseBatch> batches) {
  ResponseBatch total;
  for (const ResponseBatch& batch : batches) {
    total.response.Merge(batch.response);
    total.sketch.Merge(batch.sketch);
  }
  return total;
}

Interval MeanInterval(std::span<const ResponseBatch> windows, const Moments& total) {
  const auto batches = MakeBatches(windows.size(), [&](size_t i, Batch& batch) {
    batch.count += static_cast<double>(windows[i].response.count);
    batch.sum += windows[i].response.sum;
  });
  const double half = HalfWidth(batches, total.variance());
  return {total.mean() - half, total.mean() + half};
}

Interval QuantileInterval(std::span<const ResponseBatch> windows, const LatencySketch& total, double p) {
  const auto bucket_of = [&total](double share) { return total.QuantileBucket(share).value_or(0); };
  const int quantile = bucket_of(p);
  const auto batches = MakeBatches(windows.size(), [&](size_t i, Batch& batch) {
    batch.count += static_cast<double>(windows[i].sketch.total());
    batch.sum += static_cast<double>(windows[i].sketch.CountUpTo(quantile));
  });
  const double half = HalfWidth(batches, p * (1 - p));
  Interval interval;
  // The first bucket also holds what is below it.
  const int low = p - half > 0 ? bucket_of(p - half) : 0;
  interval.low = low > 0 ? LatencySketch::LowerEdgeSeconds(low) : 0;
  if (p + half < 1) interval.high = LatencySketch::LowerEdgeSeconds(bucket_of(p + half) + 1);
  return interval;
}

} // namespace

double SampleSummary::at(Statistic statistic) const {
  switch (statistic) {
  case Statistic::kMean:
    return mean_s;
  case Statistic::kP50:
    return p50_s;
  case Statistic::kP95:
    return p95_s;
  case Statistic::kP99:
    return p99_s;
  }
  return mean_s;
}

double SortedQuantile(std::span<const double> sorted, double p) {
  AVOCET_CHECK(!sorted.empty());
  const double rank = std::ceil(p * static_cast<double>(sorted.size()) * (1 - 1e-12));
  return sorted[static_cast<size_t>(std::clamp(rank, 1.0, static_cast<double>(sorted.size()))) - 1];
}

SampleSummary Summarize(std::span<const double> seconds) {
  SampleSummary summary;
  if (seconds.empty()) return summary;
  // Sorted once for all quantiles. Intervals also need the original order, in which batches are cut.
  const std::vector<double> sorted = Sorted(seconds);

  const auto quantile = [&](double p, double& value, std::optional<Interval>& interval) {
    value = SortedQuantile(sorted, p);
    // Two values are the fewest that can vary.
    if (seconds.size() >= 2) interval = QuantileInterval(seconds, sorted, p);
  };

  summary.count = seconds.size();
  summary.mean_s = Mean(seconds);
  summary.mean_interval_s = ConfidenceInterval(Statistic::kMean, seconds);
  quantile(0.50, summary.p50_s, summary.p50_interval_s);
  quantile(0.90, summary.p90_s, summary.p90_interval_s);
  quantile(0.95, summary.p95_s, summary.p95_interval_s);
  quantile(0.99, summary.p99_s, summary.p99_interval_s);
  quantile(0.999, summary.p999_s, summary.p999_interval_s);

  summary.max_s = sorted.back();
  return summary;
}

std::optional<Interval> ConfidenceInterval(Statistic statistic, std::span<const double> seconds) {
  if (seconds.size() < 2) return std::nullopt;
  const auto share = ShareOf(statistic);
  return share ? QuantileInterval(seconds, Sorted(seconds), *share) : MeanInterval(seconds);
}

std::optional<Interval> ConfidenceInterval(Statistic statistic, std::span<const ResponseBatch> batches) {
  const ResponseBatch total = Total(batches);
  if (total.response.count < 2 || total.sketch.total() < 2) return std::nullopt;
  const auto share = ShareOf(statistic);
  return share ? QuantileInterval(batches, total.sketch, *share) : MeanInterval(batches, total.response);
}

} // namespace avocet
