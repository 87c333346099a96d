// Service times as mixtures, and what they rest on.
#include "controller/queueing/service_time.h"

#include <cmath>

#include <gtest/gtest.h>

#include "controller/queueing/estimator.h"
#include "controller/queueing/fifo_model.h"
#include "controller/queueing/uncertainty.h"
#include "tests/controller/queueing/load_builder.h"
#include "tests/controller/queueing/queue_simulator.h"

namespace avocet {
namespace {

constexpr Discipline kDisciplines[] = {Discipline::kFifo, Discipline::kTimeShared, Discipline::kProcessorSharing,
                                       Discipline::kMultiServer};

TEST(ServiceMixture, HasTheMomentsOfItsParts) {
  const auto service = ServiceMixture({{0.75, 1, 0}, {0.25, 5, 1}});
  EXPECT_DOUBLE_EQ(service.mean_s, 2);
  const double second = 0.75 * 1 + 0.25 * 50;
  EXPECT_DOUBLE_EQ(service.scv, second / 4 - 1);
  EXPECT_DOUBLE_EQ(MomentsOf(service).third, 0.75 * 1 + 0.25 * 6 * 125);
  EXPECT_DOUBLE_EQ(ServiceMixture({{3, 1, 0}, {1, 5, 1}}).mean_s, 2); // probabilities are scaled
}

TEST(ServiceMixture, OfOnePartIsThatPart) {
  for (const auto discipline : kDisciplines) {
    auto load = MakeLoad(discipline, {{10, 0.02, 0.5, 0.01}, {5, 0.03, 0, 0.01}}, 2);
    const auto plain = Predict(load);
    load.apps[0].service = ServiceMixture({{0.3, 0.02, 0.5}, {0.7, 0.02, 0.5}});
    load.apps[1].service = ServiceMixture({{1, 0.03, 0}});
    const auto mixed = Predict(load);
    for (size_t i = 0; i < 2; ++i) {
      EXPECT_NEAR(mixed.apps[i].mean_s / plain.apps[i].mean_s, 1, 1e-9) << ToString(discipline);
      EXPECT_NEAR(mixed.apps[i].p95_s / plain.apps[i].p95_s, 1, 1e-4) << ToString(discipline);
    }
  }
}

/// Two models; the first mostly short, seldom long, as of pictures of two sizes.
DeviceLoad TwoSizes(Discipline discipline) {
  auto load = MakeLoad(discipline, {{14, 0.02, 0, 0.01}, {6, 0.03, 0, 0.015}});
  load.apps[0].service = ServiceMixture({{0.9, 0.012, 0}, {0.1, 0.08, 0.5}});
  return load;
}

TEST(ServiceMixture, IsExactOnAFifoDevice) {
  const auto load = TwoSizes(Discipline::kFifo);
  const auto simulated = SimulatedApps(load, {.seed = 5, .requests = 400000});
  const auto predicted = Predict(load);
  for (size_t i = 0; i < 2; ++i) {
    EXPECT_NEAR(predicted.apps[i].mean_s / simulated[i].mean_s, 1, 0.02) << i;
    EXPECT_NEAR(predicted.apps[i].p50_s / simulated[i].p50_s, 1, 0.02) << i;
    EXPECT_NEAR(predicted.apps[i].p95_s / simulated[i].p95_s, 1, 0.02) << i;
    EXPECT_NEAR(predicted.apps[i].p99_s / simulated[i].p99_s, 1, 0.03) << i;
  }
}

TEST(ServiceMixture, MatchesSimulationElsewhere) {
  for (const auto discipline : {Discipline::kProcessorSharing, Discipline::kMultiServer, Discipline::kTimeShared}) {
    const auto load = TwoSizes(discipline);
    const auto simulated = SimulatedApps(load, {.seed = 5, .requests = 300000});
    const auto predicted = Predict(load);
    const double rough = discipline == Discipline::kTimeShared ? 0.1 : 0.02;
    for (size_t i = 0; i < 2; ++i) {
      EXPECT_NEAR(predicted.apps[i].mean_s / simulated[i].mean_s, 1, rough) << ToString(discipline) << i;
      EXPECT_NEAR(predicted.apps[i].p95_s / simulated[i].p95_s, 1, 5 * rough) << ToString(discipline) << i;
    }
  }
}

TEST(FifoModel, TheTailIsWaitedForByTheClientAlone) {
  auto load = MakeLoad(Discipline::kFifo, {{9, 0.02, 0, 0.03}, {5, 0.01, 0.5, 0.03}});
  const auto without = Predict(load);
  load.apps[0].tail_s = 0.004;
  const auto with = Predict(load);
  EXPECT_DOUBLE_EQ(with.utilization, without.utilization);
  EXPECT_NEAR(with.apps[0].mean_s, without.apps[0].mean_s + 0.004, 1e-12);
  EXPECT_NEAR(with.apps[0].p95_s, without.apps[0].p95_s + 0.004, 1e-5);
  EXPECT_DOUBLE_EQ(with.apps[1].p99_s, without.apps[1].p99_s);
}

TEST(UpperEnd, MovesOnlyWhatWasMeasured) {
  auto load = MakeLoad(Discipline::kFifo, {{9, 0.02, 1, 0.03}, {5, 0.01, 1, 0.03}});
  load.apps[0].rate_observations = 30;
  load.apps[0].service.observations = 100;
  load.apps[0].switch_error_s = 0.001;
  const auto upper = AtUpperEnd(load);
  EXPECT_DOUBLE_EQ(upper.apps[0].rate_rps, UpperRateBound({9, 1, 30}));
  EXPECT_NEAR(upper.apps[0].service.mean_s, 0.02 * (1 + 1.6449 / 10), 1e-12);
  EXPECT_NEAR(upper.apps[0].switch_s, 0.03 + 0.0016449, 1e-12);
  EXPECT_EQ(upper.apps[1].rate_rps, 5);
  EXPECT_EQ(upper.apps[1].service.mean_s, 0.01);
  EXPECT_DOUBLE_EQ(Utilization(AtUpperEnd(upper)), Utilization(upper)); // a second time changes nothing
}

TEST(UpperEnd, KeepsTheShapeOfAMixture) {
  auto service = ServiceMixture({{0.9, 0.01, 0}, {0.1, 0.1, 0}});
  service.observations = 50;
  const auto upper = AtUpperEnd(service);
  EXPECT_NEAR(upper.mean_s, service.mean_s + kZ95 * StandardError(service), 1e-15);
  EXPECT_NEAR(MomentsOf(upper).first, upper.mean_s, 1e-15);
  EXPECT_DOUBLE_EQ(upper.scv, service.scv);
}

TEST(UpperEnd, ConvergesToTheEstimateAndIsNeverBelow) {
  double before = 1e9;
  for (const double n : {20.0, 100.0, 1e4, 1e8}) {
    ServiceTime service{.mean_s = 0.01, .scv = 1, .observations = n};
    const double upper = AtUpperEnd(service).mean_s;
    EXPECT_GT(upper, 0.01);
    EXPECT_LT(upper, before);
    before = upper;
  }
  EXPECT_NEAR(before, 0.01, 1e-5);
}

TEST(FifoModel, SeveralQuestionsAtOnceHaveTheAnswersOfEach) {
  auto load =
      MakeLoad(Discipline::kFifo, {{9, 0.02, 0, 0.03}, {5, 0.01, 0.5, 0.03}, {1, 0.03, 0, 0}, {2, 0.01, 0, 0.1}});
  load.apps[2].service = ServiceMixture({{0.5, 0.01, 0}, {0.5, 0.05, 1}});
  const FifoModel model(load);
  std::vector<ResponseLimit> limits;
  for (const double t : {0.0, -1.0, 0.005, 0.02, 0.03, 0.1, 0.4, 3.0}) {
    for (size_t app = 0; app < 4; ++app)
      limits.push_back({app, t});
  }
  std::vector<double> together(limits.size());
  model.Cdf(limits, together);
  for (size_t n = 0; n < limits.size(); ++n)
    EXPECT_NEAR(together[n], model.Cdf(limits[n].app, limits[n].limit_s), 1e-12) << n;
}

TEST(FifoModel, BoundsHoldTheProbability) {
  auto load = MakeLoad(Discipline::kFifo, {{9, 0.02, 0, 0.03}, {5, 0.01, 0.5, 0.03}});
  load.apps[0].tail_s = 0.01;
  const FifoModel model(load);
  for (size_t app = 0; app < 2; ++app) {
    for (double t = 0.001; t < 2; t *= 1.3) {
      const auto bounds = model.SurvivalBounds(app, t);
      const double survival = 1 - model.Cdf(app, t);
      EXPECT_LE(bounds.least, survival + 1e-7) << app << " " << t;
      EXPECT_GE(bounds.most, survival - 1e-7) << app << " " << t;
    }
  }
}

TEST(DeviceResponse, AllAndEachMeetWhatOneMeets) {
  for (const auto discipline : kDisciplines) {
    const auto response = Solve(MakeLoad(discipline, {{9, 0.02, 0, 0.01}, {5, 0.01, 0.5, 0.02}, {1, 0.03, 0, 0}}));
    for (const double limit : {0.01, 0.03, 0.06, 0.1, 0.2, 0.5}) {
      const ResponseGoals goals = {ResponseGoal{Statistic::kP95, limit}, std::nullopt,
                                   ResponseGoal{Statistic::kMean, 2 * limit}};
      const bool first = response.Meets(0, Statistic::kP95, limit);
      const bool last = response.Meets(2, Statistic::kMean, 2 * limit);
      EXPECT_EQ(response.MeetsAll(goals), first && last) << ToString(discipline) << limit;
      EXPECT_EQ(response.MeetsEach(goals), (std::vector<char>{first, true, last})) << ToString(discipline) << limit;
    }
  }
}

} // namespace
} // namespace avocet
