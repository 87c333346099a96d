#include "controller/queueing/multi_server_model.h"

#include <cmath>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "tests/controller/queueing/any_load.h"
#include "tests/controller/queueing/queue_simulator.h"

namespace avocet {
namespace {

/// The textbook sum, for few servers.
double ErlangCBySum(int servers, double offered) {
  double sum = 0, term = 1; // offered^k / k!
  for (int k = 0; k < servers; ++k, term *= offered / k)
    sum += term;
  const double waiting = term * servers / (servers - offered);
  return waiting / (sum + waiting);
}

/// P(response > t) in M/M/c, service rate 1 of each server, c - offered != 1.
double MmcSurvival(int servers, double offered, double t) {
  const double waits = ErlangCBySum(servers, offered), drain = servers - offered;
  return std::exp(-t) * (1 - waits) + waits * (drain * std::exp(-t) - std::exp(-drain * t)) / (drain - 1);
}

DeviceLoad Exponential(int servers, double offered) {
  return MakeLoad(Discipline::kMultiServer, {{offered, 1, 1}}, servers);
}

TEST(ErlangCValues, AreThoseOfTheTextbookSum) {
  for (const int servers : {1, 2, 3, 5, 10, 20}) {
    for (const double rho : {0.01, 0.3, 0.8, 0.99})
      EXPECT_NEAR(ErlangC(servers, rho * servers), ErlangCBySum(servers, rho * servers), 1e-12)
          << servers << " " << rho;
  }
}

TEST(ErlangCValues, AreThoseOfPublishedTables) {
  EXPECT_NEAR(ErlangC(3, 2), 4.0 / 9, 1e-12);
  EXPECT_NEAR(ErlangC(5, 4), 0.554113, 1e-6);
  EXPECT_NEAR(ErlangC(10, 8), 0.409180, 1e-6);
}

TEST(ErlangCValues, ReachOneAtSaturationAndStayThere) {
  EXPECT_NEAR(ErlangC(4, 4 - 1e-9), 1, 1e-8);
  EXPECT_EQ(ErlangC(4, 4), 1);
  EXPECT_EQ(ErlangC(4, 4.1), 1);
}

RC_GTEST_PROP(ErlangCProperties, GrowsWithTheLoadAndFallsWithServers, ()) {
  const int servers = *rc::gen::inRange(1, 200);
  const double offered = servers * Between(0.01, 0.98), c = ErlangC(servers, offered);
  RC_ASSERT(c >= 0 && c <= 1);
  RC_ASSERT(ErlangC(servers, offered * 1.01) >= c);
  RC_ASSERT(ErlangC(servers + 1, offered) <= c);
}

TEST(MultiServerSharingFactor, OfOneServerIsOneOverTheIdleShare) {
  EXPECT_NEAR(MultiServerSharingFactor(1, 0.75), 4, 1e-12);
}

TEST(MultiServerSharingFactor, OfAnIdleNodeIsOne) {
  EXPECT_EQ(MultiServerSharingFactor(4, 0), 1);
}

TEST(MultiServerSharingFactor, OfTwoServersHasItsClosedForm) {
  // M/M/2: the mean response is s / (1 - rho^2).
  EXPECT_NEAR(MultiServerSharingFactor(2, 1.2), 1 / (1 - 0.36), 1e-12);
}

TEST(MultiServerMean, IsThatOfMmc) {
  for (const int servers : {1, 2, 3, 8}) {
    const double offered = 0.8 * servers;
    const double wait = ErlangCBySum(servers, offered) / (servers - offered);
    EXPECT_NEAR(MultiServerModel(Exponential(servers, offered)).MeanWait(), wait, 1e-10) << servers;
  }
}

TEST(MultiServerMean, OfConstantServiceWaitsHalfAsLong) {
  const MultiServerModel constant(MakeLoad(Discipline::kMultiServer, {{2.4, 1}}, 3));
  EXPECT_NEAR(constant.MeanWait(), MultiServerModel(Exponential(3, 2.4)).MeanWait() / 2, 1e-12);
}

TEST(MultiServerMean, AllApplicationsWaitAlike) {
  const MultiServerModel model(MakeLoad(Discipline::kMultiServer, {{1, 0.5, 1}, {2, 0.7}}, 2));
  EXPECT_NEAR(model.Mean(1) - model.Mean(0), 0.2, 1e-12);
}

TEST(MultiServerMean, OfOneCoreIsPollaczekKhinchineForAnyMix) {
  const MultiServerModel model(MakeLoad(Discipline::kMultiServer, {{10, 0.01, 1}, {2, 0.2}}));
  EXPECT_NEAR(model.MeanWait(), (10 * 2 * 1e-4 + 2 * 0.04) / 2 / 0.5, 1e-12);
}

TEST(MultiServerMean, BurstsStretchTheWait) {
  auto load = MakeLoad(Discipline::kMultiServer, {{2.4, 1}}, 3);
  const double calm = MultiServerModel(load).MeanWait();
  load.apps[0].arrival_scv = 2;
  EXPECT_NEAR(MultiServerModel(load).MeanWait(), 2 * calm, 1e-12);
}

TEST(MultiServerDistribution, IsThatOfMmc) {
  for (const int servers : {2, 3, 8}) {
    for (const double rho : {0.3, 0.9}) {
      const double offered = rho * servers;
      const auto mixture = MultiServerModel(Exponential(servers, offered)).Approximate(0);
      for (const double t : {0.1, 1.0, 4.0, 12.0})
        EXPECT_NEAR(mixture.Survival(t), MmcSurvival(servers, offered, t), 1e-9) << servers << " " << rho << " " << t;
    }
  }
}

TEST(MultiServerDistribution, DoesNotJumpWhereTheTwoExponentialsAreOne) {
  // c - offered = 1: the wait drains as fast as a request is served, and the difference of the two cancels.
  const double exact = MultiServerModel(Exponential(3, 2)).Approximate(0).Survival(2);
  for (const double off : {1e-3, 1e-5, 0.5e-6, 1e-8, 1e-12}) {
    const double close = MultiServerModel(Exponential(3, 2 + off)).Approximate(0).Survival(2);
    EXPECT_NEAR(close, exact, off + 1e-8) << off;
  }
}

TEST(MultiServerDistribution, IsCloseToASimulation) {
  const auto load = MakeLoad(Discipline::kMultiServer, {{30, 0.03, 0.5}, {10, 0.08, 1}}, 3);
  const MultiServerModel model(load);
  const auto simulated = SimulatedApps(load, {.seed = 8, .requests = 400000});
  for (size_t i = 0; i < 2; ++i) {
    EXPECT_NEAR(model.Mean(i) / simulated[i].mean_s, 1, 0.04) << i;
    EXPECT_NEAR(model.Approximate(i).Quantile(0.95) / simulated[i].p95_s, 1, 0.08) << i;
  }
}

RC_GTEST_PROP(MultiServerProperties, TheDistributionHasTheMean, ()) {
  const auto load = AnyLoad(Discipline::kMultiServer, {});
  const MultiServerModel model(load);
  for (size_t i = 0; i < load.apps.size(); ++i)
    RC_ASSERT(IsClose(model.Approximate(i).Mean(), model.Mean(i), 1e-8));
}

RC_GTEST_PROP(MultiServerProperties, AnotherCoreNeverLengthensTheWait, ()) {
  auto load = AnyLoad(Discipline::kMultiServer, {});
  const double wait = MultiServerModel(load).MeanWait();
  ++load.cores;
  RC_ASSERT(MultiServerModel(load).MeanWait() <= wait);
}

} // namespace
} // namespace avocet
