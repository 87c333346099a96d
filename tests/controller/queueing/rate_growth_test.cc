#include "controller/queueing/rate_growth.h"

#include <cmath>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "controller/placement/assessment.h"
#include "controller/queueing/fifo_model.h"
#include "controller/queueing/headroom.h"
#include "tests/controller/queueing/load_builder.h"
#include "tests/support/view_builder.h"

namespace avocet {
namespace {

double Number(int low, int high) {
  return *rc::gen::inRange(low, high + 1);
}

/// Up to five applications with different models, together at `utilization` before switches.
DeviceLoad AnyLoad(double utilization) {
  std::vector<LoadRow> rows(*rc::gen::inRange<size_t>(1, 6));
  for (auto& row : rows) {
    row.service_s = Number(2, 60) / 1000;
    row.rate_rps = utilization / static_cast<double>(rows.size()) / row.service_s;
    row.switch_s = Number(0, 20) / 1000;
    row.scv = *rc::gen::element(0.0, 0.0, 0.3);
  }
  return MakeLoad(Discipline::kFifo, rows);
}

/// A device on which every application has the same goal.
Tenancy WithGoal(const DeviceView& device, const DeviceLoad& load, const Goal& goal) {
  Tenancy tenancy;
  tenancy.device = &device;
  tenancy.load = load;
  tenancy.tenants.assign(load.apps.size(), Tenant{.goal = goal});
  return tenancy;
}

TEST(RateGrowth, IsExactForTheMeanOfOneQueue) {
  // M/M/1 with s = 10 ms: 20 ms are met up to rho = 1/2; 10 rps are a fifth of that.
  const double mean = 0.01 / 0.9;
  const RateGrowth app{
      .statistic = Statistic::kMean, .limit_s = 0.02, .bare_s = 0.01, .mean_wait_s = mean - 0.01, .latency_s = mean};
  EXPECT_NEAR(EstimatedRateFactor({&app, 1}, 0.1, {}), 5, 0.02);
}

TEST(RateGrowth, PreprocessingHasItsShareAndItsBound) {
  // One core at a load of 0.2: pre-processing of 10 ms takes 10 / (1 - 0.2 f) ms.
  const RateGrowth app{
      .statistic = Statistic::kMean, .limit_s = 0.021, .preprocess_s = 0.01, .bare_s = 0.001, .latency_s = 0.001};
  EXPECT_NEAR(EstimatedRateFactor({&app, 1}, 0.001, {.cores = 1, .busy = 0.2}), 2.5, 0.02);
}

TEST(RateGrowth, AnIdleDeviceHasAFactorThatIsANumber) {
  const RateGrowth app{
      .statistic = Statistic::kMean, .limit_s = 1, .preprocess_s = 0.001, .bare_s = 0.01, .latency_s = 0.01};
  for (const double utilization : {0.0, 5e-324, 1e-310, 1e-20}) {
    const double factor = EstimatedRateFactor({&app, 1}, utilization, {.cores = 4, .busy = utilization / 10});
    EXPECT_TRUE(std::isfinite(factor)) << utilization;
    EXPECT_GT(factor, 1e6) << utilization;
  }
}

TEST(RateGrowth, CoresDoNotMatterWhereNobodyPreprocesses) {
  const RateGrowth app{.statistic = Statistic::kMean, .limit_s = 1, .bare_s = 0.01, .latency_s = 0.01};
  EXPECT_EQ(EstimatedRateFactor({&app, 1}, 0.1, {.cores = 1, .busy = 0.9}), EstimatedRateFactor({&app, 1}, 0.1, {}));
}

TEST(RateGrowth, NothingIsKeptAtAnyRateWhereTheServiceAloneIsTooLong) {
  const RateGrowth app{.statistic = Statistic::kP95, .limit_s = 0.009, .bare_s = 0.01, .latency_s = 0.01};
  EXPECT_LT(EstimatedRateFactor({&app, 1}, 0.5, {}), 0.005);
}

/// The estimate against the search with the model itself.
RC_GTEST_PROP(RateGrowthProperties, EstimatesTheLargestRateFactor, ()) {
  const auto load = AnyLoad(0.3);
  RC_PRE(Utilization(load) < 0.8);
  const DeviceView device;
  const bool mean = *rc::gen::arbitrary<bool>();
  const Goal goal{.statistic = mean ? Statistic::kMean : Statistic::kP95, .limit_s = Number(200, 1000) / 1000};
  const double estimate = Assess(WithGoal(device, load, goal)).rate_factor;
  const ResponseGoals goals(load.apps.size(), ResponseGoal{goal.statistic, goal.limit_s});
  const double exact = LargestRateFactor(load, goals);
  RC_ASSERT(std::abs(estimate - exact) <= (mean ? 0.04 : 0.2) * exact);
}

RC_GTEST_PROP(RateGrowthProperties, TheMeanWaitLiesBetweenItsBounds, ()) {
  const auto load = AnyLoad(Number(5, 60) / 100);
  RC_PRE(Utilization(load) < 0.95);
  const auto bounds = MeanWaitBounds(FifoClassesOf(load, GroupByModel(load)));
  const double wait = FifoModel(load).MeanWait();
  RC_ASSERT(bounds.least_s <= wait * (1 + 1e-6));
  RC_ASSERT(wait <= bounds.most_s * (1 + 1e-6));
}

/// What bounds decide, the model would have decided.
RC_GTEST_PROP(RateGrowthProperties, TheEstimateJudgesLikeTheModel, ()) {
  const auto load = AnyLoad(Number(5, 90) / 100);
  const DeviceView device;
  const auto tenancy = WithGoal(device, load, {.statistic = Statistic::kMean, .limit_s = Number(20, 300) / 1000});
  const auto assessed = AssessGoals(tenancy);
  RC_ASSERT(KeepsGoals(tenancy, 0.92) == (assessed.AllKept() && assessed.utilization <= 0.92));
}

TEST(RateGrowth, WithoutApplicationsIsSaturation) {
  EXPECT_NEAR(EstimatedRateFactor({}, 0.25, {}), 4, 1e-6);
}

TEST(RateGrowth, TheTightestGoalIsTheBound) {
  const double mean = 0.01 / 0.9; // M/M/1 at 0.1, as above
  std::vector<RateGrowth> apps(
      2,
      {.statistic = Statistic::kMean, .limit_s = 0.02, .bare_s = 0.01, .mean_wait_s = mean - 0.01, .latency_s = mean});
  apps[1].limit_s = 0.04; // met up to rho = 3/4
  EXPECT_NEAR(EstimatedRateFactor(apps, 0.1, {}), 5, 0.02);
  std::swap(apps[0], apps[1]);
  EXPECT_NEAR(EstimatedRateFactor(apps, 0.1, {}), 5, 0.02);
}

TEST(RateGrowth, SaturatedCoresAreABoundWherePreprocessingIsNeeded) {
  const RateGrowth app{
      .statistic = Statistic::kMean, .limit_s = 1e6, .preprocess_s = 0.01, .bare_s = 0.001, .latency_s = 0.001};
  EXPECT_NEAR(EstimatedRateFactor({&app, 1}, 0.1, {.cores = 2, .busy = 0.5}), 4, 0.01);
}

RC_GTEST_PROP(RateGrowthProperties, ALooserLimitNeverLowersTheFactor, ()) {
  const double utilization = Number(5, 90) / 100;
  RateGrowth app{.statistic = *rc::gen::element(Statistic::kMean, Statistic::kP50, Statistic::kP95, Statistic::kP99),
                 .limit_s = Number(20, 500) / 1000,
                 .bare_s = 0.01,
                 .mean_wait_s = Number(0, 50) / 1000};
  app.latency_s = app.bare_s + app.mean_wait_s * Number(1, 5);
  const double factor = EstimatedRateFactor({&app, 1}, utilization, {});
  app.limit_s *= 1.2;
  RC_ASSERT(EstimatedRateFactor({&app, 1}, utilization, {}) >= factor);
}

} // namespace
} // namespace avocet
