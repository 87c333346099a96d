#pragma once

#include <span>

#include "controller/queueing/preprocessing.h"
#include "messages/application.h"

namespace avocet {

/// What an application's response time is made of, to tell how it grows with the load.
struct RateGrowth {
  Statistic statistic = Statistic::kP95;
  double limit_s = 0;      ///< of pre-processing and device together
  double preprocess_s = 0; ///< on cores of speed 1
  double bare_s = 0;       ///< mean on the device without the wait: service and switches
  double service_sd_s = 0; ///< standard deviation of the service time
  double mean_wait_s = 0;  ///< on the device, at the rates as they are
  double latency_s = 0;    ///< the statistic on the device, at the rates as they are
};

/// Estimates the largest common factor on all rates with which every limit holds, from one solution of the models:
/// with r the utilization, waits are taken to grow like those of M/G/1, the mean as r / (1 - r), which is exact there
/// and for equal sharing, and percentiles as log(1 + r / (1 - p)) / (1 - r), the tail of heavy traffic. Bounded by
/// saturation of the device and, where some pre-process, of the cores. To 0.1 % of that bound; some us. Error:
/// docs/PLACEMENT.md.
double EstimatedRateFactor(std::span<const RateGrowth> apps, double utilization, const Preprocessing& cores);

} // namespace avocet
