#include "controller/placement/tenancy.h"

#include <cmath>
#include <functional>
#include <set>
#include <string>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "controller/placement/candidate.h"
#include "tests/controller/placement/any_view.h"
#include "tests/controller/placement/asked.h"

namespace avocet {
namespace {

constexpr auto kTolerance = 1e-12;

ViewBuilder OneDevice() {
  ViewBuilder builder;
  builder.Node("n", {.cpu_cores = 2}).Device("n/d", {.discipline = Discipline::kFifo});
  builder.Model("m:1", {.service_ms = 10, .memory_mib = 100, .memory_per_app_mib = 7});
  builder.Model("o:1", {.service_ms = 20, .memory_mib = 300});
  return builder;
}

TEST(LimitOf, IsTheToleratedShareOfWhatTheNetworkLeaves) {
  const Policy policy{.mean_tolerance = 0.5, .percentile_tolerance = 0.25};
  const AppOptions options{.statistic = Statistic::kMean, .latency_ms = 120, .network_allowance_ms = 20};
  EXPECT_EQ(LimitOf(MakeApp("a", "m", options), policy), FromMillis(50));
  for (const auto statistic : {Statistic::kP50, Statistic::kP95, Statistic::kP99}) {
    auto percentile = options;
    percentile.statistic = statistic;
    EXPECT_EQ(LimitOf(MakeApp("a", "m", percentile), policy), FromMillis(25)) << ToString(statistic);
  }
}

TEST(Tenancy, AnEmptyOneKnowsDeviceAndCores) {
  ViewBuilder builder;
  builder.Node("n", {.cpu_cores = 6, .core_speed = 1.5}).Device("n/d", {.discipline = Discipline::kMultiServer});
  auto view = builder.Build();
  view.devices.begin()->second.spec.cores = {0, 1, 2};
  const auto tenancy = Tenancy::Empty(view, view.devices.begin()->second);
  EXPECT_EQ(tenancy.load.discipline, Discipline::kMultiServer);
  EXPECT_EQ(tenancy.load.cores, 3);
  EXPECT_EQ(tenancy.preprocessing.cores, 6);
  EXPECT_EQ(tenancy.preprocessing.speed, 1.5);
  EXPECT_TRUE(tenancy.tenants.empty());
}

TEST(Tenancy, ADeviceWithoutPinnedCoresHasOne) {
  const auto view = OneDevice().Build();
  EXPECT_EQ(Tenancy::Empty(view, view.devices.begin()->second).load.cores, 1);
}

TEST(Tenancy, AModelIsPaidForByItsFirstApplication) {
  Asked asked(OneDevice().Build(), MakeApp("a", "m"));
  Tenancy tenancy = asked.occupancy[0];
  EXPECT_EQ(tenancy.BytesFor(asked.DemandOn(0)), 107 * kMiB);
  tenancy.Add(asked.DemandOn(0));
  EXPECT_EQ(tenancy.BytesFor(asked.DemandOn(0)), 7 * kMiB);
  tenancy.Add(asked.DemandOn(0));
  EXPECT_EQ(tenancy.memory_bytes, 114 * kMiB);
}

TEST(Tenancy, AModelIsUnloadedWithItsLastApplication) {
  auto builder = OneDevice();
  builder.Resident(MakeApp("a", "m"), "n/d").Resident(MakeApp("b", "m"), "n/d").Resident(MakeApp("c", "o"), "n/d");
  Asked asked(builder.Build(), MakeApp("new", "m"));
  Tenancy tenancy = asked.occupancy[0];
  tenancy.Remove(0);
  EXPECT_EQ(tenancy.memory_bytes, 407 * kMiB);
  EXPECT_TRUE(tenancy.HasModel(ModelId("m:1")));
  tenancy.Remove(0);
  EXPECT_EQ(tenancy.memory_bytes, 300 * kMiB);
  EXPECT_FALSE(tenancy.HasModel(ModelId("m:1")));
  ASSERT_EQ(tenancy.tenants.size(), 1U);
  EXPECT_EQ(tenancy.tenants[0].app->name, AppId("c"));
  EXPECT_EQ(tenancy.load.apps[0].app, AppId("c"));
}

/// A device of the view that the newcomer is known on.
std::optional<size_t> AnyKnown(const Asked& asked) {
  const auto device = *rc::gen::inRange<size_t>(0, asked.occupancy.size());
  return asked.occupancy.DemandOn(device, asked.question.newcomer) ? std::optional(device) : std::nullopt;
}

RC_GTEST_PROP(Tenancy, WhatComesAndGoesLeavesNothingBehind, ()) {
  const Asked asked(AnyView(), AnyApp("new"));
  const auto device = AnyKnown(asked);
  RC_PRE(device.has_value());
  const Tenancy& before = asked.occupancy[*device];
  Tenancy removed = before, undone = before;
  removed.Add(asked.DemandOn(*device)), removed.Remove(before.tenants.size());
  undone.Add(asked.DemandOn(*device)), undone.RemoveLast(before);
  for (const Tenancy& tenancy : {removed, undone}) {
    RC_ASSERT(tenancy.key == before.key);
    RC_ASSERT(tenancy.memory_bytes == before.memory_bytes);
    RC_ASSERT(std::abs(tenancy.preprocessing.busy - before.preprocessing.busy) < kTolerance);
    RC_ASSERT(tenancy.load.apps.size() == tenancy.tenants.size());
  }
}

RC_GTEST_PROP(Tenancy, ARateThatIsSetCountsAsIfItHadBeenBrought, ()) {
  Asked asked(AnyView(), AnyApp("new"));
  const auto device = AnyKnown(asked);
  RC_PRE(device.has_value());
  Tenancy set = asked.occupancy[*device], brought = set;
  set.Add(asked.DemandOn(*device));
  asked.question.newcomer.rate_rps = Number(1, 100);
  set.SetLastRate(asked.question.newcomer.rate_rps);
  brought.Add(asked.DemandOn(*device));
  RC_ASSERT(set.key == brought.key);
  RC_ASSERT(std::abs(set.preprocessing.busy - brought.preprocessing.busy) < kTolerance);
}

ContentKey KeyWith(const std::function<void(ClusterView&, Application&)>& change) {
  auto builder = OneDevice();
  builder.Resident(MakeApp("r", "o"), "n/d");
  ClusterView view = builder.Build();
  auto app = MakeApp("a", "m", {.rate_rps = 3, .statistic = Statistic::kP95, .latency_ms = 90, .preprocess_ms = 4});
  change(view, app);
  const Asked asked(std::move(view), std::move(app));
  Tenancy tenancy = asked.occupancy[0];
  tenancy.Add(asked.DemandOn(0));
  return tenancy.key;
}

using Change = std::function<void(ClusterView&, Application&)>;

Profile& ProfileOfM(ClusterView& view) {
  for (auto& [key, profile] : view.profiles) {
    if (profile.model == ModelId("m:1")) return profile;
  }
  throw std::logic_error("no profile");
}

DeviceSpec& Spec(ClusterView& view) {
  return view.devices.begin()->second.spec;
}

TEST(TenancyKey, ChangesWithAllThatAPredictionRestsOn) {
  const std::vector<std::pair<std::string, Change>> changes = {
      {"rate", [](auto&, auto& app) { app.rate_rps = 4; }},
      {"arrivals", [](auto&, auto& app) { app.arrival.scv = 0; }},
      {"statistic", [](auto&, auto& app) { app.objective.statistic = Statistic::kP99; }},
      {"latency", [](auto&, auto& app) { app.objective.latency += FromMillis(1); }},
      {"allowance", [](auto&, auto& app) { app.network_allowance = FromMillis(1); }},
      {"pre-processing", [](auto&, auto& app) { app.preprocess = FromMillis(5); }},
      {"model", [](auto&, auto& app) { app.model = "o"; }},
      {"service", [](auto& view, auto&) { ProfileOfM(view).service_mean += FromMillis(1); }},
      {"spread", [](auto& view, auto&) { ProfileOfM(view).service_scv = 0.1; }},
      {"switch", [](auto& view, auto&) { ProfileOfM(view).switch_overhead = FromMillis(1); }},
      {"memory", [](auto& view, auto&) { ProfileOfM(view).memory_bytes += 1; }},
      {"memory of each", [](auto& view, auto&) { ProfileOfM(view).memory_per_app_bytes += 1; }},
      {"discipline", [](auto& view, auto&) { Spec(view).discipline = Discipline::kTimeShared; }},
      {"kind", [](auto& view, auto&) { Spec(view).kind = DeviceKind::kEdgeTpu; }},
      {"device memory", [](auto& view, auto&) { Spec(view).memory_bytes += 1; }},
      {"device cores",
       [](auto& view, auto&) {
         Spec(view).cores = {0, 1};
       }},
      {"node cores", [](auto& view, auto&) { view.nodes.begin()->second.cpu_cores = 3; }},
      {"core speed", [](auto& view, auto&) { view.nodes.begin()->second.core_speed = 2; }},
      {"neighbour gone", [](auto& view, auto&) { view.placements.clear(); }},
  };
  const auto same = KeyWith([](auto&, auto&) {});
  for (const auto& [what, change] : changes)
    EXPECT_NE(KeyWith(change), same) << what;
}

TEST(TenancyKey, IsTheSameWhateverNamesAndHistory) {
  const std::vector<std::pair<std::string, Change>> changes = {
      {"application", [](auto&, auto& app) { app.name = AppId("b"); }},
      {"health", [](auto& view, auto&) { view.devices.begin()->second.health = DeviceHealth::kDraining; }},
      {"epoch", [](auto& view, auto&) { view.placements.begin()->second.epoch = 99; }},
      {"phase", [](auto& view, auto&) { view.placements.begin()->second.phase = PlacementPhase::kStarting; }},
      {"version", [](auto& view, auto&) { view.version += 1; }},
      {"kinds", [](auto&, auto& app) { app.device_kinds = {DeviceKind::kCpu}; }},
      {"address", [](auto& view, auto&) { view.nodes.begin()->second.grpc_address = "10.0.0.1:1"; }},
  };
  const auto same = KeyWith([](auto&, auto&) {});
  for (const auto& [what, change] : changes)
    EXPECT_EQ(KeyWith(change), same) << what;
}

TEST(Occupancy, LeavesOutTheNewcomerAndWhatNothingIsKnownOf) {
  auto builder = OneDevice();
  builder.ModelWithoutProfile("dark:1").Resident(MakeApp("dark", "dark"), "n/d");
  builder.Resident(MakeApp("b", "m"), "n/d").Resident(MakeApp("a", "m"), "n/d").Resident(MakeApp("c", "m"), "n/d");
  const Asked asked(builder.Build(), MakeApp("b", "m"));
  ASSERT_EQ(asked.occupancy[0].tenants.size(), 2U);
  EXPECT_EQ(asked.occupancy[0].tenants[0].app->name, AppId("a"));
  EXPECT_EQ(asked.occupancy[0].tenants[1].app->name, AppId("c"));
}

TEST(Occupancy, DemandIsNulloptWhereNothingIsKnownOfTheModel) {
  auto builder = OneDevice();
  builder.ModelWithoutProfile("dark:1");
  const Asked dark(builder.Build(), MakeApp("a", "dark")), absent(builder.Build(), MakeApp("a", "absent"));
  EXPECT_FALSE(dark.occupancy.DemandOn(0, dark.question.newcomer));
  EXPECT_FALSE(absent.occupancy.DemandOn(0, absent.question.newcomer));
}

TEST(Occupancy, PreprocessingOfANodeIsThatOfAllItsDevices) {
  auto builder = OneDevice();
  builder.Device("n/e").Device("o/d");
  const AppOptions half_a_core{.rate_rps = 10, .preprocess_ms = 50};
  builder.Resident(MakeApp("a", "m", half_a_core), "n/d").Resident(MakeApp("b", "m", half_a_core), "n/e");
  Asked asked(builder.Build(), MakeApp("new", "m", half_a_core));
  const auto busy = [&](size_t device) { return asked.occupancy[device].preprocessing.busy; };
  EXPECT_NEAR(busy(0), 1, kTolerance);
  EXPECT_NEAR(busy(1), 1, kTolerance);
  EXPECT_EQ(busy(2), 0);
  asked.occupancy.Add(1, asked.DemandOn(1));
  EXPECT_NEAR(busy(0), 1.5, kTolerance) << "the device beside it waits for the same cores";
  EXPECT_NEAR(asked.occupancy[0].BusyCores(), 0.5, kTolerance) << "its own applications are the same";
  asked.occupancy.Remove(0, 0);
  EXPECT_NEAR(busy(0), 1, kTolerance);
  EXPECT_NEAR(busy(1), 1, kTolerance);
  EXPECT_EQ(busy(2), 0);
}

RC_GTEST_PROP(Occupancy, NeighboursAreTheOtherDevicesOfTheNode, ()) {
  const Asked asked(AnyView(), AnyApp("new"));
  const auto node = [&](size_t device) { return asked.occupancy[device].device->spec.node; };
  for (size_t d = 0; d < asked.occupancy.size(); ++d) {
    const auto found = asked.occupancy.Neighbours(d);
    const std::set<size_t> neighbours(found.begin(), found.end());
    RC_ASSERT(neighbours.size() == found.size());
    for (size_t other = 0; other < asked.occupancy.size(); ++other)
      RC_ASSERT(neighbours.contains(other) == (other != d && node(other) == node(d)));
  }
}

RC_GTEST_PROP(Occupancy, HoldsWhatTheViewsLoadsHold, ()) {
  const auto view = AnyView();
  const Policy policy;
  const Occupancy occupancy(view, policy, AppId());
  size_t position = 0;
  for (const auto& [id, device] : view.devices) {
    const DeviceLoad load = LoadOf(view, id);
    const Tenancy& tenancy = occupancy[position++];
    RC_ASSERT(tenancy.device == &device);
    RC_ASSERT(tenancy.load.apps.size() == load.apps.size());
    for (size_t i = 0; i < load.apps.size(); ++i) {
      RC_ASSERT(tenancy.load.apps[i].app == load.apps[i].app);
      RC_ASSERT(tenancy.load.apps[i].rate_rps == load.apps[i].rate_rps);
      RC_ASSERT(tenancy.load.apps[i].service.mean_s >= load.apps[i].service.mean_s * (1 - 1e-12));
    }
  }
}

} // namespace
} // namespace avocet
