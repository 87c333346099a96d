#include "node_agent/scheduling/profiler.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "messages/invariant.h"

namespace avocet {
namespace {

/// Linear interpolation between the order statistics of sorted values.
double Quantile(const std::vector<double>& sorted, double p) {
  const double position = p * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<size_t>(position);
  const size_t above = std::min(below + 1, sorted.size() - 1);
  return sorted[below] + (position - static_cast<double>(below)) * (sorted[above] - sorted[below]);
}

bool MeansNoSwitch(const Status& status) {
  return status.code() == StatusCode::kUnavailable || status.code() == StatusCode::kUnsupported;
}

struct Samples {
  std::vector<double> plain;
  std::vector<double> switched;
  bool can_switch = true;
};

Status AddPair(const RunOnce& run_once, Samples& samples) {
  AVOCET_ASSIGN_OR_RETURN(const auto plain, run_once(false));
  samples.plain.push_back(ToSeconds(plain));
  if (!samples.can_switch) return {};
  const auto switched = run_once(true);
  if (switched.ok()) samples.switched.push_back(ToSeconds(*switched));
  samples.can_switch = switched.ok() || !MeansNoSwitch(switched.status());
  return samples.can_switch ? switched.status() : Status{};
}

ServiceProfile Summarize(const Samples& samples, double fence) {
  ServiceProfile profile;
  const MeanAndScv plain = RobustMoments(samples.plain, fence);
  profile.service_mean = std::max(FromSeconds(plain.mean), Duration(1));
  profile.service_scv = plain.scv;
  profile.runs = static_cast<uint32_t>(samples.plain.size());
  if (samples.switched.empty()) return profile;
  profile.switch_measured = true;
  profile.switch_overhead = FromSeconds(std::max(0.0, RobustMoments(samples.switched, fence).mean - plain.mean));
  return profile;
}

} // namespace

Status Validate(const ProfileOptions& options) {
  if (options.min_runs < 1 || options.min_runs > options.runs)
    return InvalidArgument("profile min_runs must be 1.." + std::to_string(options.runs) + " (runs)");
  if (options.max_time <= Duration{}) return InvalidArgument("profile max_time must be > 0");
  if (!(options.outlier_fence > 0)) return InvalidArgument("profile outlier_fence must be > 0");
  return {};
}

MeanAndScv RobustMoments(std::vector<double> values, double fence) {
  // Winsorized, not trimmed: an outlier becomes the fence, so that rare slow runs still count.
  std::sort(values.begin(), values.end());
  AVOCET_CHECK(!values.empty() && values.front() >= 0);
  const double q1 = Quantile(values, 0.25);
  const double q3 = Quantile(values, 0.75);
  const double limit = q3 + fence * (q3 - q1);

  const auto n = static_cast<double>(values.size());
  // The mean of what was limited, so that both moments describe one distribution.
  double sum = 0;
  for (double& value : values)
    sum += value = std::min(value, limit);
  const double mean = sum / n;
  if (values.size() < 2 || mean <= 0) return {mean, 0};

  double squares = 0;
  for (const double value : values)
    squares += (value - mean) * (value - mean);
  return {mean, squares / (n - 1) / (mean * mean)};
}

Result<ServiceProfile> MeasureService(const RunOnce& run_once, const ProfileOptions& options, const ReadClock& now) {
  AVOCET_RETURN_IF_ERROR(Validate(options));
  const MonotonicTime end = now() + options.max_time;
  for (uint32_t i = 0; i < options.warm_up_runs && now() < end; ++i)
    if (const auto warm_up = run_once(false); !warm_up.ok()) return warm_up.status();
  Samples samples;
  while (samples.plain.size() < options.runs && now() < end)
    AVOCET_RETURN_IF_ERROR(AddPair(run_once, samples));
  if (samples.plain.size() < options.min_runs)
    return DeadlineExceeded("only " + std::to_string(samples.plain.size()) + " of " + std::to_string(options.min_runs) +
                            " profile runs fitted into " + std::to_string(ToSeconds(options.max_time)) + " s");
  return Summarize(samples, options.outlier_fence);
}

} // namespace avocet
