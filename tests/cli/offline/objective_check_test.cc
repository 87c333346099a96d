#include "cli/offline/objective_check.h"

#include <cmath>

#include <gtest/gtest.h>

#include "tests/controller/queueing/load_builder.h"
#include "tests/support/two_nodes.h"

namespace avocet {
namespace {

/// M/M/1 with a mean of 20 ms.
NodeLoad Mm1() {
  return {.cores = 1, .devices = {MakeLoad(Discipline::kFifo, {{50, 0.01, 1}})}, .preprocess_s = {0}};
}

/// An application whose true mean is `ratio` of its objective.
std::vector<Application> WithTrueRatio(double ratio) {
  return {MakeApp("a00", "m", {.statistic = Statistic::kMean, .latency_ms = 20 / ratio})};
}

ObjectiveFinding Check(const std::vector<Application>& apps, const ObjectiveCheckOptions& options = {}) {
  return CheckObjectives(Mm1(), apps, options).at(0);
}

TEST(ObjectiveCheck, FarFromTheLimitTheFirstLookIsEnough) {
  const auto kept = Check(WithTrueRatio(0.9));
  EXPECT_EQ(kept.promise, Promise::kKept);
  EXPECT_EQ(kept.simulated_s, 3000);
  EXPECT_EQ(kept.app, AppId("a00"));
  EXPECT_NEAR(kept.ratio, 0.9, 0.03);
  EXPECT_LT(kept.interval.high.value(), 1.03);
}

TEST(ObjectiveCheck, WhatIsBrokenWasSeenAgainForAtLeastTenThousandSeconds) {
  const auto broken = Check(WithTrueRatio(1.15));
  EXPECT_EQ(broken.promise, Promise::kBroken);
  EXPECT_GE(broken.simulated_s, 10000);
  EXPECT_GT(broken.interval.low, 1.03);
}

TEST(ObjectiveCheck, OnTheBoundItPlaysToTheEndAndLeavesItOpen) {
  const auto open = Check(WithTrueRatio(1.03), {.first_s = 100, .most_s = 800});
  EXPECT_EQ(open.promise, Promise::kUndecided);
  EXPECT_EQ(open.simulated_s, 800);
  EXPECT_LT(open.interval.low, 1.03);
  EXPECT_GT(open.interval.high.value(), 1.03);
}

TEST(ObjectiveCheck, LessThanThreePercentTooMuchIsTolerated) {
  EXPECT_EQ(Check(WithTrueRatio(1.01)).promise, Promise::kKept);
}

TEST(ObjectiveCheck, ChanceAloneIsNoViolation) {
  // Short first runs flag what is kept, now and then; the second run does not.
  const double truth = 1.03;
  const ObjectiveCheckOptions hasty{.first_s = 200, .confirm_s = 2000, .most_s = 2000};
  int flagged = 0;
  for (uint64_t seed = 1; seed <= 400; ++seed) {
    NodeSimulation first(Mm1(), seed, hasty.warm_up_s);
    first.Run(hasty.warm_up_s + hasty.first_s);
    if (ConfidenceInterval(Statistic::kMean, first.Responses(0))->low * truth <= 1.03 * 0.02) continue;
    ++flagged;
    auto options = hasty;
    options.seed = seed;
    EXPECT_NE(Check(WithTrueRatio(truth), options).promise, Promise::kBroken) << "seed " << seed;
  }
  EXPECT_GT(flagged, 0);
}

TEST(ObjectiveCheck, PercentilesHaveTheirOwnLimit) {
  const double p95_ms = -20 * std::log(0.05);
  const auto at = [&](double ratio) {
    return Check({MakeApp("a00", "m", {.statistic = Statistic::kP95, .latency_ms = p95_ms / ratio})});
  };
  EXPECT_EQ(at(0.9).promise, Promise::kKept);
  EXPECT_NEAR(at(0.9).ratio, 0.9, 0.04);
  EXPECT_EQ(at(1.2).promise, Promise::kBroken);
}

TEST(ObjectiveCheck, TheNetworkAllowanceCountsOnBothSides) {
  const auto app = MakeApp("a00", "m", {.statistic = Statistic::kMean, .latency_ms = 40, .network_allowance_ms = 10});
  EXPECT_NEAR(Check({app}).ratio, 0.75, 0.02);
}

TEST(ObjectiveCheck, ADeviceThatCannotKeepUpBreaksItsPromises) {
  const NodeLoad load{.cores = 1, .devices = {MakeLoad(Discipline::kFifo, {{120, 0.01, 0}})}, .preprocess_s = {0}};
  EXPECT_EQ(CheckObjectives(load, WithTrueRatio(0.1), {}).at(0).promise, Promise::kBroken);
}

TEST(ObjectiveCheck, WhatIsTooRareToBeSeenStaysOpen) {
  const NodeLoad load{.cores = 1, .devices = {MakeLoad(Discipline::kFifo, {{0.001, 0.01, 0}})}, .preprocess_s = {0}};
  EXPECT_EQ(CheckObjectives(load, WithTrueRatio(0.1), {}).at(0).promise, Promise::kUndecided);
}

TEST(ObjectiveCheck, ANodeIsCheckedWithAllItsDevices) {
  ViewBuilder builder;
  builder.Device("n/d", {.discipline = Discipline::kFifo})
      .Device("n/e")
      .Device("other/d")
      .Model("m:1", {.service_ms = 10, .scv = 1})
      .Resident(MakeApp("tight", "m", {.rate_rps = 50, .latency_ms = 15}), "n/d")
      .Resident(MakeApp("wide", "m", {.rate_rps = 50, .latency_ms = 30}), "n/e")
      .Resident(MakeApp("elsewhere", "m"), "other/d");
  const auto findings = CheckNode(builder.Build(), NodeId("n"), {});
  ASSERT_EQ(findings.size(), 2U);
  EXPECT_EQ(findings[0].app, AppId("tight"));
  EXPECT_EQ(findings[0].promise, Promise::kBroken);
  EXPECT_EQ(findings[1].promise, Promise::kKept);
  EXPECT_TRUE(CheckNode(builder.Build(), NodeId("nobody"), {}).empty());
}

// --- histories ------------------------------------------------------------------------------------

constexpr ObjectiveCheckOptions kQuick{.first_s = 300, .confirm_s = 600, .most_s = 1200};

// M/D/1 at utilization 0.1 k: 10 ms + 10 ms x 0.1 k / (2 (1 - 0.1 k)) exceeds 20.6 ms from k = 7 on.
TEST(FirstBrokenStep, IsTheStepThatWasTooMuch) {
  const auto run = Filled(9);
  EXPECT_EQ(FirstBrokenStep(run, NodeId("n"), 9, kQuick), 6U);
  EXPECT_EQ(FirstBrokenStep(run, NodeId("n"), 7, kQuick), 6U);
  EXPECT_EQ(FirstBrokenStep(run, NodeId("n"), 6, kQuick), std::nullopt);
  EXPECT_EQ(FirstBrokenStep(run, NodeId("o"), 9, kQuick), std::nullopt);
}

TEST(FirstBrokenStep, SeesWhatAMoveMendedLater) {
  auto run = Filled(8);
  run.Take(Admit(8, "o/d",
                 {{AppId("a0"), DeviceId("n/d"), DeviceId("o/d")},
                  {AppId("a1"), DeviceId("n/d"), DeviceId("o/d")},
                  {AppId("a2"), DeviceId("n/d"), DeviceId("o/d")}}));
  EXPECT_EQ(FirstBrokenStep(run, NodeId("n"), 9, kQuick), 6U);
}

TEST(FirstBrokenStep, LooksBehindAMoveAsWell) {
  auto run = Filled(5);
  run.Take(Admit(5, "o/d", {{AppId("a0"), DeviceId("n/d"), DeviceId("o/d")}})); // 4 left
  for (int i = 6; i < 11; ++i)
    run.Take(Admit(i, "n/d")); // the third makes 7
  EXPECT_EQ(FirstBrokenStep(run, NodeId("n"), 11, kQuick), 8U);
}

} // namespace
} // namespace avocet
