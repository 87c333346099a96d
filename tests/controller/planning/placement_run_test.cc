#include "controller/planning/placement_run.h"

#include <gtest/gtest.h>

#include "controller/placement/decide.h"
#include "tests/support/two_nodes.h"

namespace avocet {
namespace {

TEST(PlacementRun, CarriesDecisionsOut) {
  PlacementRun run(TwoNodes());
  const auto decision = Decide(run.view(), App(0), {});
  const auto& step = run.Take(decision);
  EXPECT_EQ(step.device, decision.device);
  EXPECT_EQ(step.reason, "");
  EXPECT_EQ(run.view().placements.at(AppId("a0")).device, *decision.device);
  EXPECT_EQ(LoadOf(run.view(), *decision.device).apps.size(), 1U);
}

TEST(PlacementRun, ARejectionIsNamedAfterTheLastFilterThatAnyDeviceGotTo) {
  ViewBuilder builder;
  builder.Device("n/full", {.memory_mib = 10}).Device("n/busy").Device("n/away", {.health = DeviceHealth::kAway});
  builder.Model("m:1", {.service_ms = 10, .memory_mib = 50});
  PlacementRun run(builder.Build());
  const auto& step = run.Take(Decide(run.view(), MakeApp("a", "m", {.rate_rps = 99, .latency_ms = 1000}), {}));
  EXPECT_FALSE(step.device.has_value());
  EXPECT_EQ(step.reason, "utilization");
  EXPECT_TRUE(run.view().placements.empty());
}

TEST(PlacementRun, MovesComeBeforeTheNewcomer) {
  auto run = Filled(3);
  run.Take(Admit(3, "n/d", {{AppId("a1"), DeviceId("n/d"), DeviceId("o/d")}}));
  EXPECT_EQ(run.moves(), 1U);
  EXPECT_EQ(run.view().placements.at(AppId("a1")).device, DeviceId("o/d"));
  EXPECT_EQ(run.view().placements.size(), 4U);
}

TEST(PlacementRun, RecordsWhatANodeHosted) {
  auto run = Filled(3);
  run.Take(Admit(3, "n/d", {{AppId("a1"), DeviceId("n/d"), DeviceId("o/d")}}));
  EXPECT_EQ(run.NodeAfter(NodeId("n"), 0).placements.size(), 0U);
  EXPECT_EQ(run.NodeAfter(NodeId("n"), 3).placements.size(), 3U);
  const auto after = run.NodeAfter(NodeId("n"), 4);
  EXPECT_EQ(after.placements.size(), 3U);
  EXPECT_FALSE(after.placements.contains(AppId("a1")));
  EXPECT_TRUE(run.NodeAfter(NodeId("o"), 4).placements.contains(AppId("a1")));
}

TEST(PlacementRun, TellsWhichStepsChangedANode) {
  auto run = Filled(2);
  run.Take(Admit(2, "o/d"));
  run.Take(Admit(3, "o/d", {{AppId("a1"), DeviceId("n/d"), DeviceId("o/d")}}));
  const auto changes = run.ChangesOf(NodeId("n"), 10);
  ASSERT_EQ(changes.size(), 3U);
  EXPECT_EQ(changes[1].step, 1U);
  EXPECT_FALSE(changes[1].shrinks);
  EXPECT_EQ(changes[2].step, 3U);
  EXPECT_TRUE(changes[2].shrinks);
  EXPECT_EQ(run.ChangesOf(NodeId("n"), 3).size(), 2U);
}

TEST(PlacementRun, ARejectionWithoutDevicesSaysSo) {
  PlacementRun run{ClusterView()};
  const auto& step = run.Take(Decide(run.view(), App(0), {}));
  EXPECT_EQ(step.reason, "no devices");
  EXPECT_EQ(run.view().refused.size(), 1U);
}

TEST(PlacementRun, ReasonsAreOrderedAsFiltersAreAskedNotByName) {
  for (size_t later = 1; later < kFilterKinds.size(); ++later) {
    Decision decision;
    decision.app = App(0);
    decision.verdicts.resize(2);
    decision.verdicts[0].filter = kFilterKinds[later];
    decision.verdicts[1].filter = kFilterKinds[later - 1];
    PlacementRun run(TwoNodes());
    EXPECT_EQ(run.Take(decision).reason, ToString(kFilterKinds[later]));
  }
}

TEST(PlacementRun, OfAllStepsTheNodesHostWhatTheViewHolds) {
  auto run = Filled(3);
  run.Take(Admit(3, "o/d", {{AppId("a0"), DeviceId("n/d"), DeviceId("o/d")}}));
  for (const std::string node : {"n", "o"}) {
    const auto hosted = run.NodeAfter(NodeId(node), run.steps().size());
    const DeviceId device(node + "/d");
    EXPECT_EQ(hosted.Residents(device), run.view().Residents(device)) << node;
    EXPECT_EQ(hosted.placements.size(), run.view().Residents(device).size()) << node;
  }
}

} // namespace
} // namespace avocet
