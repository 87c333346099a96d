#pragma once

#include <cstdint>
#include <vector>

#include "controller/latency_model.h"

namespace avocet::testing {

struct SimulationOptions {
  uint64_t seed = 1;
  int requests = 200000; ///< those counted; a tenth more before them are not
};

/// What was observed of one application. Seconds.
struct SimulatedApp {
  double mean_s = 0;
  double p50_s = 0;
  double p95_s = 0;
  double p99_s = 0;
};

/// Plays a load request by request: Poisson arrivals, gamma (or constant) service. Independent of the
/// formulas that it checks: kFifo by Lindley's recursion, kTimeShared and kProcessorSharing by events.
/// Deterministic for a seed. Any cost: a few million requests per second.
std::vector<SimulatedApp> Simulate(const DeviceLoad& load, const SimulationOptions& options = {});

} // namespace avocet::testing
