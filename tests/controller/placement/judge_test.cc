#include "controller/placement/judge.h"

#include <algorithm>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "controller/placement/filters.h"
#include "tests/controller/placement/any_view.h"
#include "tests/controller/placement/asked.h"

namespace avocet::testing {
namespace {

ViewBuilder OneDevice(const DeviceOptions& device = {}) {
  ViewBuilder builder;
  builder.Device("n/d", device).Model("m:1", {.service_ms = 10, .memory_mib = 100});
  return builder;
}

TEST(VerdictOf, ADeviceThatPassesHasNoFilterAndNoNumbersOfOne) {
  const Asked asked(OneDevice().Build(), MakeApp("a", "m", {.rate_rps = 10}));
  const auto verdict = VerdictOf(Candidate(asked.question, 0));
  EXPECT_TRUE(verdict.ok);
  EXPECT_FALSE(verdict.filter);
  EXPECT_EQ(verdict.unit, Unit::kNone);
  EXPECT_EQ(verdict.detail, "");
  EXPECT_FALSE(verdict.max_rate_sought);
}

TEST(VerdictOf, TheFirstOfSeveralRefusalsCounts) {
  auto refused_by = [](const DeviceOptions& device, const AppOptions& app) {
    const Asked asked(OneDevice(device).Build(), MakeApp("a", "m", app));
    return VerdictOf(Candidate(asked.question, 0)).filter;
  };
  const AppOptions wrong_kind{.rate_rps = 500, .device_kinds = {DeviceKind::kCpu}};
  EXPECT_EQ(refused_by({.memory_mib = 10, .health = DeviceHealth::kAway}, wrong_kind), FilterKind::kHealthy);
  EXPECT_EQ(refused_by({.memory_mib = 10}, wrong_kind), FilterKind::kKind);
  EXPECT_EQ(refused_by({.memory_mib = 10}, {.rate_rps = 500}), FilterKind::kMemory);
  EXPECT_EQ(refused_by({}, {.rate_rps = 500, .latency_ms = 1}), FilterKind::kUtilization);
  EXPECT_EQ(refused_by({}, {.rate_rps = 5, .latency_ms = 1}), FilterKind::kObjectives);
}

TEST(VerdictOf, ApplicationsStandInOrderOfNameWithTheNewcomerAmongThem) {
  auto builder = OneDevice();
  builder.Resident(MakeApp("a", "m"), "n/d").Resident(MakeApp("z", "m"), "n/d");
  const Asked asked(builder.Build(), MakeApp("k", "m"));
  const auto verdict = VerdictOf(Candidate(asked.question, 0));
  ASSERT_EQ(verdict.apps.size(), 3U);
  EXPECT_EQ(verdict.apps[1].app, AppId("k"));
  EXPECT_FALSE(verdict.apps[1].before.has_value());
  EXPECT_TRUE(verdict.apps[0].before.has_value() && verdict.apps[2].before.has_value());
}

TEST(VerdictOf, LatenciesAreAbsentWhereTheDeviceDoesNotKeepUp) {
  auto builder = OneDevice();
  builder.Resident(MakeApp("r", "m", {.rate_rps = 50}), "n/d");
  const Asked asked(builder.Build(), MakeApp("a", "m", {.rate_rps = 60}));
  const auto verdict = VerdictOf(Candidate(asked.question, 0));
  EXPECT_TRUE(verdict.apps.at(1).before.has_value());
  EXPECT_FALSE(verdict.apps.at(1).after.has_value());
}

TEST(PassesAtAnyRate, OnlyWhatTheRateChangesMayRefuse) {
  const auto passes = [](const DeviceOptions& device, const AppOptions& app) {
    const Asked asked(OneDevice(device).Build(), MakeApp("a", "m", app));
    return PassesAtAnyRate(Candidate(asked.question, 0));
  };
  EXPECT_TRUE(passes({}, {.rate_rps = 5000}));
  EXPECT_TRUE(passes({}, {.latency_ms = 1})) << "nobody knows before asking at a lower rate";
  EXPECT_FALSE(passes({.memory_mib = 99}, {}));
  EXPECT_FALSE(passes({.health = DeviceHealth::kDraining}, {}));
  EXPECT_FALSE(passes({}, {.device_kinds = {DeviceKind::kEdgeTpu}}));
}

double LargestOf(const AppOptions& app, bool passes_now, double service_ms = 10, double max_utilization = 0.92) {
  ViewBuilder builder;
  builder.Device("n/d").Model("m:1", {.service_ms = service_ms});
  const Asked asked(builder.Build(), MakeApp("a", "m", app), {.max_utilization = max_utilization});
  Candidate candidate(asked.question, 0);
  return LargestRate(candidate, passes_now);
}

TEST(LargestRate, IsThatOfTheBoundToHalfAPercentBelow) {
  for (const auto& [asked_rps, passes] : {std::pair(1.0, true), {79.0, true}, {81.0, false}, {5000.0, false}}) {
    const double found = LargestOf({.rate_rps = asked_rps, .latency_ms = 60000}, passes, 10, 0.8);
    EXPECT_LE(found, 80 * (1 + 1e-12)) << asked_rps;
    EXPECT_GE(found, 80 / 1.0051) << asked_rps;
  }
}

TEST(LargestRate, IsAtLeastTheOneThatPasses) {
  EXPECT_GE(LargestOf({.rate_rps = 79.99, .latency_ms = 60000}, true, 10, 0.8), 79.99);
}

TEST(LargestRate, IsZeroWhereTheLeastRateFails) {
  EXPECT_EQ(LargestOf({.rate_rps = 1, .latency_ms = 5}, false), 0);
  EXPECT_EQ(LargestOf({.rate_rps = 0.001, .latency_ms = 5}, false), 0);
}

TEST(LargestRate, EndsAtAMillion) {
  EXPECT_EQ(LargestOf({.rate_rps = 10, .latency_ms = 1000}, true, 1e-4), 1e6);
}

TEST(LargestSimulatedRate, LeavesAloneWhatIsSure) {
  const Asked asked(OneDevice().Build(), MakeApp("a", "m", {.rate_rps = 10}));
  Candidate candidate(asked.question, 0);
  EXPECT_EQ(LargestSimulatedRate(candidate, 12.5), 12.5);
}

TEST(LargestSimulatedRate, GoesDownInTenthsAndGivesUp) {
  const Asked asked(OneDevice().Build(), MakeApp("a", "m", {.rate_rps = 10, .latency_ms = 60000}));
  Candidate candidate(asked.question, 0);
  EXPECT_NEAR(LargestSimulatedRate(candidate, 100), 90, 1e-9) << "0.92 of utilization is between";
  EXPECT_EQ(LargestSimulatedRate(candidate, 1000), 0) << "16 steps end at 206";
}

bool PassesAt(Candidate& candidate, double rate_rps) {
  candidate.SetRate(rate_rps);
  return std::all_of(Filters().begin(), Filters().end(), [&](const Filter& filter) {
    return !IsAsked(filter, candidate.question().policy) || filter.passes(candidate);
  });
}

RC_GTEST_PROP(JudgeProperties, TheLargestRatePassesAndALittleMoreDoesNot, ()) {
  const Asked asked(AnyView(), AnyApp("new"));
  const auto device = *rc::gen::inRange<size_t>(0, asked.occupancy.size());
  Candidate candidate(asked.question, device);
  const bool passes = VerdictOf(candidate).ok;
  RC_PRE(PassesAtAnyRate(candidate));
  const double found = LargestRate(candidate, passes);
  if (passes) RC_ASSERT(found >= asked.app.rate_rps);
  RC_PRE(found > 0);
  RC_CLASSIFY(passes, "passes as asked");
  RC_ASSERT(PassesAt(candidate, found));
  RC_ASSERT(!PassesAt(candidate, found * 1.0051));
}

} // namespace
} // namespace avocet::testing
