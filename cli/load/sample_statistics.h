#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "messages/application.h"
#include "messages/measurement.h"

namespace avocet {

/// 95 % confidence interval, two-sided. `high` is empty where the sample cannot bound it.
struct Interval {
  double low = 0;
  std::optional<double> high;
};

/// A latency sample in short: exact quantiles, intervals as of ConfidenceInterval (from two values
/// on). Seconds; all 0 when empty.
struct SampleSummary {
  uint64_t count = 0;
  double mean_s = 0;
  double p50_s = 0;
  double p90_s = 0;
  double p95_s = 0;
  double p99_s = 0;
  double p999_s = 0;
  double max_s = 0;
  std::optional<Interval> mean_interval_s;
  std::optional<Interval> p50_interval_s;
  std::optional<Interval> p90_interval_s;
  std::optional<Interval> p95_interval_s;
  std::optional<Interval> p99_interval_s;
  std::optional<Interval> p999_interval_s;
  double at(Statistic statistic) const;
};
SampleSummary Summarize(std::span<const double> seconds);

/// Smallest value such that at least a share p of the sample is no larger. Requires a sorted, non-empty sample.
double SortedQuantile(std::span<const double> sorted, double p);

/// Where the statistic of the process behind a sample lies. Successive response times depend on
/// each other, so the error is estimated from kBatches consecutive batches (batch means). It is
/// never less than that of independent values:
/// - mean: m +- t * s(batch means);
/// - quantile p: the order statistics at p -+ t * s(share of values <= the sample's quantile).
/// Values must be in the order of time. nullopt with fewer than two values.
std::optional<Interval> ConfidenceInterval(Statistic statistic, std::span<const double> seconds);

/// What was measured in one stretch of time, e.g. a measurement window.
struct ResponseBatch {
  Moments response;
  LatencySketch sketch;
};

/// The confidence interval from consecutive stretches of time (at least two values in all). With fewer than ten
/// stretches that hold any value, it assumes independent values. The ends of a quantile's interval are widened to the
/// edges of their buckets.
std::optional<Interval> ConfidenceInterval(Statistic statistic, std::span<const ResponseBatch> batches);

inline constexpr int kBatches = 20;    ///< enough for a stable error, few enough to be long
inline constexpr int kMinBatches = 10; ///< fewer say nothing about dependence

} // namespace avocet
