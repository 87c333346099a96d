#include "controller/queueing/fifo_model.h"

#include <cmath>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "tests/controller/queueing/any_load.h"
#include "tests/controller/queueing/queue_simulator.h"

namespace avocet {
namespace {

/// P(wait <= t) in M/D/1 (A. K. Erlang). Cancels for large t.
double Md1WaitCdf(double rate, double service, double t) {
  if (t < 0) return 0;
  double sum = 0;
  for (int k = 0; k * service <= t; ++k) {
    const double x = rate * (t - k * service);
    sum += std::pow(-x, k) / std::tgamma(k + 1) * std::exp(x);
  }
  return (1 - rate * service) * sum;
}

TEST(FifoModelMean, IsPollaczekKhinchine) {
  for (const double scv : {0.0, 0.25, 1.0, 4.0}) {
    for (const double rho : {0.01, 0.5, 0.9, 0.999}) {
      const FifoModel model(MakeLoad(Discipline::kFifo, {{rho / 0.02, 0.02, scv}}));
      EXPECT_NEAR(model.MeanWait() / (0.02 * rho * (1 + scv) / 2 / (1 - rho)), 1, 1e-9) << scv << " " << rho;
    }
  }
}

TEST(FifoModelMean, ClassesWithoutSwitchesWaitAlike) {
  // lam E[S^2] / 2 (1 - rho), with E[S^2] of all classes together.
  const FifoModel model(MakeLoad(Discipline::kFifo, {{10, 0.01, 1}, {2, 0.2}}));
  const double wait = (10 * 2 * 1e-4 + 2 * 0.04) / 2 / 0.5;
  EXPECT_NEAR(model.Mean(0), wait + 0.01, 1e-12);
  EXPECT_NEAR(model.Mean(1), wait + 0.2, 1e-12);
}

TEST(FifoModelDistribution, IsErlangsForConstantService) {
  // The distribution has kinks at whole service times, where an inversion is least exact.
  for (const double rho : {0.1, 0.5, 0.8}) {
    const FifoModel model(MakeLoad(Discipline::kFifo, {{rho / 0.1, 0.1}}));
    for (const double wait : {0.0, 0.03, 0.1, 0.15, 0.3, 0.55, 1.0})
      EXPECT_NEAR(model.Cdf(0, 0.1 + wait), Md1WaitCdf(rho / 0.1, 0.1, wait), wait == 0.1 ? 1e-3 : 1e-4) << rho << wait;
  }
}

TEST(FifoModelDistribution, OfNearlyConstantServiceIsNearlyErlangs) {
  // As the SCV falls the gamma's transform must not lose its digits before it counts as a constant's.
  for (const double scv : {1e-6, 1e-7, 1e-8, 1.1e-9, 0.9e-9}) {
    const FifoModel model(MakeLoad(Discipline::kFifo, {{5, 0.1, scv}}));
    for (const double wait : {0.03, 0.15, 0.55})
      EXPECT_NEAR(model.Cdf(0, 0.1 + wait), Md1WaitCdf(5, 0.1, wait), 2e-4) << scv << " " << wait;
  }
}

TEST(FifoModelDistribution, HasTheSecondMomentOfTakacs) {
  // Var W = E[W]^2 + lam E[S^3] / 3 (1 - rho); of exponential service 6 s^3 is the third moment.
  const double rate = 7, s = 0.1, rho = rate * s;
  for (const double scv : {0.0, 1.0}) {
    const FifoModel model(MakeLoad(Discipline::kFifo, {{rate, s, scv}}));
    const double third = s * s * s * (scv == 0 ? 1 : 6), wait = model.MeanWait();
    const double variance = wait * wait + rate * third / (3 * (1 - rho)) + scv * s * s;
    EXPECT_NEAR(model.Approximate(0).StandardDeviation(), std::sqrt(variance), 1e-9) << scv;
  }
}

/// With equal classes of equal rates each request switches with the same probability, whatever went before: M/G/1 with
/// two service times.
class EqualClasses : public ::testing::TestWithParam<int> {
protected:
  static constexpr double kService = 0.02, kSwitch = 0.03;

