#include "controller/placement/deliberation.h"

#include <algorithm>
#include <string>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "controller/placement/filters.h"
#include "tests/controller/placement/any_view.h"
#include "tests/controller/placement/asked.h"

namespace avocet::testing {
namespace {

/// `count` equal devices of one discipline: n/d00, n/d01, ...
ViewBuilder Equal(int count, Discipline discipline = Discipline::kFifo) {
  ViewBuilder builder;
  builder.Model("m:1", {.service_ms = 10});
  for (int i = 0; i < count; ++i)
    builder.Device("n/d" + std::string(i < 10 ? "0" : "") + std::to_string(i), {.discipline = discipline});
  return builder;
}

TEST(Deliberation, HasAVerdictOnEveryDeviceFromTheStart) {
  const Asked asked(Equal(3).Build(), MakeApp("a", "m"));
  const Deliberation deliberation(asked.question);
  ASSERT_EQ(deliberation.verdicts().size(), 3U);
  for (size_t d = 0; d < 3; ++d)
    EXPECT_EQ(deliberation.verdicts()[d].device, asked.occupancy[d].device->spec.id());
}

TEST(Deliberation, OfEqualDevicesTheFirstIsChosenByEveryPolicy) {
  for (const auto placement : kPlacementPolicies) {
    const Asked asked(Equal(3).Build(), MakeApp("a", "m"), {.placement = placement});
    EXPECT_EQ(Deliberation(asked.question).Choose(DeviceId()), 0U) << ToString(placement);
  }
}

TEST(Deliberation, StaysWhereItIsWhateverIsLikedBetter) {
  for (const auto placement : kPlacementPolicies) {
    const Asked asked(Equal(3).Build(), MakeApp("a", "m"), {.placement = placement});
    EXPECT_EQ(Deliberation(asked.question).Choose(DeviceId("n/d02")), 2U) << ToString(placement);
  }
}

TEST(Deliberation, LeavesADeviceThatNoLongerPasses) {
  auto view = Equal(3).Build();
  view.devices.at(DeviceId("n/d02")).health = DeviceHealth::kDraining;
  const Asked asked(view, MakeApp("a", "m"));
  EXPECT_EQ(Deliberation(asked.question).Choose(DeviceId("n/d02")), 0U);
}

TEST(Deliberation, ChoosesNothingWhereNoDevicePasses) {
  const Asked asked(Equal(2).Build(), MakeApp("a", "m", {.rate_rps = 100}));
  EXPECT_EQ(Deliberation(asked.question).Choose(DeviceId()), std::nullopt);
  const Asked none(ClusterView(), MakeApp("a", "m"));
  EXPECT_EQ(Deliberation(none.question).Choose(DeviceId("n/d00")), std::nullopt);
}

TEST(Deliberation, AsksForTheLargestRateOnlyWhereItIsShown) {
  const Asked asked(Equal(2).Build(), MakeApp("a", "m", {.rate_rps = 10}));
  Deliberation deliberation(asked.question);
  deliberation.ShowFully(1);
  EXPECT_FALSE(deliberation.verdicts()[0].max_rate_sought);
  EXPECT_TRUE(deliberation.verdicts()[1].max_rate_sought);
  EXPECT_GT(deliberation.verdicts()[1].max_rate_rps, 90);
}

TEST(Deliberation, ShowsExactLatenciesOfTheDeviceThatIsShown) {
  const Asked asked(Equal(1).Build(), MakeApp("a", "m", {.rate_rps = 50, .statistic = Statistic::kP95}));
  Deliberation deliberation(asked.question);
  EXPECT_TRUE(deliberation.verdicts()[0].apps.at(0).fast);
  deliberation.ShowFully(0);
  EXPECT_FALSE(deliberation.verdicts()[0].apps.at(0).fast);
}

TEST(Deliberation, TheLargestRateIsThatOfTheBestDevice) {
  auto builder = Equal(3);
  builder.Resident(MakeApp("r", "m", {.rate_rps = 40}), "n/d00").Resident(MakeApp("s", "m", {.rate_rps = 20}), "n/d02");
  const Asked asked(builder.Build(), MakeApp("a", "m", {.rate_rps = 500}));
  Deliberation deliberation(asked.question);
  const double rate = deliberation.SeekRates();
  const auto& verdicts = deliberation.verdicts();
  EXPECT_EQ(rate, verdicts[1].max_rate_rps);
  EXPECT_GT(verdicts[1].max_rate_rps, verdicts[2].max_rate_rps);
  EXPECT_GT(verdicts[2].max_rate_rps, verdicts[0].max_rate_rps);
}

TEST(Deliberation, WhereNoRateHelpsTheLargestIsKnownToBeZero) {
  auto view = Equal(2).Build();
  view.devices.at(DeviceId("n/d01")).health = DeviceHealth::kAway;
  const Asked asked(view, MakeApp("a", "m", {.rate_rps = 500}));
  Deliberation deliberation(asked.question);
  (void)deliberation.SeekRates();
  EXPECT_TRUE(deliberation.verdicts()[1].max_rate_sought);
  EXPECT_EQ(deliberation.verdicts()[1].max_rate_rps, 0);
}

TEST(Deliberation, RatesAreSoughtOnTheThirtyTwoLeastUtilizedDevices) {
  auto builder = Equal(34);
  builder.Resident(MakeApp("r", "m", {.rate_rps = 20}), "n/d00").Resident(MakeApp("s", "m", {.rate_rps = 10}), "n/d05");
  const Asked asked(builder.Build(), MakeApp("a", "m", {.rate_rps = 500}));
  Deliberation deliberation(asked.question);
  (void)deliberation.SeekRates();
  for (const auto& verdict : deliberation.verdicts()) {
    const bool is_busy = verdict.device == DeviceId("n/d00") || verdict.device == DeviceId("n/d05");
    EXPECT_EQ(verdict.max_rate_sought, !is_busy) << verdict.device.str();
  }
}

/// A time-shared device with two models, the objective of the newcomer as far from the fast prediction as told.
ClusterView TwoModels() {
  auto builder = Equal(1, Discipline::kTimeShared);
  builder.Model("o:1", {.service_ms = 30}).Resident(MakeApp("r", "o", {.rate_rps = 10}), "n/d00");
  return builder.Build();
}

TEST(Deliberation, ASimulationDecidesWhatTheFastModelsCannotTell) {
  // From well below the simulated mean to well above it, the choice is that of the simulation wherever it was asked.
  int simulated = 0;
  for (double limit_ms = 10; limit_ms < 60; limit_ms += 1) {
    const AppOptions options{.rate_rps = 20, .latency_ms = limit_ms};
    const Asked asked(TwoModels(), MakeApp("a", "m", options), {.mean_tolerance = 1, .max_moves = 0});
    Candidate candidate(asked.question, 0);
    if (!candidate.IsUnsure()) continue;
    candidate.Simulate();
    ++simulated;
    EXPECT_EQ(Deliberation(asked.question).Choose(DeviceId()).has_value(), candidate.assessed_after().AllKept())
        << limit_ms << " ms";
  }
  EXPECT_GT(simulated, 0) << "some limit must have been too near";
}

RC_GTEST_PROP(DeliberationProperties, TheChosenDevicePassesAndKeepsAllWhenSimulated, ()) {
  const Asked asked(AnyView(), AnyApp("new"), {.placement = *rc::gen::elementOf(kPlacementPolicies)});
  Deliberation deliberation(asked.question);
  const auto chosen = deliberation.Choose(DeviceId());
  RC_CLASSIFY(chosen.has_value(), "admitted");
  if (!chosen) return;
  RC_ASSERT(deliberation.verdicts()[*chosen].ok);
  if (RulesOf(asked.policy.placement) != Rules::kOurs) return;
  Tenancy after = asked.occupancy[*chosen];
  after.Add(asked.DemandOn(*chosen));
  RC_ASSERT(AssessBySimulation(after).AllKept());
}

RC_GTEST_PROP(DeliberationProperties, SomePassingDeviceIsChosenIfThereIsOne, ()) {
  const Asked asked(AnyView(), AnyApp("new"), {.placement = *rc::gen::elementOf(kPlacementPolicies)});
  Deliberation deliberation(asked.question);
  const auto chosen = deliberation.Choose(DeviceId());
  const auto& verdicts = deliberation.verdicts();
  RC_ASSERT(chosen.has_value() == std::any_of(verdicts.begin(), verdicts.end(), [](const auto& v) { return v.ok; }));
}

} // namespace
} // namespace avocet::testing
