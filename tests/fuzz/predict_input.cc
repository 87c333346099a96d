#include "tests/fuzz/predict_input.h"

#include <cmath>

#include "cli/offline/predict.h"
#include "cli/offline/predict_cases.h"
#include "cli/offline/predict_file.h"
#include "controller/queueing/uncertainty.h"

namespace avocet {
namespace {

constexpr auto kFile = "input";
constexpr double kRounding = 1e-6;
/// Larger devices answer as well, but take too long for thousands of runs.
constexpr size_t kMostApps = 12;

std::string ProblemWithError(const Status& status) {
  return status.message().starts_with(kFile) ? "" : "an error does not name its file: " + status.ToString();
}

std::string ProblemWithTimes(const AppPrediction& times) {
  for (const double value : {times.mean_s, times.p50_s, times.p95_s, times.p99_s}) {
    if (!std::isfinite(value) || value < 0) return "a time is not a finite number >= 0";
  }
  const bool ordered = times.p50_s <= times.p95_s * (1 + kRounding) && times.p95_s <= times.p99_s * (1 + kRounding);
  return ordered ? "" : "percentiles are out of order";
}

std::string ProblemWithApp(const PredictedApp& app) {
  const auto problem = app.times ? ProblemWithTimes(*app.times) : "";
  const double within = app.within_objective.value_or(0);
  return within >= 0 && within <= 1 ? problem : "a probability is outside of [0, 1]";
}

std::string ProblemWithDevice(const PredictDevice& device) {
  const auto prediction = PredictOne(device, 0);
  if (!std::isfinite(prediction.utilization)) return "the utilization is not finite";
  for (const auto& app : prediction.apps) {
    if (auto problem = ProblemWithApp(app); !problem.empty()) return problem;
  }
  const double factor = prediction.max_rate_factor.value_or(0);
  return std::isfinite(factor) && factor >= 0 ? "" : "the headroom is not a finite number >= 0";
}

std::string ProblemWithDevices(std::string_view text) {
  const auto devices = ParsePredictFile(text, kFile);
  if (!devices.ok()) return ProblemWithError(devices.status());
  for (const auto& device : *devices) {
    if (device.load.apps.size() > kMostApps) continue;
    if (auto problem = ProblemWithDevice(device); !problem.empty()) return problem;
    const PredictDevice upper{device.name, AtUpperEnd(device.load), device.goals};
    if (auto problem = ProblemWithDevice(upper); !problem.empty()) return problem;
    if (Utilization(upper.load) < Utilization(device.load) * (1 - kRounding)) return "the pessimistic end is lower";
  }
  return "";
}

std::string ProblemWithCases(std::string_view text) {
  const auto cases = ParseCases(text, kFile);
  if (!cases.ok()) return ProblemWithError(cases.status());
  for (const auto& one : *cases) {
    if (one.load.apps.size() > kMostApps) continue;
    for (const auto& mean : AnswerCase(one, 0).mean_s) {
      if (mean && !(std::isfinite(*mean) && *mean > 0)) return "a case's mean is not a finite number > 0";
    }
  }
  return "";
}

} // namespace

std::string ProblemWithPredictInput(std::string_view text) {
  auto problem = ProblemWithDevices(text);
  return problem.empty() ? ProblemWithCases(text) : problem;
}

} // namespace avocet
