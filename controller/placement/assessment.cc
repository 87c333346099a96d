#include "controller/placement/assessment.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "controller/queueing/fifo_classes.h"
#include "controller/queueing/fifo_model.h"
#include "controller/queueing/rate_growth.h"
#include "controller/queueing/two_stages.h"

namespace avocet {
namespace {

/// Predictions close to saturation exceed what a Duration can hold.
constexpr double kMaxSeconds = 1e9;
/// Of a latency that is shown, well below the error of the approximation.
constexpr double kFastTolerance = 1e-4;
/// Of a simulation that confirms a decision: p95 to about 3 %, well below the margins of admission.
constexpr int kSimulatedRequests = 50000;

double MeanOf(const DeviceResponse& response, size_t i) {
  return response.At(i, Statistic::kMean);
}

/// Applications of one model with the same statistic and pre-processing have the same prediction.
bool AreAlike(const Tenancy& t, size_t i, size_t j) {
  return t.tenants[i].goal.statistic == t.tenants[j].goal.statistic &&
         t.tenants[i].goal.preprocess_s == t.tenants[j].goal.preprocess_s &&
         t.load.apps[i].model == t.load.apps[j].model;
}

/// What the device's responses may take, of a stable one; nullopt for who waits for cores that do not keep up.
ResponseGoals DeviceGoals(const Tenancy& t, const DeviceResponse& response) {
  ResponseGoals goals(t.tenants.size());
  for (size_t i = 0; i < goals.size(); ++i) {
    const Goal& goal = t.tenants[i].goal;
    const auto time = t.preprocessing.TimeOf(goal.preprocess_s);
    if (!time) continue;
    const TwoStages stages(*time, MeanOf(response, i), goal.statistic);
    goals[i] = ResponseGoal{goal.statistic, stages.DeviceLimit(goal.limit_s)};
  }
  return goals;
}

bool KeepsAll(const Tenancy& t, const DeviceResponse& response) {
  if (!response.stable) return false;
  const ResponseGoals goals = DeviceGoals(t, response);
  return std::all_of(goals.begin(), goals.end(), [](const auto& goal) { return goal.has_value(); }) &&
         response.MeetsAll(goals);
}

/// Whether means alone count, and a mean wait can be bounded without solving the model.
bool CanBeBounded(const Tenancy& t) {
  return t.load.discipline == Discipline::kFifo && !t.tenants.empty() &&
         std::all_of(t.tenants.begin(), t.tenants.end(),
                     [](const Tenant& one) { return one.goal.statistic == Statistic::kMean; }) &&
         std::all_of(t.load.apps.begin(), t.load.apps.end(), [](const AppLoad& app) { return app.arrival_scv <= 1; });
}

/// What is known of a FIFO device with mean goals without solving its model.
class FifoMeanBounds {
public:
  explicit FifoMeanBounds(const DeviceLoad& load)
      : groups_(GroupByModel(load)), classes_(FifoClassesOf(load, groups_)), utilization_(OfferedLoad(classes_)) {}

  double utilization() const { return utilization_; }

  /// nullopt: the limits are too near.
  std::optional<bool> KeepsAll(const Tenancy& t) const {
    if (utilization_ >= kStableUtilization) return false;

    // Bounds of the mean wait need no linear system: they settle nearly all devices that are far from their limits.
    const auto [least_s, most_s] = MeanWaitBounds(classes_);
    bool all = true;
    for (size_t i = 0; i < t.tenants.size(); ++i) {
      // The test of the cores comes first: without enough of them no wait on the device matters.
      const auto time = t.preprocessing.TimeOf(t.tenants[i].goal.preprocess_s);
      if (!time) return false;

      const AppLoad& app = t.load.apps[i];
      const double switches = classes_.size() > 1 ? 1 - classes_[groups_.group_of[i]].share : 0;
      const double bare = time->mean_s + app.service.mean_s + switches * app.switch_s + app.tail_s;

      // Relative margins keep the answer that of the full model where rounding would change it.
      if (bare + least_s > t.tenants[i].goal.limit_s * (1 + 1e-9)) return false;
      all = all && bare + most_s <= t.tenants[i].goal.limit_s * (1 - 1e-9);
    }

    return all ? std::optional(true) : std::nullopt;
  }

private:
  ModelGroups groups_;
  ShortList<FifoClass> classes_;
  double utilization_;
};

enum class Display { kNone, kFast, kExact };

class Assessor {
public:
  Assessor(const Tenancy& tenancy, DeviceResponse response, Display display)
      : t_(tenancy), response_(std::move(response)), display_(display) {
    if (!response_.stable) return;
    goals_ = DeviceGoals(t_, response_);
    kept_ = response_.MeetsEach(goals_);
  }

