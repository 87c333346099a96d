#pragma once

#include <vector>

#include "controller/queueing/micro_simulation.h"

namespace avocet {

/// What was observed of one application. Seconds.
struct SimulatedApp {
  double mean_s = 0;
  double p50_s = 0;
  double p95_s = 0;
  double p99_s = 0;
};

/// The usual statistics of Simulate.
std::vector<SimulatedApp> SimulatedApps(const DeviceLoad& load, const SimulationOptions& options = {});

} // namespace avocet
