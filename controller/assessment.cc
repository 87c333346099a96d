#include "controller/assessment.h"

#include <algorithm>
#include <cmath>

#include "controller/fifo_model.h"

namespace avocet {
namespace {

/// Predictions close to saturation exceed what a Duration can hold.
constexpr double kMaxSeconds = 1e9;
/// Of a simulation that confirms a decision: p95 to about 3 %, well below the margins of admission.
constexpr int kSimulatedRequests = 50000;

/// How many spreads above its mean the statistic of a pre-processing time lies. Upper bounds of what a simulation of
/// equal requests on 1 to 8 cores shows at shares of 0.3 to 0.75 (docs/PLACEMENT.md).
double ReachOf(Statistic statistic) {
  switch (statistic) {
  case Statistic::kMean:
  case Statistic::kP50:
    return 0;
  case Statistic::kP95:
    return 1.75;
  case Statistic::kP99:
    return 3.4;
  }
  return 0;
}

/// Pre-processing and device one after the other. Their times are independent, so of a percentile the excesses over
/// the means add up like standard deviations: exact for normal times, close for these.
class TwoStages {
public:
  TwoStages(const PreprocessingTime& first, double second_mean_s, Statistic statistic)
      : mean_s_(first.mean_s), device_mean_s_(second_mean_s), excess_s_(ReachOf(statistic) * first.spread_s) {}

  /// The statistic of the sum, given that of the device.
  double Sum(double device_s) const {
    if (excess_s_ == 0) return mean_s_ + device_s;
    return mean_s_ + device_mean_s_ + std::hypot(std::max(device_s - device_mean_s_, 0.0), excess_s_);
  }
  /// What the device may take so that the sum is within the limit; <= 0: nothing will do.
  double DeviceLimit(double limit_s) const {
    if (excess_s_ == 0) return limit_s - mean_s_;
    const double excess = limit_s - mean_s_ - device_mean_s_;
    if (excess < excess_s_) return 0;
    return device_mean_s_ + std::sqrt(excess * excess - excess_s_ * excess_s_);
  }

private:
  double mean_s_, device_mean_s_, excess_s_;
};

double MeanOf(const DeviceResponse& response, size_t i) {
  return response.At(i, Statistic::kMean);
}

/// Applications of one model with the same statistic and pre-processing have the same prediction.
bool AreAlike(const Tenancy& t, size_t i, size_t j) {
  return t.tenants[i].goal.statistic == t.tenants[j].goal.statistic &&
         t.tenants[i].goal.preprocess_s == t.tenants[j].goal.preprocess_s &&
         t.load.apps[i].model == t.load.apps[j].model;
}

/// Whether every goal is kept; percentiles are judged side by side, which is cheaper than one after the other.
bool KeepsAll(const Tenancy& t, const DeviceResponse& response) {
  if (!response.stable) return false;
  ResponseGoals goals;
  for (size_t i = 0; i < t.tenants.size(); ++i) {
    const Goal& goal = t.tenants[i].goal;
    const auto time = t.preprocessing.TimeOf(goal.preprocess_s);
    if (!time) return false;
    const double limit = TwoStages(*time, MeanOf(response, i), goal.statistic).DeviceLimit(goal.limit_s);
    if (limit <= 0) return false;
    goals.push_back(ResponseGoal{goal.statistic, limit});
  }
  return response.MeetsAll(goals);
}

enum class Display { kNone, kFast, kExact };

class Assessor {
public:
  Assessor(const Tenancy& tenancy, DeviceResponse response, Display display)
      : t_(tenancy), response_(std::move(response)), display_(display), all_kept_(KeepsAll(tenancy, response_)) {}

  Assessment Run() const {
    Assessment result{response_.stable, response_.utilization, {}};
    result.answers.resize(t_.tenants.size());
    for (size_t i = 0; i < t_.tenants.size(); ++i)
      result.answers[i] = AnswerFor(i, result.answers);
    return result;
  }

private:
  GoalAnswer AnswerFor(size_t i, const std::vector<GoalAnswer>& earlier) const {
    for (size_t j = 0; j < i; ++j) {
      if (!AreAlike(t_, i, j)) continue;
      const double own = t_.tenants[i].goal.limit_s, other = t_.tenants[j].goal.limit_s;
      GoalAnswer answer = earlier[j];
      if (answer.unsure || (own < other) == answer.kept) break; // says nothing of this limit
      return answer;
    }
    return Answer(i);
  }

  GoalAnswer Answer(size_t i) const {
    const Goal& goal = t_.tenants[i].goal;
    const auto time = t_.preprocessing.TimeOf(goal.preprocess_s);
    if (!response_.stable || !time) return {};
    const TwoStages stages(*time, MeanOf(response_, i), goal.statistic);
    const bool exact = display_ == Display::kExact || goal.statistic == Statistic::kMean || response_.simulated;
    const double limit = stages.DeviceLimit(goal.limit_s);
    double latency_s = 0;
    if (display_ != Display::kNone) latency_s = stages.Sum(exact ? response_.At(i, goal.statistic) : FastPercentile(i));
    return {.latency_s = std::min(latency_s, kMaxSeconds),
            .bounded = true,
            .kept = all_kept_ || (limit > 0 && response_.Meets(i, goal.statistic, limit)),
            .fast = !exact && response_.exact != nullptr,
            .unsure = limit > 0 && response_.IsUnsure(i, goal.statistic, limit)};
  }

  double FastPercentile(size_t i) const {
    const double p = ProbabilityOf(t_.tenants[i].goal.statistic);
    return response_.exact ? response_.exact->Approximate(i).Quantile(p) : response_.apps[i].distribution.Quantile(p);
  }

  const Tenancy& t_;
  DeviceResponse response_;
  Display display_;
  bool all_kept_;
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

bool KeepsGoals(const Tenancy& tenancy) {
  return KeepsAll(tenancy, Solve(tenancy.load));
}

} // namespace avocet
