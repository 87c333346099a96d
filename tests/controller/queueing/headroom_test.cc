#include "controller/queueing/headroom.h"

#include <algorithm>

#include <gtest/gtest.h>

#include "controller/queueing/micro_simulation.h"
#include "tests/controller/queueing/load_builder.h"

namespace avocet {
namespace {

DeviceLoad Scaled(DeviceLoad load, double factor) {
  for (auto& app : load.apps)
    app.rate_rps *= factor;
  return load;
}

DeviceLoad TwoModels(Discipline discipline) {
  return MakeLoad(discipline, {{5, 0.010, 0, 0.012}, {2, 0.040, 0, 0.020}});
}

TEST(Headroom, OfAnExponentialQueueHasAClosedForm) {
  // M/M/1: the mean is s / (1 - rho); with s = 10 ms, 20 ms are met up to rho = 1/2, that is 50 rps.
  const auto load = MakeLoad(Discipline::kFifo, {{10, 0.01, 1}});
  EXPECT_NEAR(LargestRateFactor(load, {ResponseGoal{Statistic::kMean, 0.02}}), 5, 0.01);
}

TEST(Headroom, IsTheEdgeOfWhatMeetsTheGoals) {
  for (const auto discipline : {Discipline::kFifo, Discipline::kTimeShared, Discipline::kProcessorSharing}) {
    const auto load = TwoModels(discipline);
    const ResponseGoals goals{ResponseGoal{Statistic::kP95, 0.2}, ResponseGoal{Statistic::kMean, 0.3}};
    const double factor = LargestRateFactor(load, goals);
    ASSERT_GT(factor, 0);
    EXPECT_TRUE(MeetsAll(Scaled(load, factor), goals));
    EXPECT_FALSE(MeetsAll(Scaled(load, factor * 1.005), goals));
  }
}

TEST(Headroom, WithoutGoalsIsSaturation) {
  const auto load = TwoModels(Discipline::kTimeShared);
  EXPECT_NEAR(LargestRateFactor(load, {std::nullopt, std::nullopt}) * Utilization(load), 1, 0.002);
}

TEST(Headroom, IsZeroWhereTheServiceAloneIsTooLong) {
  EXPECT_EQ(LargestRateFactor(MakeLoad(Discipline::kFifo, {{10, 0.01}}), {ResponseGoal{Statistic::kP95, 0.009}}), 0);
}

TEST(Within, IsTheInverseOfThePercentile) {
  for (const auto discipline : {Discipline::kFifo, Discipline::kTimeShared, Discipline::kProcessorSharing}) {
    const auto load = TwoModels(discipline);
    const auto response = Solve(load);
    for (size_t i = 0; i < load.apps.size(); ++i)
      EXPECT_NEAR(response.Within(i, response.At(i, Statistic::kP95)), 0.95, 1e-4);
  }
}

TEST(Refine, ChangesOnlySeveralModelsUnderTimeSharing) {
  for (const auto discipline : {Discipline::kFifo, Discipline::kTimeShared, Discipline::kProcessorSharing}) {
    const auto load = TwoModels(discipline);
    auto response = Solve(load);
    Refine(load, response, 20000);
    EXPECT_EQ(response.simulated != nullptr, discipline == Discipline::kTimeShared);
  }
}

TEST(Refine, LeavesWhatIsTooRareToBeSeen) {
  const auto load = MakeLoad(Discipline::kTimeShared, {{1000, 0.0001}, {0.01, 0.04}});
  auto response = Solve(load);
  Refine(load, response, 20000);
  EXPECT_EQ(response.simulated, nullptr);
}

TEST(Refine, AnswersFromTheSample) {
  const auto load = TwoModels(Discipline::kTimeShared);
  auto response = Solve(load);
  const double fast = response.At(0, Statistic::kP95);
  EXPECT_TRUE(response.IsUnsure(0, Statistic::kP95, fast));
  EXPECT_FALSE(response.IsUnsure(0, Statistic::kP95, fast * 3));
  EXPECT_FALSE(response.IsUnsure(0, Statistic::kP95, fast / 3));
  Refine(load, response, 20000);
  EXPECT_EQ(response.At(0, Statistic::kP95), response.simulated->Quantile(0, 0.95));
  EXPECT_GE(response.Within(0, response.At(0, Statistic::kP95)), 0.95);
  EXPECT_LT(response.Within(0, response.At(0, Statistic::kP50) * 0.9), 0.5);
  EXPECT_FALSE(response.IsUnsure(0, Statistic::kP95, fast));
}

TEST(MicroSimulation, SharesCores) {
  // One exponential class on two cores under processor sharing has the mean of M/M/2: rho 0.5, s 20 ms.
  const auto load = MakeLoad(Discipline::kMultiServer, {{50, 0.02, 1}}, 2);
  EXPECT_NEAR(Simulate(load, {.requests = 400000, .shared_cores = true}).Mean(0), 0.0266667, 0.0003);
  EXPECT_NEAR(Simulate(load, {.requests = 400000}).Mean(0), 0.0266667, 0.0003);
}

TEST(MicroSimulation, PlaysSeveralWorkersPerModel) {
  // With as many workers as there are ever requests it is processor sharing: mean s / (1 - rho).
  const auto load = MakeLoad(Discipline::kTimeShared, {{10, 0.03}, {5, 0.04}});
  EXPECT_NEAR(Simulate(load, {.requests = 400000, .workers = 100000}).Mean(0), 0.06, 0.001);
}

TEST(Headroom, OfOneConstantQueueHasAClosedForm) {
  // M/D/1: s + s rho / 2 (1 - rho) = 1.5 s at rho = 1/2, that is 50 rps.
  EXPECT_NEAR(LargestRateFactor(MakeLoad(Discipline::kFifo, {{25, 0.01}}), {ResponseGoal{Statistic::kMean, 0.015}}), 2,
              0.004);
}

TEST(Headroom, IsInverseToTheLoad) {
  for (const auto discipline : {Discipline::kFifo, Discipline::kTimeShared, Discipline::kProcessorSharing}) {
    const auto load = TwoModels(discipline);
    const ResponseGoals goals{ResponseGoal{Statistic::kP95, 0.2}, ResponseGoal{Statistic::kMean, 0.3}};
    EXPECT_NEAR(LargestRateFactor(Scaled(load, 0.5), goals) / LargestRateFactor(load, goals), 2, 0.006)
        << ToString(discipline);
  }
}

TEST(Headroom, AnotherGoalNeverRaisesIt) {
  const auto load = TwoModels(Discipline::kFifo);
  const std::optional<ResponseGoal> first = ResponseGoal{Statistic::kMean, 0.08},
                                    second = ResponseGoal{Statistic::kP99, 0.3};
  const double both = LargestRateFactor(load, {first, second});
  const double each =
      std::min(LargestRateFactor(load, {first, std::nullopt}), LargestRateFactor(load, {std::nullopt, second}));
  EXPECT_NEAR(both / each, 1, 0.002);
}

TEST(Headroom, OfAnOverloadedDeviceIsBelowOne) {
  const auto load = Scaled(TwoModels(Discipline::kFifo), 10);
  ASSERT_GT(Utilization(load), 1);
  const double factor = LargestRateFactor(load, {std::nullopt, std::nullopt});
  EXPECT_NEAR(factor * Utilization(load), 1, 0.002);
}

TEST(Headroom, MeetsNothingWithoutSteadyState) {
  EXPECT_FALSE(MeetsAll(MakeLoad(Discipline::kFifo, {{100, 0.01}}), {std::nullopt}));
}

} // namespace
} // namespace avocet
