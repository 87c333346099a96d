#include "tests/controller/queueing/queue_simulator.h"

namespace avocet {

std::vector<SimulatedApp> SimulatedApps(const DeviceLoad& load, const SimulationOptions& options) {
  const auto sample = Simulate(load, options);
  std::vector<SimulatedApp> apps;
  for (size_t i = 0; i < load.apps.size(); ++i)
    apps.push_back({sample.Mean(i), sample.Quantile(i, 0.5), sample.Quantile(i, 0.95), sample.Quantile(i, 0.99)});
  return apps;
}

} // namespace avocet
