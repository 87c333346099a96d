#pragma once

#include <algorithm>
#include <cmath>

#include "controller/queueing/preprocessing.h"
#include "messages/application.h"

namespace avocet {

/// How many spreads above its mean the statistic of a pre-processing time lies. Upper bounds of what a simulation of
/// equal requests on 1 to 8 cores shows at shares of 0.3 to 0.75 (docs/MODELS.md).
inline double ReachOf(Statistic statistic) {
  switch (statistic) {
  case Statistic::kMean:
  case Statistic::kP50:
    return 0;
  case Statistic::kP95:
    return 1.75;
  case Statistic::kP99:
    return 3.4;
  }
  return 0;
}

/// Pre-processing and device one after the other. Their times are independent, so of a percentile the excesses over
/// the means add up like standard deviations: exact for normal times, close for these.
class TwoStages {
public:
  TwoStages(const PreprocessingTime& first, double second_mean_s, Statistic statistic)
      : mean_s_(first.mean_s), device_mean_s_(second_mean_s), excess_s_(ReachOf(statistic) * first.spread_s) {}

  /// The statistic of the sum, given that of the device.
  double Sum(double device_s) const {
    if (excess_s_ == 0) return mean_s_ + device_s;
    return mean_s_ + device_mean_s_ + std::hypot(std::max(device_s - device_mean_s_, 0.0), excess_s_);
  }
  /// What the device may take so that the sum is within the limit; <= 0: nothing will do.
  double DeviceLimit(double limit_s) const {
    if (excess_s_ == 0) return limit_s - mean_s_;
    const double excess = limit_s - mean_s_ - device_mean_s_;
    if (excess < excess_s_) return 0;
    return device_mean_s_ + std::sqrt(excess * excess - excess_s_ * excess_s_);
  }

private:
  double mean_s_, device_mean_s_, excess_s_;
};

} // namespace avocet
