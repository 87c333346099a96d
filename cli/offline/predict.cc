#include "cli/offline/predict.h"

#include <algorithm>

namespace avocet {
namespace {

/// Of each step of the search for the headroom.
constexpr int kMaxHeadroomRequests = 50000;

std::string MethodOf(const DeviceLoad& load, const DeviceResponse& response) {
  if (response.simulated) return "simulation";
  if (response.exact) return "exact";
  return load.discipline == Discipline::kTimeShared && !response.rough ? "exact" : "approximation";
}

PredictedApp AppOf(const PredictDevice& device, const DeviceResponse& response, const DevicePrediction& times,
                   size_t i) {
  PredictedApp app{.name = device.load.apps[i].app.str(),
                   .times = std::nullopt,
                   .goal = device.goals[i],
                   .objective_met = std::nullopt,
                   .within_objective = std::nullopt};
  if (app.goal) app.objective_met = response.stable && response.Meets(i, app.goal->statistic, app.goal->limit_s);
  if (!response.stable) return app;
  app.times = times.apps[i];
  if (app.goal) app.within_objective = response.Within(i, app.goal->limit_s);
  return app;
}

} // namespace

PredictedDevice PredictOne(const PredictDevice& device, int simulated_requests) {
  DeviceResponse response = Solve(device.load);
  // The simulation replaces only what the models approximate.
  if (simulated_requests > 0) Refine(device.load, response, simulated_requests);
  PredictedDevice result{.name = device.name,
                         .discipline = device.load.discipline,
                         .utilization = response.utilization,
                         .stable = response.stable,
                         .method = MethodOf(device.load, response),
                         .apps = {},
                         .max_rate_factor = std::nullopt};

  const DevicePrediction times = PredictionOf(device.load, response);
  for (size_t i = 0; i < device.load.apps.size(); ++i)
    result.apps.push_back(AppOf(device, response, times, i));

  // Each rate that the search tries is a simulation of its own, so these are shorter.
  const bool has_goal =
      std::any_of(device.goals.begin(), device.goals.end(), [](const auto& g) { return g.has_value(); });
  const int requests = std::min(simulated_requests, kMaxHeadroomRequests);
  if (has_goal) result.max_rate_factor = LargestRateFactor(device.load, device.goals, requests);
  return result;
}

} // namespace avocet
