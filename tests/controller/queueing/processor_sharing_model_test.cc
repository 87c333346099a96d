#include "controller/queueing/processor_sharing_model.h"

#include <cmath>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "tests/controller/queueing/any_load.h"
#include "tests/controller/queueing/queue_simulator.h"

namespace avocet {
namespace {

/// Variance of the response of a request of size x in M/M/1 processor sharing (E. G. Coffman, R. R. Muntz,
/// H. Trotter, J. ACM 17, 1970). In units of the background's mean service.
double ConditionalVariance(double rho, double x) {
  const double idle = 1 - rho;
  return 2 * rho * x / std::pow(idle, 3) + 2 * rho * std::expm1(-x * idle) / std::pow(idle, 4);
}

/// A rare request of constant size beside exponential ones of mean 1.
DeviceLoad BesideExponential(double rho, double size) {
  return MakeLoad(Discipline::kProcessorSharing, {{1e-12, size}, {rho, 1, 1}});
}

TEST(ProcessorSharingMean, DoesNotDependOnTheDistribution) {
  for (const double scv : {0.0, 0.3, 1.0, 20.0}) {
    const ProcessorSharingModel model(MakeLoad(Discipline::kProcessorSharing, {{10, 0.03, scv}, {10, 0.05, 1}}));
    EXPECT_NEAR(model.Mean(0), 0.03 / 0.2, 1e-12) << scv;
    EXPECT_NEAR(model.Mean(1), 0.05 / 0.2, 1e-12) << scv;
  }
}

TEST(ProcessorSharingMean, CountsAllOfAMixture) {
  auto load = MakeLoad(Discipline::kProcessorSharing, {{10, 0.03}});
  load.apps[0].service = ServiceMixture({{0.5, 0.02, 0}, {0.5, 0.06, 1}});
  EXPECT_NEAR(ProcessorSharingModel(load).Mean(0), 0.04 / 0.6, 1e-12);
}

TEST(ProcessorSharingMean, BurstsStretchTheDelay) {
  auto load = MakeLoad(Discipline::kProcessorSharing, {{10, 0.05}});
  load.apps[0].arrival_scv = 3; // share 2: the delay is three times that of Poisson arrivals
  EXPECT_NEAR(ProcessorSharingModel(load).Mean(0), 0.05 + 3 * 0.05, 1e-12);
}

TEST(ProcessorSharingVariance, IsThatOfCoffmanMuntzAndTrotter) {
  for (const double rho : {0.1, 0.5, 0.9}) {
    for (const double size : {0.01, 0.3, 1.0, 5.0, 40.0}) {
      const double sd = ProcessorSharingModel(BesideExponential(rho, size)).Approximate(0).StandardDeviation();
      EXPECT_NEAR(sd / std::sqrt(ConditionalVariance(rho, size)), 1, 2e-3) << rho << " " << size;
    }
  }
}

TEST(ProcessorSharingVariance, OfExponentialServiceHasItsClosedForm) {
  // (2 + rho) / (2 - rho) times the squared mean; two sizes stand for all, which costs a few percent.
  for (const double rho : {0.1, 0.5, 0.8}) {
    const ProcessorSharingModel model(MakeLoad(Discipline::kProcessorSharing, {{rho, 1, 1}}));
    const double expected = std::sqrt((2 + rho) / (2 - rho)) * model.Mean(0);
    EXPECT_NEAR(model.Approximate(0).StandardDeviation() / expected, 1, 0.05) << rho;
  }
}

TEST(ProcessorSharingDistribution, HasTheExactChanceOfNoDelay) {
  // An idle device on arrival, and nobody else while it is served.
  const auto mixture =
      ProcessorSharingModel(MakeLoad(Discipline::kProcessorSharing, {{10, 0.02}, {5, 0.06, 1}})).Approximate(0);
  EXPECT_NEAR(mixture.Cdf(0.02), 0.5 * std::exp(-15 * 0.02), 1e-9);
  EXPECT_EQ(mixture.Cdf(0.0199), 0);
}

TEST(ProcessorSharingDistribution, OfNextToNoLoadIsTheService) {
  const auto mixture = ProcessorSharingModel(MakeLoad(Discipline::kProcessorSharing, {{1e-9, 2, 1}})).Approximate(0);
  for (const double t : {0.5, 2.0, 8.0})
    EXPECT_NEAR(mixture.Cdf(t), 1 - std::exp(-t / 2), 1e-6) << t;
}

TEST(ProcessorSharingDistribution, IsCloseToASimulation) {
  const auto load = MakeLoad(Discipline::kProcessorSharing, {{10, 0.03}, {4, 0.06, 0.5}, {1, 0.2}});
  const ProcessorSharingModel model(load);
  const auto simulated = SimulatedApps(load, {.seed = 4, .requests = 600000});
  for (size_t i = 0; i < 3; ++i) {
    const auto mixture = model.Approximate(i);
    EXPECT_NEAR(mixture.Quantile(0.95) / simulated[i].p95_s, 1, 0.04) << i;
    EXPECT_NEAR(mixture.Quantile(0.99) / simulated[i].p99_s, 1, 0.06) << i;
  }
}

TEST(ProcessorSharingDistribution, IsFiniteForExtremeSizes) {
  for (const double size : {1e-7, 1e-3, 1e3, 1e6}) {
    const double p99 = ProcessorSharingModel(BesideExponential(0.9, size)).Approximate(0).Quantile(0.99);
    EXPECT_TRUE(std::isfinite(p99)) << size;
    EXPECT_GE(p99, size) << size;
  }
}

TEST(ProcessorSharingDistribution, OfAVeryLongRequestIsNearlyConstant) {
  // The law of large numbers: it sees the average share of the device.
  const auto mixture = ProcessorSharingModel(BesideExponential(0.5, 1e6)).Approximate(0);
  EXPECT_NEAR(mixture.Quantile(0.99) / 2e6, 1, 0.01);
  EXPECT_NEAR(mixture.Quantile(0.01) / 2e6, 1, 0.01);
}

RC_GTEST_PROP(ProcessorSharingProperties, TheDistributionHasTheMean, ()) {
  auto load = AnyLoad(Discipline::kProcessorSharing, {});
  for (auto& app : load.apps)
    app.arrival_scv = *rc::gen::element(1.0, 1.0, 4.0);
  const ProcessorSharingModel model(load);
  for (size_t i = 0; i < load.apps.size(); ++i)
    RC_ASSERT(IsClose(model.Approximate(i).Mean(), model.Mean(i), 1e-8));
}

RC_GTEST_PROP(ProcessorSharingProperties, LongerRequestsAreNeverFaster, ()) {
  const double rho = Between(0.05, 0.95), size = Between(0.01, 30);
  const auto shorter = ProcessorSharingModel(BesideExponential(rho, size)).Approximate(0);
  const auto longer = ProcessorSharingModel(BesideExponential(rho, size * 1.1)).Approximate(0);
  RC_ASSERT(longer.Quantile(0.5) >= shorter.Quantile(0.5) * (1 - 1e-3));
  RC_ASSERT(longer.Quantile(0.99) >= shorter.Quantile(0.99) * (1 - 1e-3));
}

} // namespace
} // namespace avocet
