#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "messages/status.h"
#include "messages/units.h"

namespace avocet {

struct ProfileOptions {
  uint32_t warm_up_runs = 3;                    ///< not counted; caches and clocks settle, >= 0
  uint32_t runs = 50;                           ///< of each kind (same model, after another), >= 1
  uint32_t min_runs = 5;                        ///< fewer are an error, 1..runs
  Duration max_time = std::chrono::seconds(20); ///< then no further run begins, > 0
  double outlier_fence = 6;                     ///< interquartile ranges above the third quartile, > 0
};

Status Validate(const ProfileOptions& options);

/// Moments of a model's service time on an otherwise idle device.
struct ServiceProfile {
  Duration service_mean{};
  double service_scv = 0;
  Duration switch_overhead{};   ///< mean extra after a run of another model, >= 0
  bool switch_measured = false; ///< false: no other model to switch from, overhead is 0
  uint32_t runs = 0;            ///< behind service_mean
};

/// Runs the model once and returns the service attained; with `switched`, right after the device has
/// run another model. kUnavailable or kUnsupported for `switched` means that there is no switch to measure.
using RunOnce = std::function<Result<Duration>(bool switched)>;
using ReadClock = std::function<MonotonicTime()>;

/// Warms up, then alternates plain and switched runs, so that a drifting clock speed hits both alike,
/// until there are enough or the time is over. kDeadlineExceeded when fewer than min_runs fitted;
/// errors of a run are passed on.
Result<ServiceProfile> MeasureService(const RunOnce& run_once, const ProfileOptions& options,
                                      const ReadClock& now = MonotonicTime::clock::now);

struct MeanAndScv {
  double mean = 0;
  double scv = 0;
};

/// Mean and squared coefficient of variation with values above Q3 + fence * IQR lowered to that
/// limit: a stall of the host is no property of the model, but a skewed service time is, and stays
/// (of an exponential, a fence of 6 touches 3 values in 10,000). Requires a value, all >= 0.
MeanAndScv RobustMoments(std::vector<double> values, double fence);

} // namespace avocet
