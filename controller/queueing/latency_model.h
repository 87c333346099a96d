#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "controller/queueing/gamma_mixture.h"
#include "controller/queueing/load.h"
#include "messages/application.h"
#include "messages/device.h"

namespace avocet {

/// A limit on an application's response time.
struct ResponseLimit {
  size_t app = 0; ///< position in DeviceLoad::apps
  double limit_s = 0;
};

/// What an application wants of its response time.
struct ResponseGoal {
  Statistic statistic = Statistic::kP95;
  double limit_s = 0; ///< > 0
};

/// The applications' goals, in the order of the load; nullopt for one without.
using ResponseGoals = std::vector<std::optional<ResponseGoal>>;

/// Predicted response time of one application. Seconds; meaningless unless the device is stable.
struct AppPrediction {
  AppId app;
  double mean_s = 0;
  double p50_s = 0;
  double p95_s = 0;
  double p99_s = 0;
  double at(Statistic statistic) const;
};

struct DevicePrediction {
  bool stable = false;
  double utilization = 0;          ///< offered load, may exceed 1
  std::vector<AppPrediction> apps; ///< same order as the input; empty when unstable
};

/// Utilizations from here on have no steady state (1, less what rounding may blur).
inline constexpr double kStableUtilization = 1 - 1e-9;

/// The p of a percentile, e.g. 0.95. Requires statistic != kMean.
double ProbabilityOf(Statistic statistic);

/// One application's response time.
struct AppResponse {
  double mean_s = 0;
  GammaMixture distribution; ///< fast; empty for kFifo, where DeviceResponse::exact answers
};

class FifoModel;
class ResponseSample;

/// A device whose queueing model is solved, to be asked several questions. Immutable; cheap to copy.
///
/// The cheap way to judge a device: Solve once, then one MeetsAll with all goals (a mean costs nothing, a percentile
/// far from its limit next to nothing, and those near to it are computed side by side); or Within with all limits.
struct DeviceResponse {
  bool stable = false;
  double utilization = 0;                 ///< offered load, may exceed 1
  std::vector<AppResponse> apps;          ///< same order as the input; empty when unstable
  std::shared_ptr<const FifoModel> exact; ///< kFifo: answers percentiles exactly, at a higher price
  bool rough = false;                     ///< kTimeShared with several models: only a simulation is sure near a limit
  std::shared_ptr<const ResponseSample> simulated; ///< answers everything, where there is one: Refine

  /// The statistic, by the best method there is (a root search for percentiles).
  double At(size_t app, Statistic statistic) const;
  /// At(app, statistic) <= limit_s, without a search, by the best method there is; what is far from the limit
  /// is decided by a bound.
  bool Meets(size_t app, Statistic statistic, double limit_s) const;
  /// Whether every goal is met; false when unstable. Requires as many goals as applications.
  bool MeetsAll(const ResponseGoals& goals) const;
  /// 1 where the goal is met, in the order of the load; an application without a goal meets it while stable.
  std::vector<char> MeetsEach(const ResponseGoals& goals) const;
  /// P(response <= limit_s), by the best method there is.
  double Within(size_t app, double limit_s) const;
  /// Within for each of the limits, for less than one after the other; as many probabilities as limits.
  void Within(std::span<const ResponseLimit> limits, std::span<double> probabilities) const;
  /// The answer of Meets is rough: the limit is nearer than the measured error of the approximation.
  bool IsUnsure(size_t app, Statistic statistic, double limit_s) const;

private:
  std::optional<bool> MeetsCheaply(size_t app, const ResponseGoal& goal) const;
};

/// Solves the model of the load's discipline, one file pair each: fifo_model.h, time_shared_model.h,
/// processor_sharing_model.h, multi_server_model.h. Pure and deterministic.
/// Requires positive rates and service times, finite numbers, cores >= 1.
DeviceResponse Solve(const DeviceLoad& load);

/// Lets a simulation of `requests` requests answer where the response is rough; else changes nothing.
/// Deterministic: the seed is fixed, so that similar loads see the same arrivals. Cost: see Simulate
/// (micro_simulation.h). Requires that `response` is Solve(load).
void Refine(const DeviceLoad& load, DeviceResponse& response, int requests);

/// Predicts every application's response time on a device. Pure and deterministic; the cost grows
/// with the number of distinct models. Formulas and their measured errors: docs/MODELS.md.
DevicePrediction Predict(const DeviceLoad& load);
DevicePrediction PredictionOf(const DeviceLoad& load, const DeviceResponse& response);

/// Offered load: sum of rate times mean service, switches included for kFifo; over the cores.
double Utilization(const DeviceLoad& load);

} // namespace avocet
