#pragma once

#include <optional>
#include <string>
#include <vector>

#include "controller/queueing/headroom.h"
#include "controller/queueing/latency_model.h"

namespace avocet {

/// A device of a prediction file: its load, and what its applications want.
struct PredictDevice {
  std::string name;
  DeviceLoad load;
  ResponseGoals goals; ///< by application
};

/// Empty members are what the model cannot give.
struct PredictedApp {
  std::string name;
  std::optional<AppPrediction> times; ///< empty without a steady state
  std::optional<ResponseGoal> goal;
  std::optional<bool> objective_met;
  std::optional<double> within_objective; ///< P(response <= limit)
};

struct PredictedDevice {
  std::string name;
  Discipline discipline = Discipline::kFifo;
  double utilization = 0;
  bool stable = false;
  std::string method; ///< "exact", "simulation" or "approximation"
  std::vector<PredictedApp> apps;
  std::optional<double> max_rate_factor; ///< empty without any objective
};

/// Predicts by the best method there is: simulates `simulated_requests` where only an approximation is
/// known (0: takes the approximation). Pure. For the pessimistic end, pass a load AtUpperEnd.
PredictedDevice PredictOne(const PredictDevice& device, int simulated_requests);

} // namespace avocet
