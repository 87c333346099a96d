#include "controller/queueing/latency_model.h"

#include <cmath>
#include <limits>

#include <gtest/gtest.h>

#include "controller/queueing/fifo_model.h"
#include "controller/queueing/multi_server_model.h"
#include "controller/queueing/service_classes.h"
#include "tests/controller/queueing/load_builder.h"

namespace avocet {
namespace {

AppPrediction PredictOne(Discipline discipline, const LoadRow& row, int cores = 1) {
  return Predict(MakeLoad(discipline, {row}, cores)).apps.at(0);
}

void ExpectFinite(const DevicePrediction& prediction) {
  for (const auto& app : prediction.apps) {
    for (const double value : {app.mean_s, app.p50_s, app.p95_s, app.p99_s}) {
      ASSERT_TRUE(std::isfinite(value) && value > 0) << app.app.str() << " " << value;
    }
    ASSERT_LE(app.p50_s, app.p95_s) << app.app.str();
    ASSERT_LE(app.p95_s, app.p99_s) << app.app.str();
  }
}

constexpr Discipline kDisciplines[] = {Discipline::kFifo, Discipline::kTimeShared, Discipline::kProcessorSharing,
                                       Discipline::kMultiServer};

TEST(FifoModel, HasTheMd1Mean) {
  EXPECT_NEAR(PredictOne(Discipline::kFifo, {10, 0.05}).mean_s, 0.05 + 0.025, 1e-15);
}

TEST(FifoModel, HasTheMm1Distribution) {
  const auto one = PredictOne(Discipline::kFifo, {50, 0.01, 1});
  EXPECT_NEAR(one.mean_s, 0.02, 1e-12);
  EXPECT_NEAR(one.p50_s, 0.02 * std::log(2), 1e-5);
  EXPECT_NEAR(one.p95_s, 0.02 * std::log(20), 1e-5);
  EXPECT_NEAR(one.p99_s, 0.02 * std::log(100), 1e-5);
}

TEST(FifoModel, OneModelNeverSwitches) {
  const auto with = Predict(MakeLoad(Discipline::kFifo, {{10, 0.02, 0, 1, "m"}, {5, 0.02, 0, 1, "m"}}));
  const auto without = Predict(MakeLoad(Discipline::kFifo, {{15, 0.02}}));
  EXPECT_DOUBLE_EQ(with.utilization, 0.3);
  EXPECT_NEAR(with.apps[0].mean_s, without.apps[0].mean_s, 1e-15);
  EXPECT_NEAR(with.apps[1].p95_s, without.apps[0].p95_s, 1e-9);
}

TEST(FifoModel, UtilizationCountsSwitches) {
  // Half of the requests follow one of the other model.
  EXPECT_NEAR(Utilization(MakeLoad(Discipline::kFifo, {{10, 0.01, 0, 0.02}, {10, 0.02, 0, 0.03}})),
              10 * (0.01 + 0.01) + 10 * (0.02 + 0.015), 1e-12);
}

TEST(FifoModel, SwitchesOfEqualSizeAddHalfASwitchEach) {
  const auto with = Predict(MakeLoad(Discipline::kFifo, {{0.001, 0.01, 0, 0.05}, {0.001, 0.01, 0, 0.05}}));
  EXPECT_NEAR(with.apps[0].mean_s, 0.01 + 0.025, 1e-5); // next to no waiting
}

TEST(FifoModel, IdleProbabilitiesSumToTheIdleShare) {
  for (const int k : {1, 2, 3, 8, 64}) {
    std::vector<LoadRow> rows;
    for (int i = 0; i < k; ++i)
      rows.push_back({1.0 + i % 5, 0.001 * (1 + i % 7), 0, 0.002 * (i % 3)});
    auto load = MakeLoad(Discipline::kFifo, rows);
    const double scale = 0.7 / Utilization(load);
    for (auto& app : load.apps)
      app.rate_rps *= scale;
    double sum = 0;
    const FifoModel model(load);
    for (const double c : model.idle()) {
      EXPECT_GE(c, 0);
      sum += c;
    }
    EXPECT_NEAR(sum, 0.3, 1e-9) << k;
  }
}

TEST(FifoModel, IdenticalClassesAreATie) {
  const auto four = Predict(MakeLoad(Discipline::kFifo, std::vector<LoadRow>(4, {5, 0.01, 0, 0.02})));
  for (const auto& app : four.apps)
    EXPECT_NEAR(app.p95_s, four.apps[0].p95_s, 1e-9);
  auto nearly = MakeLoad(Discipline::kFifo, std::vector<LoadRow>(4, {5, 0.01, 0, 0.02}));
  for (size_t i = 0; i < 4; ++i)
    nearly.apps[i].rate_rps *= 1 + 1e-10 * static_cast<double>(i);
  EXPECT_NEAR(Predict(nearly).apps[3].mean_s, four.apps[0].mean_s, 1e-9);
}

TEST(FifoModel, NearTiesHaveTheSolutionOfTies) {
  // The poles differ by 1e-5: a search that came too close to one took its rounding error for a sign.
  const std::vector<LoadRow> rows = {{13.088744838707678, 0.0011916920640595221, 0, 0.0011129406365541327},
                                     {13.999125941289645, 0.0014191016337595018, 0, 0.0010420438624982448}};
  const FifoModel model(MakeLoad(Discipline::kFifo, rows));
  EXPECT_NEAR(model.idle()[0] / model.idle()[1], 13.0887 / 13.9991, 0.01);
  for (const double difference : {1e-3, 1e-5, 1e-7, 1e-9, 1e-11, 1e-13, 0.0}) {
    const FifoModel close(MakeLoad(Discipline::kFifo, {{10, 0.01, 0, 0.02}, {10 * (1 + difference), 0.01, 0, 0.02}}));
    EXPECT_NEAR(close.idle()[0] / close.idle()[1], 1, 2 * difference + 1e-6) << difference;
  }
}

TEST(FifoModel, ConstantAndAlmostConstantServiceAgree) {
  const auto constant = Predict(MakeLoad(Discipline::kFifo, {{10, 0.02, 0, 0.01}, {10, 0.01, 0, 0.02}}));
  const auto almost = Predict(MakeLoad(Discipline::kFifo, {{10, 0.02, 1e-5, 0.01}, {10, 0.01, 1e-5, 0.02}}));
  for (size_t i = 0; i < 2; ++i) {
    EXPECT_NEAR(almost.apps[i].mean_s / constant.apps[i].mean_s, 1, 1e-4);
    EXPECT_NEAR(almost.apps[i].p95_s / constant.apps[i].p95_s, 1, 2e-3);
  }
}

TEST(FifoModel, CdfHasItsAtomsAndEndsAtOne) {
  const FifoModel model(MakeLoad(Discipline::kFifo, {{5, 0.02, 0, 0.03}, {5, 0.01, 0, 0.03}}));
  EXPECT_EQ(model.Cdf(0, 0.0199), 0);
  EXPECT_NEAR(model.Cdf(0, 0.02), model.idle()[0], 1e-9);
  EXPECT_NEAR(model.Cdf(0, 10), 1, 1e-7);
}

TEST(FifoModel, QuantileInvertsCdf) {
  const FifoModel model(MakeLoad(Discipline::kFifo, {{9, 0.02, 0, 0.03}, {5, 0.01, 0.5, 0.03}}));
  for (const size_t app : {0u, 1u}) {
    for (const double p : {0.8, 0.95, 0.99})
      EXPECT_NEAR(model.Cdf(app, model.Quantile(app, p)), p, 1e-5);
  }
}

TEST(TimeSharedModel, OneModelIsAFifoQueue) {
  const auto shared = PredictOne(Discipline::kTimeShared, {20, 0.02, 0.5}),
             fifo = PredictOne(Discipline::kFifo, {20, 0.02, 0.5});
  EXPECT_DOUBLE_EQ(shared.mean_s, fifo.mean_s);
}

TEST(TimeSharedModel, TotalWorkIsThatOfOneQueue) {
  // Work conservation: sum over executors of queued work and half a job in service.
  const auto load = MakeLoad(Discipline::kTimeShared, {{8, 0.03}, {10, 0.02}, {30, 0.01}});
  const auto prediction = Predict(load);
  EXPECT_NEAR(prediction.utilization, 0.74, 1e-12);
  double m2 = 0, response_work = 0;
  for (size_t i = 0; i < 3; ++i) {
    const auto& app = load.apps[i];
    m2 += app.rate_rps * app.service.mean_s * app.service.mean_s;
    response_work += app.rate_rps * app.service.mean_s * prediction.apps[i].mean_s;
  }
  const double total = m2 / (2 * (1 - 0.74));
  EXPECT_GT(response_work, total);     // what is in service counts whole here,
  EXPECT_LT(response_work, 2 * total); // but half of it is done
}

TEST(TimeSharedModel, IsFasterThanOneQueueForShortRequestsBesideLongOnes) {
  const std::vector<LoadRow> rows = {{20, 0.002}, {2, 0.2}};
  EXPECT_LT(Predict(MakeLoad(Discipline::kTimeShared, rows)).apps[0].mean_s,
            Predict(MakeLoad(Discipline::kFifo, rows)).apps[0].mean_s);
}

TEST(ProcessorSharingModel, MeanIsServiceOverIdleShare) {
  const auto two = Predict(MakeLoad(Discipline::kProcessorSharing, {{10, 0.03, 3}, {10, 0.02}}));
  EXPECT_NEAR(two.apps[0].mean_s, 0.06, 1e-15);
  EXPECT_NEAR(two.apps[1].mean_s, 0.04, 1e-15);
}

TEST(ErlangC, HasItsClosedForms) {
  EXPECT_NEAR(ErlangC(1, 0.7), 0.7, 1e-15);
  EXPECT_NEAR(ErlangC(2, 1.0), 1.0 / 3, 1e-15);
  EXPECT_EQ(ErlangC(4, 4), 1);
  EXPECT_EQ(ErlangC(4, 0), 0);
}

TEST(ErlangC, IsSafeForManyServers) {
  const double c = ErlangC(10000, 9900);
  EXPECT_GT(c, 0.0);
  EXPECT_LT(c, 1.0);
  EXPECT_EQ(ErlangC(10000, 1e-300), 0);
}

TEST(MultiServerModel, OneCoreIsAFifoQueue) {
  const auto one = PredictOne(Discipline::kMultiServer, {30, 0.02, 0.4}),
             fifo = PredictOne(Discipline::kFifo, {30, 0.02, 0.4});
  EXPECT_NEAR(one.mean_s, fifo.mean_s, 1e-12);
  EXPECT_NEAR(one.p95_s / fifo.p95_s, 1, 0.02);
}

TEST(MultiServerModel, HasTheMmcTail) {
  const auto one = PredictOne(Discipline::kMultiServer, {50, 0.02, 1}, 2);
  const double c = 1.0 / 3, mu = 50, d = 50; // 2 mu - lambda == mu: the Erlang case
  const double t = one.p95_s;
  EXPECT_NEAR((1 - c) * std::exp(-mu * t) + c * (1 + d * t) * std::exp(-mu * t), 0.05, 1e-9);
}

TEST(Predict, UnstableLoadHasNoPredictions) {
  for (const auto discipline : kDisciplines) {
    const auto prediction = Predict(MakeLoad(discipline, {{100, 0.01}}));
    EXPECT_FALSE(prediction.stable);
    EXPECT_DOUBLE_EQ(prediction.utilization, 1);
    EXPECT_TRUE(prediction.apps.empty());
  }
}

TEST(Predict, EmptyDeviceIsIdle) {
  for (const auto discipline : kDisciplines) {
    const auto prediction = Predict(MakeLoad(discipline, {}));
    EXPECT_TRUE(prediction.stable);
    EXPECT_EQ(prediction.utilization, 0);
  }
}

TEST(Predict, NextToNoLoadIsTheServiceTime) {
  for (const auto discipline : kDisciplines) {
    const auto prediction = Predict(MakeLoad(discipline, {{1e-6, 0.01}, {1e-6, 1}}, 2));
    EXPECT_NEAR(prediction.apps[0].mean_s, 0.01, 1e-6) << ToString(discipline);
    EXPECT_NEAR(prediction.apps[1].p99_s, 1, 1e-5) << ToString(discipline);
  }
}

TEST(Predict, NearSaturationIsFinite) {
  for (const auto discipline : kDisciplines) {
    for (const double rho : {0.999, 0.999999, 1 - 1e-8}) {
      const auto load = MakeLoad(discipline, {{rho * 30, 0.01, 0, 0}, {rho * 35, 0.02, 1, 0}}, 1);
      const auto prediction = Predict(load);
      ASSERT_TRUE(prediction.stable);
      ExpectFinite(prediction);
    }
  }
}

TEST(Predict, ExtremesOfRateAndServiceAreFinite) {
  for (const auto discipline : kDisciplines) {
    ExpectFinite(Predict(MakeLoad(discipline, {{5e5, 1e-6, 0, 1e-7}, {1e-6, 100, 0, 100}, {1e-6, 1e-6, 5, 100}})));
  }
}

/// Applications that respond alike are computed once; those that differ in anything are not taken for another.
TEST(Predict, EveryFifoApplicationHasItsOwnAnswer) {
  DeviceLoad load = MakeLoad(Discipline::kFifo, {{1, 0.010, 0, 0.02, "m"},
                                                 {2, 0.010, 0, 0.02, "m"},
                                                 {1, 0.010, 0, 0.03, "m"},
                                                 {1, 0.010, 0.5, 0.02, "m"},
                                                 {1, 0.011, 0, 0.02, "m"},
                                                 {1, 0.010, 0, 0.02, "o"},
                                                 {3, 0.010, 0, 0.02, "o"},
                                                 {1, 0.010, 0, 0.02, "m"}});
  load.apps.back().tail_s = 0.001;
  const DeviceResponse response = Solve(load);
  const DevicePrediction prediction = PredictionOf(load, response);
  ASSERT_EQ(prediction.apps.size(), load.apps.size());
  for (size_t i = 0; i < load.apps.size(); ++i) {
    SCOPED_TRACE(i);
    EXPECT_EQ(prediction.apps[i].app, load.apps[i].app);
    for (const auto statistic : {Statistic::kMean, Statistic::kP50, Statistic::kP95, Statistic::kP99})
      EXPECT_EQ(prediction.apps[i].at(statistic), response.At(i, statistic));
  }
}

TEST(Predict, SixtyFourModelsAreFinite) {
  for (const auto discipline : kDisciplines) {
    std::vector<LoadRow> rows;
    for (int i = 0; i < 64; ++i)
      rows.push_back({0.4, 0.005 + 0.001 * i, i % 2 * 0.5, i % 3 * 0.001});
    const auto response = Solve(MakeLoad(discipline, rows));
    ASSERT_TRUE(response.stable) << response.utilization;
    for (const size_t app : {0u, 63u}) {
      const double p50 = response.At(app, Statistic::kP50), p99 = response.At(app, Statistic::kP99);
      EXPECT_TRUE(std::isfinite(p99)) << ToString(discipline);
      EXPECT_GE(p50, rows[app].service_s * (rows[app].scv > 0 ? 0 : 1)) << ToString(discipline);
      EXPECT_GT(p99, p50) << ToString(discipline);
    }
  }
}

TEST(Predict, BurstyArrivalsWaitLongerAndSmoothOnesCountAsPoisson) {
  for (const auto discipline : kDisciplines) {
    auto load = MakeLoad(discipline, {{20, 0.01, 1}, {10, 0.02, 1}});
    const auto poisson = Predict(load).apps[0];
    load.apps[0].arrival_scv = 4;
    const auto bursty = Predict(load).apps[0];
    load.apps[0].arrival_scv = 0;
    const auto smooth = Predict(load).apps[0];
    EXPECT_GT(bursty.mean_s, poisson.mean_s * 1.01) << ToString(discipline);
    EXPECT_GT(bursty.p95_s, poisson.p95_s * 1.01) << ToString(discipline);
    EXPECT_EQ(smooth.mean_s, poisson.mean_s) << ToString(discipline);
  }
}

TEST(Solve, MeetsAgreesWithAt) {
  for (const auto discipline : kDisciplines) {
    const auto response = Solve(MakeLoad(discipline, {{20, 0.01, 0.5, 0.005}, {5, 0.04, 0, 0.01}}));
    for (const auto statistic : {Statistic::kMean, Statistic::kP50, Statistic::kP95, Statistic::kP99}) {
      for (const size_t app : {0u, 1u}) {
        const double value = response.At(app, statistic);
        EXPECT_TRUE(response.Meets(app, statistic, value * 1.001)) << ToString(discipline) << ToString(statistic);
        EXPECT_FALSE(response.Meets(app, statistic, value * 0.999)) << ToString(discipline) << ToString(statistic);
      }
    }
  }
}

TEST(Solve, RareSlowModelIsDecidedExactly) {
  // The fast percentiles are far off here: a frequent fast model beside a rare slow one.
  const auto response = Solve(MakeLoad(Discipline::kFifo, {{20, 0.005, 0, 0.001}, {0.05, 0.125, 0, 0.02}}));
  const double exact = response.exact->Quantile(0, 0.99);
  EXPECT_GT(std::abs(response.exact->Approximate(0).Quantile(0.99) / exact - 1), 0.05);
  EXPECT_TRUE(response.Meets(0, Statistic::kP99, exact * 1.001));
  EXPECT_FALSE(response.Meets(0, Statistic::kP99, exact * 0.999));
}

TEST(ServiceClasses, MomentsOfASumWithAConstant) {
  const auto m = MomentsOf(ServiceTime{2, 0.5}, 3); // gamma: E S = 2, E S^2 = 6, E S^3 = 24
  EXPECT_DOUBLE_EQ(m.first, 5);
  EXPECT_DOUBLE_EQ(m.second, 6 + 2 * 3 * 2 + 9);
  EXPECT_DOUBLE_EQ(m.third, 24 + 3 * 3 * 6 + 3 * 9 * 2 + 27);
}

TEST(ServiceClasses, TransformHasTheMeanAsItsSlope) {
  for (const double scv : {0.0, 1e-10, 0.3, 1.0, 5.0}) {
    EXPECT_NEAR((1 - Transform(ServicePart{1, 0.2, scv}, 1e-6)) / 1e-6, 0.2, 1e-6) << scv;
    const std::complex<double> x(1.5, 0);
    EXPECT_NEAR(Transform(ServicePart{1, 0.2, scv}, x).real(), Transform(ServicePart{1, 0.2, scv}, 1.5), 1e-6) << scv;
  }
}

TEST(Statistics, HaveTheirProbabilityAndTheirPlace) {
  const AppPrediction app{.app = AppId("a"), .mean_s = 1, .p50_s = 2, .p95_s = 3, .p99_s = 4};
  EXPECT_EQ(app.at(Statistic::kMean), 1);
  EXPECT_EQ(app.at(Statistic::kP50), 2);
  EXPECT_EQ(app.at(Statistic::kP95), 3);
  EXPECT_EQ(app.at(Statistic::kP99), 4);
  EXPECT_EQ(ProbabilityOf(Statistic::kP50), 0.5);
  EXPECT_EQ(ProbabilityOf(Statistic::kP99), 0.99);
}

TEST(Solve, IsStableUpToTheLimitAndNoFarther) {
  for (const auto discipline : kDisciplines) {
    EXPECT_TRUE(Solve(MakeLoad(discipline, {{kStableUtilization - 1e-9, 1}})).stable) << ToString(discipline);
    EXPECT_FALSE(Solve(MakeLoad(discipline, {{kStableUtilization, 1}})).stable) << ToString(discipline);
  }
}

TEST(Solve, UnstableDevicesMeetNothing) {
  const auto response = Solve(MakeLoad(Discipline::kFifo, {{2, 1}}));
  EXPECT_FALSE(response.MeetsAll({std::nullopt}));
  EXPECT_EQ(response.MeetsEach({std::nullopt}), (std::vector<char>{0}));
}

TEST(Solve, SeveralProbabilitiesAreThoseOfEach) {
  for (const auto discipline : kDisciplines) {
    const auto response = Solve(MakeLoad(discipline, {{20, 0.01, 0.5, 0.005}, {5, 0.04, 0, 0.01}}));
    const std::vector<ResponseLimit> limits = {{0, 0.02}, {1, 0.05}, {0, 0.1}};
    std::vector<double> together(limits.size());
    response.Within(limits, together);
    for (size_t n = 0; n < limits.size(); ++n)
      EXPECT_NEAR(together[n], response.Within(limits[n].app, limits[n].limit_s), 1e-12) << ToString(discipline);
  }
}

TEST(Solve, OnlySeveralModelsUnderTimeSharingAreRough) {
  for (const auto discipline : kDisciplines) {
    EXPECT_EQ(Solve(MakeLoad(discipline, {{1, 0.1}, {1, 0.2}})).rough, discipline == Discipline::kTimeShared);
    EXPECT_FALSE(Solve(MakeLoad(discipline, {{1, 0.1, 0, 0, "m"}, {1, 0.2, 0, 0, "m"}})).rough);
  }
}

TEST(Utilization, SpreadsOverCoresUnderMultiServerOnly) {
  for (const auto discipline : kDisciplines) {
    const double expected = discipline == Discipline::kMultiServer ? 0.2 : 0.8;
    EXPECT_DOUBLE_EQ(Utilization(MakeLoad(discipline, {{4, 0.2}}, 4)), expected) << ToString(discipline);
  }
}

} // namespace
} // namespace avocet
