#include "controller/placement/assessment.h"

#include <cmath>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "tests/controller/placement/any_view.h"
#include "tests/controller/placement/asked.h"

namespace avocet {
namespace {

/// A fifo device, "m" of constant 10 ms; tolerances of 1, so that limits are objectives.
constexpr Policy kExact{.mean_tolerance = 1, .percentile_tolerance = 1};

ViewBuilder OneDevice(Discipline discipline = Discipline::kFifo) {
  ViewBuilder builder;
  builder.Node("n", {.cpu_cores = 1}).Device("n/d", {.discipline = discipline}).Model("m:1", {.service_ms = 10});
  return builder;
}

/// The device with the newcomer on it.
Tenancy With(const Asked& asked) {
  Tenancy tenancy = asked.occupancy[0];
  tenancy.Add(asked.DemandOn(0));
  return tenancy;
}

Assessment AssessApp(const AppOptions& options) {
  const Asked asked(OneDevice().Build(), MakeApp("a", "m", options), kExact);
  return Assess(With(asked));
}

TEST(Assessment, AMeanIsThatOfTheModel) {
  const auto assessed = AssessApp({.rate_rps = 50, .latency_ms = 100});
  EXPECT_TRUE(assessed.stable);
  EXPECT_NEAR(assessed.utilization, 0.5, 1e-12);
  EXPECT_NEAR(assessed.answers.at(0).latency_s, 0.015, 1e-9) << "M/D/1 at rho 0.5";
  EXPECT_FALSE(assessed.answers.at(0).fast);
}

TEST(Assessment, ALimitIsKeptUpToItself) {
  EXPECT_TRUE(AssessApp({.rate_rps = 50, .latency_ms = 15.0001}).AllKept());
  EXPECT_FALSE(AssessApp({.rate_rps = 50, .latency_ms = 14.9999}).AllKept());
}

TEST(Assessment, ADeviceThatDoesNotKeepUpAnswersNothing) {
  const auto assessed = AssessApp({.rate_rps = 100, .latency_ms = 60000});
  EXPECT_FALSE(assessed.stable);
  EXPECT_FALSE(assessed.AllKept());
  EXPECT_EQ(assessed.rate_factor, 0);
  ASSERT_EQ(assessed.answers.size(), 1U);
  EXPECT_FALSE(assessed.answers[0].bounded);
}

TEST(Assessment, PreprocessingAddsToTheLatency) {
  // One core at 0.2: 20 ms / (1 - 0.2).
  const auto assessed = AssessApp({.rate_rps = 10, .latency_ms = 100, .preprocess_ms = 20});
  EXPECT_NEAR(assessed.answers.at(0).latency_s, 0.025 + 0.01 + 0.01 * 0.1 / (2 * 0.9), 1e-6);
}

TEST(Assessment, CoresThatDoNotKeepUpConcernOnlyWhoWaitsForThem) {
  auto builder = OneDevice();
  builder.Resident(MakeApp("r", "m", {.rate_rps = 10}), "n/d");
  const Asked asked(builder.Build(), MakeApp("a", "m", {.rate_rps = 10, .preprocess_ms = 100}));
  const auto assessed = Assess(With(asked));
  EXPECT_TRUE(assessed.stable);
  EXPECT_TRUE(assessed.answers.at(0).bounded);
  EXPECT_FALSE(assessed.answers.at(1).bounded);
  EXPECT_FALSE(assessed.AllKept());
  EXPECT_EQ(assessed.rate_factor, 0);
}

TEST(Assessment, AnEmptyDeviceKeepsAll) {
  const Asked asked(OneDevice().Build(), MakeApp("a", "m"));
  const auto assessed = Assess(asked.occupancy[0]);
  EXPECT_TRUE(assessed.AllKept());
  EXPECT_FALSE(assessed.AnyUnsure());
  EXPECT_EQ(assessed.utilization, 0);
}

TEST(Assessment, TheRateFactorIsWhatTheGoalLeaves) {
  // 20 ms at rho 2/3: from rho 1/3 on twice the rate.
  EXPECT_NEAR(AssessApp({.rate_rps = 100.0 / 3, .latency_ms = 20}).rate_factor, 2, 1e-3);
}

TEST(Assessment, ASimulationAnswersForTimeSharingOfSeveralModels) {
  auto builder = OneDevice(Discipline::kTimeShared);
  builder.Model("o:1", {.service_ms = 20}).Resident(MakeApp("r", "o", {.rate_rps = 15, .latency_ms = 60}), "n/d");
  const Asked asked(builder.Build(), MakeApp("a", "m", {.rate_rps = 30, .latency_ms = 60}));
  Tenancy tenancy = With(asked);
  tenancy.tenants[1].goal.limit_s = Assess(tenancy).answers[1].latency_s;
  ASSERT_TRUE(Assess(tenancy).answers[1].unsure) << "the limit is the prediction itself";
  const auto simulated = AssessBySimulation(tenancy);
  EXPECT_FALSE(simulated.AnyUnsure());
  EXPECT_EQ(simulated.answers[1].kept, simulated.answers[1].latency_s <= tenancy.tenants[1].goal.limit_s);
  EXPECT_EQ(simulated.answers[1].latency_s, AssessBySimulation(tenancy).answers[1].latency_s) << "its seed is fixed";
}

/// Any device of any view, with what runs there.
Tenancy AnyTenancy(const Asked& asked) {
  return asked.occupancy[*rc::gen::inRange<size_t>(0, asked.occupancy.size())];
}

RC_GTEST_PROP(AssessmentProperties, WaysToAssessDifferInLatenciesNotInJudgement, ()) {
  const Asked asked(AnyView(), AnyApp("new"));
  const Tenancy tenancy = AnyTenancy(asked);
  const auto fast = Assess(tenancy), goals = AssessGoals(tenancy), exact = AssessExactly(tenancy);
  for (const auto* other : {&goals, &exact}) {
    RC_ASSERT(other->stable == fast.stable);
    RC_ASSERT(other->utilization == fast.utilization);
    RC_ASSERT(other->answers.size() == fast.answers.size());
    for (size_t i = 0; i < fast.answers.size(); ++i) {
      RC_ASSERT(other->answers[i].kept == fast.answers[i].kept);
      RC_ASSERT(other->answers[i].unsure == fast.answers[i].unsure);
      RC_ASSERT(other->answers[i].bounded == fast.answers[i].bounded);
    }
  }
  for (const auto& answer : exact.answers)
    RC_ASSERT(!answer.fast);
}

RC_GTEST_PROP(AssessmentProperties, WhatIsSurelyKeptIsPredictedBelowItsLimit, ()) {
  const Asked asked(AnyView(), AnyApp("new"));
  const Tenancy tenancy = AnyTenancy(asked);
  const auto exact = AssessExactly(tenancy);
  for (size_t i = 0; i < exact.answers.size(); ++i) {
    const double limit_s = tenancy.tenants[i].goal.limit_s, found_s = exact.answers[i].latency_s;
    if (!exact.answers[i].bounded || std::abs(found_s / limit_s - 1) < 1e-4) continue;
    RC_ASSERT(exact.answers[i].kept == (found_s < limit_s));
  }
}

RC_GTEST_PROP(AssessmentProperties, BoundsOfMeansAgreeWithTheSolvedModel, ()) {
  // Means of fifo devices are mostly judged by bounds of the mean wait: the answer must be that of the model.
  ViewBuilder builder = OneDevice();
  builder.Model("o:1", {.service_ms = Number(1, 30), .scv = 0.5, .switch_ms = Number(0, 10)});
  const int residents = *rc::gen::inRange(0, 6);
  const auto any = [&](const std::string& name) {
    return MakeApp(
        name, *rc::gen::element<std::string>("m", "o"),
        {.rate_rps = Number(1, 15), .latency_ms = Number(11, 120), .preprocess_ms = *rc::gen::element(0.0, 0.0, 5.0)});
  };
  for (int i = 0; i < residents; ++i)
    builder.Resident(any("r" + std::to_string(i)), "n/d");
  const Asked asked(builder.Build(), any("new"));
  const Tenancy tenancy = With(asked);
  const double bound = Number(1, 100) / 100;
  const auto solved = AssessGoals(tenancy);
  RC_CLASSIFY(solved.AllKept(), "kept");
  RC_ASSERT(KeepsGoals(tenancy, bound) == (solved.utilization <= bound && solved.AllKept()));
}

RC_GTEST_PROP(AssessmentProperties, KeepsGoalsAgreesWithAnAssessment, ()) {
  const Asked asked(AnyView(), AnyApp("new"));
  const Tenancy tenancy = AnyTenancy(asked);
  const auto solved = AssessGoals(tenancy);
  RC_ASSERT(KeepsGoals(tenancy, 0.92) == (solved.utilization <= 0.92 && solved.AllKept()));
}

} // namespace
} // namespace avocet
