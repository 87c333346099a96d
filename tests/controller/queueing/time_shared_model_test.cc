#include "controller/queueing/time_shared_model.h"

#include <cmath>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "tests/controller/queueing/any_load.h"
#include "tests/controller/queueing/queue_simulator.h"

namespace avocet {
namespace {

double MeanOf(const DeviceLoad& load, size_t app) {
  return TimeSharedModel(load).Mean(app);
}

TEST(TimeSharedModelMean, OfOneModelIsPollaczekKhinchine) {
  for (const double scv : {0.0, 1.0, 4.0}) {
    const auto load = MakeLoad(Discipline::kTimeShared, {{20, 0.01, scv, 0, "m"}, {60, 0.01, scv, 0, "m"}});
    EXPECT_NEAR(MeanOf(load, 1), 0.01 + 0.01 * 0.8 * (1 + scv) / 2 / 0.2, 1e-12) << scv;
  }
}

TEST(TimeSharedModelMean, OfEqualExponentialServiceIsThatOfOneQueueOnAverage) {
  // The number in the device is then that of M/M/1, however the server is shared (work conservation).
  for (const double rho : {0.2, 0.6, 0.9}) {
    const std::vector<double> rates = {rho * 50, rho * 30, rho * 20};
    auto load = MakeLoad(Discipline::kTimeShared, {{rates[0], 0.01, 1}, {rates[1], 0.01, 1}, {rates[2], 0.01, 1}});
    const TimeSharedModel model(load);
    double number = 0;
    for (size_t i = 0; i < 3; ++i)
      number += rates[i] * model.Mean(i);
    EXPECT_NEAR(number / (rho / (1 - rho)), 1, 1e-9) << rho;
  }
}

TEST(TimeSharedModelMean, OfARareRequestBesideABusyModelIsSharedWithItAlone) {
  // It finds the other executor busy with probability r, and shares with it until it ends.
  const auto load = MakeLoad(Discipline::kTimeShared, {{1e-6, 0.001}, {1, 0.4}});
  EXPECT_NEAR(MeanOf(load, 0), 0.001 * 1.4, 0.001 * 0.05);
}

TEST(TimeSharedModelMean, ManyExecutorsOfLittleLoadArePracticallyProcessorSharing) {
  // With next to nobody waiting for the own model: s / (1 - rho). 100 executors, beyond the exact quadrature.
  for (const size_t executors : {8, 9, 16, 17, 32, 33, 100}) {
    const double rate = 0.5 / 0.01 / static_cast<double>(executors);
    const auto load = MakeLoad(Discipline::kTimeShared, std::vector<LoadRow>(executors, {rate, 0.01}));
    EXPECT_NEAR(MeanOf(load, 0) / 0.02, 1, executors < 16 ? 0.1 : 0.06) << executors;
  }
}

TEST(TimeSharedModelMean, ApplicationsOfOneModelShareTheWait) {
  const auto load = MakeLoad(Discipline::kTimeShared, {{5, 0.02, 0, 0, "m"}, {5, 0.04, 0, 0, "m"}, {10, 0.03}});
  const TimeSharedModel model(load);
  EXPECT_GT(model.Mean(1), model.Mean(0));
  // Both are slowed down alike, so twice the difference of the services is the most that can lie between them.
  EXPECT_LT(model.Mean(1) - model.Mean(0), 2 * 0.02);
}

TEST(TimeSharedModelMean, BurstsStretchTheWaitOnly) {
  auto load = MakeLoad(Discipline::kTimeShared, {{10, 0.02}, {1e-9, 0.03}});
  const double calm = MeanOf(load, 1);
  load.apps[0].arrival_scv = 5;
  EXPECT_NEAR(MeanOf(load, 1), calm, 1e-9) << "nobody waits for the rare model's executor";
  EXPECT_GT(MeanOf(load, 0), 0.02);
}

TEST(TimeSharedModelMean, IsCloseToASimulation) {
  const std::vector<std::vector<LoadRow>> cases = {
      {{10, 0.03}, {10, 0.03}},
      {{30, 0.01}, {5, 0.06, 1}},
      {{5, 0.02}, {5, 0.04, 0.5}, {5, 0.06}, {2, 0.01, 1}},
  };
  for (const auto& rows : cases) {
    const auto load = MakeLoad(Discipline::kTimeShared, rows);
    const TimeSharedModel model(load);
    const auto simulated = SimulatedApps(load, {.seed = 9, .requests = 300000});
    for (size_t i = 0; i < rows.size(); ++i)
      EXPECT_NEAR(model.Mean(i) / simulated[i].mean_s, 1, 0.08) << i << " of " << rows.size();
  }
}

TEST(TimeSharedModelDistribution, HasTheExactChanceOfNoDelay) {
  // Constant service: an idle device on arrival, and nobody of another model while it is served.
  const auto load = MakeLoad(Discipline::kTimeShared, {{10, 0.02}, {5, 0.06}});
  const auto mixture = TimeSharedModel(load).Approximate(0);
  EXPECT_NEAR(mixture.Cdf(0.02), 0.5 * std::exp(-5 * 0.02), 1e-9);
  EXPECT_EQ(mixture.Cdf(0.0199), 0);
}

RC_GTEST_PROP(TimeSharedModelProperties, TheDistributionHasTheMean, ()) {
  const auto load = AnyLoad(Discipline::kTimeShared, {});
  const TimeSharedModel model(load);
  for (size_t i = 0; i < load.apps.size(); ++i)
    RC_ASSERT(IsClose(model.Approximate(i).Mean(), model.Mean(i), 1e-9));
}

RC_GTEST_PROP(TimeSharedModelProperties, NoRequestIsFasterThanAlone, ()) {
  const auto load = AnyLoad(Discipline::kTimeShared, {});
  const TimeSharedModel model(load);
  for (size_t i = 0; i < load.apps.size(); ++i)
    RC_ASSERT(model.Mean(i) >= load.apps[i].service.mean_s * (1 - 1e-12));
}

RC_GTEST_PROP(TimeSharedModelProperties, EqualModelsHaveEqualMeans, ()) {
  const size_t models = *rc::gen::inRange<size_t>(2, 80);
  const double service = Between(1e-4, 1), scv = *rc::gen::element(0.0, 1.0, 3.0);
  auto load = MakeLoad(Discipline::kTimeShared, std::vector<LoadRow>(models, {1, service, scv}));
  ScaleRates(load, Between(0.05, 0.97) / Utilization(load));
  const TimeSharedModel model(load);
  for (size_t i = 1; i < models; ++i)
    RC_ASSERT(IsClose(model.Mean(i), model.Mean(0), 1e-9));
}

RC_GTEST_PROP(TimeSharedModelProperties, MoreOfAllNeverLowersAMean, ()) {
  const auto load = AnyLoad(Discipline::kTimeShared, {});
  auto more = load;
  ScaleRates(more, 1.02);
  RC_PRE(Utilization(more) < 0.98);
  const TimeSharedModel before(load), after(more);
  for (size_t i = 0; i < load.apps.size(); ++i)
    RC_ASSERT(after.Mean(i) >= before.Mean(i) * (1 - 1e-9));
}

} // namespace
} // namespace avocet
