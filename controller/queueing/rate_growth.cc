#include "controller/queueing/rate_growth.h"

#include <algorithm>
#include <cmath>

#include "controller/queueing/latency_model.h"
#include "controller/queueing/two_stages.h"

namespace avocet {
namespace {

constexpr int kSteps = 10; // halvings
constexpr double kLeastUtilization = 1e-12;

/// How a wait grows with the utilization; only ratios count.
double GrowthAt(Statistic statistic, double utilization) {
  if (statistic == Statistic::kMean) return utilization / (1 - utilization);
  return std::log1p(utilization / (1 - ProbabilityOf(statistic))) / (1 - utilization);
}

/// Of a normal service time.
double ReachOfService(Statistic statistic) {
  switch (statistic) {
  case Statistic::kMean:
  case Statistic::kP50:
    return 0;
  case Statistic::kP95:
    return 1.645;
  case Statistic::kP99:
    return 2.326;
  }
  return 0;
}

/// One application's response time, whatever the factor.
class Growing {
public:
  Growing(const RateGrowth& app, double utilization)
      : app_(app), at_one_(GrowthAt(app.statistic, utilization)),
        bare_s_(app.bare_s + ReachOfService(app.statistic) * app.service_sd_s) {
    wait_s_ = std::max(app.latency_s - bare_s_, 0.0);
    // An idle device says nothing of its tail: that of M/G/1.
    if (wait_s_ < app.mean_wait_s) wait_s_ = app.mean_wait_s * at_one_ / GrowthAt(Statistic::kMean, utilization);
  }

  bool Keeps(double mean_growth, double utilization, const Preprocessing& cores) const {
    const auto time = cores.TimeOf(app_.preprocess_s);
    if (!time) return false;
    const double mean = app_.bare_s + app_.mean_wait_s * mean_growth;
    double latency = mean;
    if (app_.statistic != Statistic::kMean)
      latency = std::max(bare_s_ + wait_s_ * GrowthAt(app_.statistic, utilization) / at_one_, mean);
    return TwoStages(*time, mean, app_.statistic).Sum(latency) <= app_.limit_s;
  }

private:
  const RateGrowth& app_;
  double at_one_, bare_s_, wait_s_ = 0;
};

} // namespace

double EstimatedRateFactor(std::span<const RateGrowth> apps, double utilization, const Preprocessing& cores) {
  // A device may be so idle that its utilization is 0, or nearly: the factor stays a number then.
  utilization = std::max(utilization, kLeastUtilization);
  // Stability bounds every rate; the goals can only lower it.
  double most = kStableUtilization / utilization;
  const bool any = std::any_of(apps.begin(), apps.end(), [](const RateGrowth& app) { return app.preprocess_s > 0; });
  if (any && cores.busy > 0) most = std::min(most, kStableUtilization / cores.share());
  // Each goal is tested at the least bound so far: most applications need one evaluation and no search.
  for (const auto& app : apps) {
    const Growing growing(app, utilization);
    const auto keeps = [&](double factor) {
      // Waits grow with 1 / (1 - utilization): a guess that costs no model, used to rank and not to admit.
      Preprocessing scaled = cores;
      scaled.busy *= factor;
      const double grown = factor * (1 - utilization) / (1 - factor * utilization);
      return growing.Keeps(grown, factor * utilization, scaled);
    };

    if (keeps(most * (1 - 1e-3))) continue; // another one is the bound

    // Bisection: the growth is monotonous.
    double passes = 0;
    for (int step = 0; step < kSteps; ++step) {
      const double middle = (passes + most) / 2;
      (keeps(middle) ? passes : most) = middle;
    }
  }

  return most;
}

} // namespace avocet