  Assessment Run() const {
    Assessment result{response_.stable, response_.utilization, std::vector<GoalAnswer>(t_.tenants.size()), 0};
    for (size_t i = 0; i < goals_.size(); ++i) {
      if (goals_[i]) result.answers[i] = Answer(i, LatencyOf(i, result.answers));
    }
    if (display_ != Display::kNone) result.rate_factor = RateFactor(result);
    return result;
  }

private:
  bool IsExact(size_t i) const {
    return display_ == Display::kExact || goals_[i]->statistic == Statistic::kMean || response_.simulated;
  }

  /// Of the first one alike, if there is one.
  double LatencyOf(size_t i, const std::vector<GoalAnswer>& earlier) const {
    if (display_ == Display::kNone) return 0;
    for (size_t j = 0; j < i; ++j) {
      if (AreAlike(t_, i, j)) return earlier[j].latency_s;
    }
    const Goal& goal = t_.tenants[i].goal;
    const TwoStages stages(*t_.preprocessing.TimeOf(goal.preprocess_s), MeanOf(response_, i), goal.statistic);
    return std::min(stages.Sum(IsExact(i) ? response_.At(i, goal.statistic) : FastPercentile(i)), kMaxSeconds);
  }

  GoalAnswer Answer(size_t i, double latency_s) const {
    const auto& [statistic, limit_s] = *goals_[i];
    return {.latency_s = latency_s,
            .bounded = true,
            .kept = limit_s > 0 && kept_[i] != 0,
            .fast = !IsExact(i) && response_.exact != nullptr,
            .unsure = limit_s > 0 && response_.IsUnsure(i, statistic, limit_s)};
  }

  double FastPercentile(size_t i) const {
    const double p = ProbabilityOf(t_.tenants[i].goal.statistic);
    return response_.exact ? response_.exact->Approximate(i).Quantile(p, kFastTolerance)
                           : response_.apps[i].distribution.Quantile(p, kFastTolerance);
  }

  double RateFactor(const Assessment& result) const {
    ShortList<RateGrowth> apps;
    for (size_t i = 0; i < t_.tenants.size(); ++i) {
      if (!result.answers[i].bounded) return 0;
      apps.push_back(GrowthOf(i, result.answers[i]));
    }
    return EstimatedRateFactor({apps.data(), apps.size()}, result.utilization, t_.preprocessing);
  }

  RateGrowth GrowthOf(size_t i, const GoalAnswer& answer) const {
    const Goal& goal = t_.tenants[i].goal;
    const ServiceTime& service = t_.load.apps[i].service;
    const double mean = MeanOf(response_, i);
    const double wait = response_.exact ? response_.exact->MeanWait() : std::max(mean - service.mean_s, 0.0);
    const TwoStages stages(*t_.preprocessing.TimeOf(goal.preprocess_s), mean, goal.statistic);
    return {.statistic = goal.statistic,
            .limit_s = goal.limit_s,
            .preprocess_s = goal.preprocess_s,
            .bare_s = mean - wait,
            .service_sd_s = std::sqrt(service.scv) * service.mean_s,
            .mean_wait_s = wait,
            .latency_s = stages.DeviceLimit(answer.latency_s)};
  }

  const Tenancy& t_;
  DeviceResponse response_;
  Display display_;
  ResponseGoals goals_;    ///< empty unless stable
  std::vector<char> kept_; ///< as goals_
};

} // namespace

bool Assessment::AllKept() const {
  return stable && std::all_of(answers.begin(), answers.end(), [](const GoalAnswer& a) { return a.kept; });
}

bool Assessment::AnyUnsure() const {
  return std::any_of(answers.begin(), answers.end(), [](const GoalAnswer& a) { return a.unsure; });
}

Assessment Assess(const Tenancy& tenancy) {
  return Assessor(tenancy, Solve(tenancy.load), Display::kFast).Run();
}

Assessment AssessGoals(const Tenancy& tenancy) {
  return Assessor(tenancy, Solve(tenancy.load), Display::kNone).Run();
}

Assessment AssessExactly(const Tenancy& tenancy) {
  return Assessor(tenancy, Solve(tenancy.load), Display::kExact).Run();
}

Assessment AssessBySimulation(const Tenancy& tenancy) {
  DeviceResponse response = Solve(tenancy.load);
  Refine(tenancy.load, response, kSimulatedRequests);
  return Assessor(tenancy, std::move(response), Display::kExact).Run();
}

bool KeepsGoals(const Tenancy& tenancy, double max_utilization) {
  if (CanBeBounded(tenancy)) {
    const FifoMeanBounds bounds(tenancy.load);
    if (bounds.utilization() > max_utilization * (1 + 1e-9)) return false;
    const bool bounded = bounds.utilization() <= max_utilization * (1 - 1e-9);
    if (const auto kept = bounds.KeepsAll(tenancy); kept && (bounded || !*kept)) return *kept;
  }
  return Utilization(tenancy.load) <= max_utilization && KeepsAll(tenancy, Solve(tenancy.load));
}

} // namespace avocet
