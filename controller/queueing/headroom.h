#pragma once

#include "controller/queueing/latency_model.h"

namespace avocet {

/// Whether every goal holds. Where the fast model is unsure a simulation of `simulated_requests` decides
/// (0: the fast model).
bool MeetsAll(const DeviceLoad& load, const ResponseGoals& goals, int simulated_requests = 0);

/// The headroom: the largest common factor on all rates with which every goal holds, to 0.1 % below.
/// Without goals, the factor that saturates the device; 0 where some goal cannot be met at any load.
/// Requires a load that is not empty and as many goals as applications.
double LargestRateFactor(const DeviceLoad& load, const ResponseGoals& goals, int simulated_requests = 0);

} // namespace avocet
