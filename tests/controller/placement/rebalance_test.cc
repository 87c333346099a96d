#include "controller/placement/rebalance.h"

#include <gtest/gtest.h>

#include "controller/cluster/cluster_changes.h"
#include "controller/placement/prediction_cache.h"
#include "tests/support/view_builder.h"

namespace avocet {
namespace {

/// Two fifo devices with two applications of utilization 0.2 each, and one of 0.55 that was refused: it fits on neither
/// (0.95 is more than 0.92), but would where one of the two goes.
ClusterView Fragmented() {
  ViewBuilder builder;
  builder.Model("m:1", {.service_ms = 10});
  for (const std::string device : {"n/d", "o/d"}) {
    builder.Device(device, {.discipline = Discipline::kFifo});
    for (const std::string name : {"a", "b"})
      builder.Resident(MakeApp(name + "-" + device.substr(0, 1), "m", {.rate_rps = 20}), device);
  }
  ClusterView view = builder.Build();
  view.refused.push_back(MakeApp("large", "m", {.rate_rps = 55}));
  return view;
}

RebalancePlan Plan(const ClusterView& view, const Policy& policy = {}, int max_moves = 4) {
  PredictionCache cache;
  return PlanRebalance(view, policy, max_moves, cache);
}

TEST(Rebalance, MakesRoomForWhatWasRefused) {
  auto view = Fragmented();
  const Application large = view.refused[0];
  ASSERT_EQ(Decide(view, large, {.max_moves = 0}).kind, DecisionKind::kReject);
  const auto plan = Plan(view);
  ASSERT_EQ(plan.moves.size(), 1U);
  EXPECT_NEAR(plan.room_before, 0.8 * 2, 1e-12) << "the small ones fit on two devices, the large one on none";
  EXPECT_NEAR(plan.room_after, 0.8 * 2 + 0.2 * 1, 1e-12);
  const auto& one = plan.moves[0];
  EXPECT_NEAR(one.from_utilization_before, 0.4, 1e-9);
  EXPECT_NEAR(one.from_utilization_after, 0.2, 1e-9);
  EXPECT_NEAR(one.to_utilization_before, 0.4, 1e-9);
  EXPECT_NEAR(one.to_utilization_after, 0.6, 1e-9);
  EXPECT_FALSE(plan.executed);
  (void)MoveApp(view, one.move, 100);
  EXPECT_EQ(Decide(view, large, {.max_moves = 0}).device, one.move.from);
}

TEST(Rebalance, PlansNothingWhereNothingIsWonOrAllowed) {
  EXPECT_TRUE(Plan(ClusterView()).moves.empty());
  EXPECT_TRUE(Plan(Fragmented(), {}, 0).moves.empty());
  EXPECT_TRUE(Plan(Fragmented(), {.placement = PlacementPolicy::kMemoryWorst}).moves.empty());
  auto view = Fragmented();
  view.refused.clear();
  EXPECT_TRUE(Plan(view).moves.empty()) << "the small ones fit everywhere";
}

TEST(Rebalance, MovesOnlyWhatServes) {
  auto view = Fragmented();
  for (auto& [app, placement] : view.placements)
    placement.phase = PlacementPhase::kStarting;
  EXPECT_TRUE(Plan(view).moves.empty());
}

TEST(Rebalance, KeepsAwayFromDevicesThatAreNotHealthy) {
  auto view = Fragmented();
  view.devices.at(DeviceId("o/d")).health = DeviceHealth::kDraining;
  for (const auto& one : Plan(view).moves)
    EXPECT_NE(one.move.to, DeviceId("o/d"));
}

TEST(Rebalance, ItsRoomIsThatOfTheViewAfterItsMoves) {
  auto view = Fragmented();
  const auto plan = Plan(view);
  for (const auto& one : plan.moves)
    (void)MoveApp(view, one.move, 100);
  EXPECT_NEAR(Plan(view, {}, 0).room_before, plan.room_after, 1e-12);
  EXPECT_EQ(plan.room_after, plan.moves.back().room_after);
  EXPECT_TRUE(Plan(view).moves.empty()) << "nothing moves in circles";
}

TEST(Rebalance, LeavesAloneWhatWinsLessThanAHundredth) {
  // Of s small types of two devices each and a large one of one, the large one is worth 1 / (2 s) of the room.
  auto view = Fragmented();
  const auto refuse_small = [&](int count) {
    for (int i = 0; i < count; ++i)
      view.refused.push_back(MakeApp("s" + std::to_string(view.refused.size()), "m", {.rate_rps = 20}));
  };
  refuse_small(45); // s = 49 with the four that are placed
  EXPECT_EQ(Plan(view).moves.size(), 1U);
  refuse_small(2);
  EXPECT_TRUE(Plan(view).moves.empty());
}

TEST(Rebalance, TellsTheVersionThatItWasMadeAgainst) {
  auto view = Fragmented();
  view.version = 77;
  EXPECT_EQ(Plan(view).view_version, 77U);
  EXPECT_EQ(Plan(view, {.placement = PlacementPolicy::kPaperBfs}).view_version, 77U);
}

} // namespace
} // namespace avocet