  const double models_ = GetParam(), share_ = 1 / models_;
  const double rate_ = 0.7 / (kService + (1 - share_) * kSwitch);
  const FifoModel classes_{
      MakeLoad(Discipline::kFifo,
               std::vector<LoadRow>(static_cast<size_t>(models_), LoadRow{rate_ / models_, kService, 0, kSwitch}))};
  const FifoModel one_ = [this] {
    auto load = MakeLoad(Discipline::kFifo, {{rate_, kService}});
    load.apps[0].service = ServiceMixture({{share_, kService, 0}, {1 - share_, kService + kSwitch, 0}});
    return FifoModel(load);
  }();
};

TEST_P(EqualClasses, HaveTheMeanOfOneClassWithTwoServiceTimes) {
  EXPECT_NEAR(classes_.Mean(0) / one_.Mean(0), 1, 1e-8);
}

TEST_P(EqualClasses, HaveItsSecondMoment) {
  EXPECT_NEAR(classes_.Approximate(0).StandardDeviation() / one_.Approximate(0).StandardDeviation(), 1, 1e-6);
}

TEST_P(EqualClasses, HaveItsDistribution) {
  for (const double t : {0.02, 0.04, 0.05, 0.08, 0.15, 0.3, 0.6})
    EXPECT_NEAR(classes_.Cdf(0, t), one_.Cdf(0, t), 2e-6) << t;
  for (const double p : {0.5, 0.95, 0.99})
    EXPECT_NEAR(classes_.Quantile(0, p) / one_.Quantile(0, p), 1, 1e-4) << p;
}

INSTANTIATE_TEST_SUITE_P(Models, EqualClasses, ::testing::Values(2, 3, 8, 20),
                         [](const auto& info) { return std::to_string(info.param); });

TEST(FifoModelDistribution, IsThatOfASimulation) {
  const auto load = MakeLoad(Discipline::kFifo, {{4, 0.03, 0, 0.08}, {6, 0.02, 0.5, 0.01}, {0.5, 0.1, 1, 0.2}});
  const FifoModel model(load);
  const auto sample = Simulate(load, {.seed = 17, .requests = 1000000});
  for (size_t app = 0; app < 3; ++app) {
    for (const double t : {0.02, 0.035, 0.12, 0.3, 0.8}) {
      const double error = 5 * 0.5 / std::sqrt(static_cast<double>(sample.Count(app)));
      EXPECT_NEAR(model.Cdf(app, t), sample.Cdf(app, t), 2 * error) << app << " " << t; // waits are correlated
    }
  }
}

TEST(FifoModelQuantile, BelowTheAtomsIsTheServiceTime) {
  const FifoModel model(MakeLoad(Discipline::kFifo, {{1, 0.02, 0, 0.03}, {1, 0.01, 0, 0.05}}));
  EXPECT_DOUBLE_EQ(model.Quantile(0, model.idle()[0] * 0.99), 0.02);
  EXPECT_GT(model.Quantile(0, model.idle()[0] * 1.01), 0.02);
  EXPECT_DOUBLE_EQ(model.Quantile(0, 0.8), 0.05) << "the atom of those that switch and do not wait";
}

TEST(FifoModelQuantile, MovesWithTheTail) {
  auto load = MakeLoad(Discipline::kFifo, {{20, 0.02}});
  const double without = FifoModel(load).Quantile(0, 0.95);
  load.apps[0].tail_s = 0.5;
  EXPECT_NEAR(FifoModel(load).Quantile(0, 0.95), without + 0.5, 2e-5 * 0.5);
}

TEST(FifoModelExactness, EndsNearSaturation) {
  EXPECT_TRUE(FifoModel(MakeLoad(Discipline::kFifo, {{0.9994, 1}})).IsExact());
  EXPECT_FALSE(FifoModel(MakeLoad(Discipline::kFifo, {{0.9996, 1}})).IsExact());
}

TEST(FifoModelExactness, EndsWithBurstyArrivals) {
  auto load = MakeLoad(Discipline::kFifo, {{10, 0.05}});
  load.apps[0].arrival_scv = 1.5;
  const FifoModel model(load);
  EXPECT_FALSE(model.IsExact());
  EXPECT_EQ(model.Cdf(0, 0.2), model.Approximate(0).Cdf(0.2));
  EXPECT_EQ(model.Quantile(0, 0.95), model.Approximate(0).Quantile(0.95));
}

TEST(FifoModelExactness, BurstsStretchTheWaitByTheirShare) {
  auto load = MakeLoad(Discipline::kFifo, {{10, 0.05}});
  const double wait = FifoModel(load).MeanWait();
  load.apps[0].arrival_scv = 3; // share (3 - 1) s^2 / s^2
  EXPECT_NEAR(FifoModel(load).MeanWait(), 3 * wait, 1e-12);
}

TEST(MeanWaitBounds, MeetWhereNothingSwitches) {
  const auto load = MakeLoad(Discipline::kFifo, {{10, 0.01, 1}, {2, 0.2}});
  const auto bounds = MeanWaitBounds(FifoClassesOf(load, GroupByModel(load)));
  EXPECT_NEAR(bounds.least_s / FifoModel(load).MeanWait(), 1, 1e-8);
  EXPECT_NEAR(bounds.most_s / bounds.least_s, 1, 1e-8);
}

TEST(SurvivalBounds, KnowNothingAtTheMean) {
  const FifoModel model(MakeLoad(Discipline::kFifo, {{10, 0.05, 0.5}}));
  const auto bounds = model.SurvivalBounds(0, model.Mean(0));
  EXPECT_EQ(bounds.least, 0);
  EXPECT_EQ(bounds.most, 1);
}

TEST(SurvivalBounds, AreCantellisAboveTheMean) {
  // M/M/1: the response is exponential, with a standard deviation of its mean.
  const FifoModel model(MakeLoad(Discipline::kFifo, {{50, 0.01, 1}}));
  EXPECT_NEAR(model.SurvivalBounds(0, 0.02 + 3 * 0.02).most, 1 / (1 + 9.0), 1e-9);
}

TEST(SurvivalBounds, ArePaleyAndZygmundsBelowTheMean) {
  // (mean - t)^2 / E[R^2], with E[R^2] = 2 mean^2.
  const FifoModel model(MakeLoad(Discipline::kFifo, {{50, 0.01, 1}}));
  EXPECT_NEAR(model.SurvivalBounds(0, 0.005).least, 0.015 * 0.015 / (2 * 0.02 * 0.02), 1e-9);
}

RC_GTEST_PROP(FifoModelProperties, BoundsHoldTheSurvival, ()) {
  const auto load = AnyLoad(Discipline::kFifo, {.switches = true});
  const FifoModel model(load);
  const size_t app = *rc::gen::inRange<size_t>(0, load.apps.size());
  const double t = model.Mean(app) * Between(0.1, 10), survival = 1 - model.Cdf(app, t);
  const auto bounds = model.SurvivalBounds(app, t);
  RC_ASSERT(bounds.least <= survival + 1e-6);
  RC_ASSERT(survival <= bounds.most + 1e-6);
}

RC_GTEST_PROP(FifoModelProperties, CdfNeverFalls, ()) {
  const auto load = AnyLoad(Discipline::kFifo, {.switches = true});
  const FifoModel model(load);
  const size_t app = *rc::gen::inRange<size_t>(0, load.apps.size());
  const double t = model.Mean(app) * Between(0.1, 10);
  RC_ASSERT(model.Cdf(app, t) <= model.Cdf(app, t * Between(1.001, 2)) + 1e-6);
}

RC_GTEST_PROP(FifoModelProperties, EveryClassHasTheSameMeanWait, ()) {
  const auto load = AnyLoad(Discipline::kFifo, {.switches = true});
  const FifoModel model(load);
  double total = 0;
  for (const auto& app : load.apps)
    total += app.rate_rps;
  for (size_t i = 0; i < load.apps.size(); ++i) {
    const auto& app = load.apps[i];
    const double switches = load.apps.size() > 1 ? 1 - app.rate_rps / total : 0;
    RC_ASSERT(IsClose(model.Mean(i), model.MeanWait() + app.service.mean_s + switches * app.switch_s, 1e-9));
  }
}

/// By an integral over the exact distribution, the mean that comes from the expansion at zero.
RC_GTEST_PROP(FifoModelProperties, TheDistributionHasTheMean, ()) {
  auto load = AnyLoad(Discipline::kFifo, {.switches = true});
  for (auto& app : load.apps)
    app.service.scv = std::max(app.service.scv, 0.2); // smooth, for the integral
  RC_PRE(Utilization(load) < 0.9);
  const FifoModel model(load);
  constexpr int kSteps = 400;
  const double end = model.Quantile(0, 1 - 1e-6);
  std::vector<ResponseLimit> limits; // dense where the times are short
  for (int i = 0; i <= kSteps; ++i)
    limits.push_back({0, end * std::pow(i / double{kSteps}, 3)});
  std::vector<double> within(limits.size());
  model.Cdf(limits, within);
  double mean = 0;
  for (size_t i = 1; i < limits.size(); ++i)
    mean += (1 - (within[i - 1] + within[i]) / 2) * (limits[i].limit_s - limits[i - 1].limit_s);
  RC_ASSERT(IsClose(mean, model.Mean(0), 0.01));
}

} // namespace
} // namespace avocet
