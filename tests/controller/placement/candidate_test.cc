#include "controller/placement/candidate.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "tests/controller/placement/any_view.h"
#include "tests/controller/placement/asked.h"

namespace avocet {
namespace {

/// One core, two devices on its node and one elsewhere.
ViewBuilder ThreeDevices() {
  ViewBuilder builder;
  builder.Node("n", {.cpu_cores = 1}).Device("n/d").Device("n/e").Device("o/d").Model("m:1", {.service_ms = 10});
  return builder;
}

bool IsSame(const Assessment& a, const Assessment& b) {
  if (a.stable != b.stable || a.utilization != b.utilization || a.answers.size() != b.answers.size()) return false;
  for (size_t i = 0; i < a.answers.size(); ++i) {
    if (a.answers[i].kept != b.answers[i].kept || a.answers[i].latency_s != b.answers[i].latency_s) return false;
  }
  return true;
}

RC_GTEST_PROP(CandidateProperties, NumbersAreThoseOfTheDeviceWithTheNewcomer, ()) {
  const Asked asked(AnyView(), AnyApp("new"));
  const auto device = *rc::gen::inRange<size_t>(0, asked.occupancy.size());
  const Candidate early(asked.question, device), late(asked.question, device);
  const Tenancy& after = late.after();
  RC_ASSERT(early.memory_after() == after.memory_bytes);
  RC_ASSERT(early.preprocessing_after().busy == after.preprocessing.busy);
  RC_ASSERT(late.preprocessing_after().busy == after.preprocessing.busy);
  RC_ASSERT(after.tenants.size() == early.before().tenants.size() + (early.demand() ? 1 : 0));
  for (size_t i = 0; i < after.tenants.size(); ++i)
    RC_ASSERT(early.tenant(i).app == after.tenants[i].app);
}

RC_GTEST_PROP(CandidateProperties, AssessmentsAreThoseOfTheTenancies, ()) {
  const Asked asked(AnyView(), AnyApp("new"));
  const auto device = *rc::gen::inRange<size_t>(0, asked.occupancy.size());
  const Candidate candidate(asked.question, device);
  RC_ASSERT(IsSame(candidate.assessed_before(), Assess(candidate.before())));
  RC_ASSERT(IsSame(candidate.assessed_after(), Assess(candidate.after())));
}

RC_GTEST_PROP(CandidateProperties, TheKeyOfOneMoreIsTheKeyOfTheResult, ()) {
  const Asked asked(AnyView(), AnyApp("new"));
  const auto device = *rc::gen::inRange<size_t>(0, asked.occupancy.size());
  const auto demand = asked.occupancy.DemandOn(device, asked.question.newcomer);
  RC_PRE(demand.has_value());
  Tenancy after = asked.occupancy[device];
  after.Add(*demand);
  RC_ASSERT(PredictionKey(asked.occupancy[device], *demand) == PredictionKey(after));
}

RC_GTEST_PROP(CandidateProperties, ARateAndBackChangesNoJudgement, ()) {
  const Asked asked(AnyView(), AnyApp("new"));
  const auto device = *rc::gen::inRange<size_t>(0, asked.occupancy.size());
  Candidate candidate(asked.question, device);
  const bool kept = candidate.assessed_after().AllKept();
  const auto memory = candidate.memory_after();
  candidate.SetRate(Number(1, 1000));
  candidate.SetRate(asked.app.rate_rps);
  RC_ASSERT(candidate.assessed_after().AllKept() == kept);
  RC_ASSERT(candidate.memory_after() == memory);
}

TEST(Candidate, KnowsNothingMoreOfAnUnknownModel) {
  auto builder = ThreeDevices();
  builder.Resident(MakeApp("r", "m", {.rate_rps = 10}), "n/d");
  Asked asked(builder.Build(), MakeApp("a", "absent"));
  Candidate candidate(asked.question, 0);
  EXPECT_FALSE(candidate.demand());
  EXPECT_EQ(candidate.after().key, candidate.before().key);
  EXPECT_EQ(candidate.assessed_after().utilization, candidate.assessed_before().utilization);
  candidate.SetRate(50);
  EXPECT_EQ(candidate.assessed_after().answers.size(), 1U);
}

TEST(Candidate, AnotherRateIsAssessedWithoutLatencies) {
  const Asked asked(ThreeDevices().Build(), MakeApp("a", "m", {.rate_rps = 10}));
  Candidate candidate(asked.question, 0);
  candidate.SetRate(40);
  EXPECT_NEAR(candidate.assessed_after().utilization, 0.4, 1e-12);
  EXPECT_TRUE(candidate.assessed_after().AllKept());
  EXPECT_EQ(candidate.assessed_after().answers[0].latency_s, 0);
}

TEST(Candidate, NeighboursAreSlowedByItsPreprocessing) {
  auto builder = ThreeDevices();
  builder.Resident(MakeApp("r", "m", {.rate_rps = 10, .preprocess_ms = 20}), "n/e");
  Asked asked(builder.Build(), MakeApp("a", "m", {.rate_rps = 15, .preprocess_ms = 20}));
  Candidate candidate(asked.question, 0);
  ASSERT_EQ(candidate.neighbours().size(), 1U);
  EXPECT_NEAR(candidate.neighbours()[0].after.preprocessing.busy, 0.5, 1e-12);
  const double alone = AssessmentOf(asked.occupancy[1], asked.cache)->answers[0].latency_s;
  EXPECT_NEAR(candidate.neighbours()[0].assessed->answers[0].latency_s - alone, 0.020 / 0.5 - 0.020 / 0.8, 1e-6);
  candidate.SetRate(5);
  EXPECT_NEAR(candidate.neighbours()[0].after.preprocessing.busy, 0.3, 1e-12) << "they are asked again";
}

TEST(Candidate, HasNoNeighboursWithoutPreprocessing) {
  auto builder = ThreeDevices();
  builder.Resident(MakeApp("r", "m", {.rate_rps = 10, .preprocess_ms = 20}), "n/e");
  const Asked asked(builder.Build(), MakeApp("a", "m", {.rate_rps = 15}));
  EXPECT_TRUE(Candidate(asked.question, 0).neighbours().empty());
}

TEST(PredictionKey, TheNodesCoresCountOnlyForWhoUsesThem) {
  const Asked plain(ThreeDevices().Build(), MakeApp("a", "m"));
  const Asked waits(ThreeDevices().Build(), MakeApp("a", "m", {.preprocess_ms = 1}));
  const auto key_at = [](const Asked& asked, double busy) {
    Tenancy tenancy = asked.occupancy[0];
    tenancy.Add(asked.DemandOn(0));
    tenancy.preprocessing.busy = busy;
    return PredictionKey(tenancy);
  };
  EXPECT_EQ(key_at(plain, 0.1), key_at(plain, 0.2));
  EXPECT_NE(key_at(waits, 0.1), key_at(waits, 0.2));
}

} // namespace
} // namespace avocet
