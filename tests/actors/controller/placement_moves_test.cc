// Decisions that move applications: to make room for a newcomer, and to rebalance.
#include <algorithm>

#include <gmock/gmock.h>

#include "messages/text.h"
#include "tests/actors/controller/placement_actor_fixture.h"

namespace avocet {
namespace {

/// Two nodes whose GPUs have memory for one model each. "cam" serves on the first.
class MovesTest : public PlacementActorTest {
protected:
  void SetUp() override {
    ASSERT_TRUE(Up("n1", 150).ok());
    ASSERT_TRUE(Up("n2", 150).ok());
    ASSERT_TRUE(Import("pose").ok());
    ASSERT_TRUE(Import("face").ok());
    Serve("cam", "pose");
  }

  Status Up(const std::string& node, uint64_t memory_mib) {
    NodeInfo info = TestNode(node);
    info.devices[0].memory_bytes = memory_mib * kMiB;
    return Ask<Welcome>(placement, NodeUp{info, {}, agent}).status();
  }

  void Serve(const std::string& app, const std::string& model) {
    auto decision = Ask<Decision>(placement, ApplyApp{MakeApp(app, model, {.rate_rps = 5}), {}});
    ASSERT_TRUE(decision.ok());
    ASSERT_EQ(decision->kind, DecisionKind::kAdmit);
    ASSERT_TRUE(Report(fake->commands.back()));
  }

  bool Report(const Command& command, PlacementPhase phase = PlacementPhase::kReady) {
    const auto node = ParseDeviceId(command.device.str())->node;
    return Ask<Done>(placement, ReportRunning{node, ReportOf(command, phase)}).ok();
  }

  /// Needs the device where "cam" is: measured on the other, its model is too slow.
  Result<Decision> ApplyWhatNeedsRoom() {
    DeviceFit slow{.device = DeviceId("n2/gpu0"), .boot = BootId("boot"), .covered_sequence = 1};
    slow.models.push_back({ModelId("face:1"), {.mean = 0.5, .scv = 0, .weight = 100}, {}});
    Send(placement, FitChanged{slow});
    fake->commands.clear();
    return Ask<Decision>(placement, ApplyApp{MakeApp("door", "face", {.rate_rps = 5, .latency_ms = 100}), {}});
  }
};

TEST_F(MovesTest, MoversFirstThenWhoNeedsTheirPlace) {
  ASSERT_EQ(Ask<AppStatus>(snapshots, GetApp{AppId("cam")})->placement->device, DeviceId("n1/gpu0"));
  const auto decision = ApplyWhatNeedsRoom();
  ASSERT_TRUE(decision.ok()) << decision.status().ToString();
  ASSERT_EQ(decision->kind, DecisionKind::kAdmitWithMoves);
  EXPECT_EQ(decision->moves, (std::vector<Move>{{AppId("cam"), DeviceId("n1/gpu0"), DeviceId("n2/gpu0")}}));
  ASSERT_EQ(fake->commands.size(), 1U) << "the newcomer waits";
  EXPECT_EQ(fake->commands[0].app, AppId("cam"));
  EXPECT_EQ(fake->commands[0].device, DeviceId("n2/gpu0"));
  ASSERT_TRUE(Report(fake->commands[0]));
  ASSERT_EQ(fake->commands.size(), 3U);
  EXPECT_EQ(fake->commands[1].kind, CommandKind::kStop);
  EXPECT_EQ(fake->commands[1].device, DeviceId("n1/gpu0"));
  EXPECT_EQ(fake->commands[2].kind, CommandKind::kStart);
  EXPECT_EQ(fake->commands[2].app, AppId("door"));
}

TEST_F(MovesTest, WhoWaitsForRoomSaysSoAndStartsUnderTheEpochThatARegistrationGaveIt) {
  ASSERT_TRUE(ApplyWhatNeedsRoom().ok());
  const Command mover = fake->commands.at(0);
  EXPECT_THAT(Ask<AppStatus>(snapshots, GetApp{AppId("door")})->placement->reason, testing::HasSubstr("'cam'"));

  // Its agent took later commands meanwhile, so it would drop a start of the first epoch.
  NodeInfo info = TestNode("n1");
  info.devices[0].memory_bytes = 150 * kMiB;
  ASSERT_TRUE(Ask<Welcome>(placement, NodeUp{info, {}, agent, 100}).ok());
  EXPECT_THAT(Ask<AppStatus>(snapshots, GetApp{AppId("door")})->placement->reason, testing::HasSubstr("'cam'"));
  ASSERT_TRUE(Report(mover));

  const Command start = fake->commands.back();
  ASSERT_EQ(start.app, AppId("door"));
  EXPECT_GT(start.epoch, 100U);
  EXPECT_THAT(Ask<AppStatus>(snapshots, GetApp{AppId("door")})->placement->reason,
              testing::Not(testing::HasSubstr("'cam'")));
  ASSERT_TRUE(Report(start));
  EXPECT_EQ(PhaseOf("door"), PlacementPhase::kReady);
}

TEST_F(MovesTest, AreOnDiskBeforeAnyoneIsCommanded) {
  ASSERT_TRUE(Ask<ProfileList>(placement, ProfileModel{"face", {}}).ok());
  control->fail = true;
  EXPECT_FALSE(ApplyWhatNeedsRoom().ok());
  EXPECT_TRUE(fake->commands.empty());
  control->fail = false;
  EXPECT_EQ(Ask<AppStatus>(snapshots, GetApp{AppId("cam")})->placement->phase, PlacementPhase::kReady);
}

TEST_F(MovesTest, AMoverThatFailsIsPlacedAgainWhereItServes) {
  const auto decision = ApplyWhatNeedsRoom();
  ASSERT_TRUE(decision.ok());
  ASSERT_EQ(decision->kind, DecisionKind::kAdmitWithMoves);
  ASSERT_TRUE(Report(fake->commands.at(0), PlacementPhase::kFailed));
  const auto cam = Ask<AppStatus>(snapshots, GetApp{AppId("cam")});
  EXPECT_EQ(cam->placement->device, decision->moves.at(0).from);
  EXPECT_EQ(PhaseOf("door"), PlacementPhase::kFailed);

  ASSERT_EQ(fake->commands.size(), 3U);
  EXPECT_EQ(fake->commands[1].kind, CommandKind::kStop) << "of the copy that failed";
  EXPECT_EQ(fake->commands[1].device, decision->moves.at(0).to);
  EXPECT_EQ(fake->commands[2].kind, CommandKind::kStart);
  EXPECT_EQ(fake->commands[2].device, decision->moves.at(0).from);
  EXPECT_GT(fake->commands[2].epoch, fake->commands[0].epoch);
  ASSERT_TRUE(Report(fake->commands.at(2), PlacementPhase::kReady));
  EXPECT_EQ(PhaseOf("cam"), PlacementPhase::kReady);
  Restart();
  EXPECT_EQ(Ask<AppStatus>(snapshots, GetApp{AppId("cam")})->placement->device, decision->moves.at(0).from);
}

TEST_F(MovesTest, ANewModelThatFailsLeavesTheEarlierCopyServing) {
  const Command earlier = fake->commands.back();
  fake->commands.clear();
  const auto decision = Ask<Decision>(placement, ApplyApp{MakeApp("cam", "face", {.rate_rps = 5}), {}});
  ASSERT_TRUE(decision.ok()) << decision.status().ToString();
  ASSERT_EQ(fake->commands.size(), 1U);
  const Command update = fake->commands[0];
  ASSERT_EQ(update.device, earlier.device) << "of the same device";

  ASSERT_TRUE(Report(update, PlacementPhase::kFailed));
  ASSERT_TRUE(Report(earlier)) << "as the agent says of the copy that serves";
  ASSERT_EQ(fake->commands.size(), 2U);
  EXPECT_EQ(fake->commands[1].kind, CommandKind::kStart) << "a stop would end the copy that serves";
  EXPECT_EQ(fake->commands[1].device, earlier.device);
  EXPECT_GT(fake->commands[1].epoch, update.epoch);
}

/// What the application that waits for room fails of names the mover and its reason: together longer than a text may
/// be.
TEST_F(MovesTest, TheLongestReasonOfAMoverIsCutWhereItIsWrapped) {
  ASSERT_TRUE(ApplyWhatNeedsRoom().ok());
  Placement failed = ReportOf(fake->commands.at(0), PlacementPhase::kFailed);
  failed.reason.clear();
  while (failed.reason.size() + 3 <= kMaxTextBytes)
    failed.reason += "\xE2\x82\xAC";
  ASSERT_TRUE(Ask<Done>(placement, ReportRunning{NodeId("n2"), failed}).ok());
  Restart();
  const auto events = Ask<EventList>(placement, ListEvents{})->events;
  const auto waiting = std::find_if(events.begin(), events.end(), [](const Event& event) {
    return event.kind == "app_failed" && event.subject == "door";
  });
  ASSERT_NE(waiting, events.end());
  EXPECT_TRUE(IsText(waiting->detail)) << "cut between characters";
  EXPECT_GT(waiting->detail.size(), kMaxTextBytes - 3);
  EXPECT_NE(waiting->detail.find("could not make room"), std::string::npos);
}

/// One node with two applications and one that was refused for want of room; then a second, empty one comes.
class RebalanceTest : public PlacementActorTest {
protected:
  void SetUp() override {
    ReadyForApps();
    for (const std::string app : {"cam", "door"}) {
      ASSERT_EQ(Apply(app, 20)->kind, DecisionKind::kAdmit);
      ASSERT_TRUE(Ask<Done>(placement, ReportRunning{NodeId("n1"), ReportOf(fake->commands.back())}).ok());
    }
    ASSERT_EQ(Apply("large", 60)->kind, DecisionKind::kReject);
    ASSERT_TRUE(BringUp("n2").ok());
    fake->commands.clear();
  }
};

TEST_F(RebalanceTest, APlanChangesNothing) {
  const auto plan = Ask<RebalancePlan>(placement, Rebalance{4, false});
  ASSERT_TRUE(plan.ok()) << plan.status().ToString();
  ASSERT_EQ(plan->moves.size(), 1U) << "then the large one fits on both";
  EXPECT_EQ(plan->moves[0].move.to, DeviceId("n2/gpu0"));
  EXPECT_FALSE(plan->executed);
  EXPECT_TRUE(fake->commands.empty());
  EXPECT_EQ(*plan, *Ask<RebalancePlan>(placement, Rebalance{4, false}));
}

TEST_F(RebalanceTest, MakesBeforeItBreaks) {
  const auto plan = Ask<RebalancePlan>(placement, Rebalance{4, true});
  ASSERT_TRUE(plan.ok()) << plan.status().ToString();
  EXPECT_TRUE(plan->executed);
  ASSERT_EQ(fake->commands.size(), 1U);
  const Command start = fake->commands[0];
  EXPECT_EQ(start.kind, CommandKind::kStart);
  EXPECT_EQ(start.app, plan->moves.at(0).move.app);
  EXPECT_EQ(start.device, DeviceId("n2/gpu0"));
  ASSERT_TRUE(Ask<Done>(placement, ReportRunning{NodeId("n2"), ReportOf(start)}).ok());
  ASSERT_EQ(fake->commands.size(), 2U);
  EXPECT_EQ(fake->commands[1].kind, CommandKind::kStop);
  EXPECT_EQ(fake->commands[1].device, DeviceId("n1/gpu0"));
  Restart();
  EXPECT_EQ(Ask<AppStatus>(snapshots, GetApp{start.app})->placement->device, DeviceId("n2/gpu0"));
}

TEST_F(RebalanceTest, IsOnDiskBeforeAnyoneIsCommanded) {
  control->fail = true;
  EXPECT_EQ(Ask<RebalancePlan>(placement, Rebalance{4, true}).status(), Unavailable("the disk is full"));
  EXPECT_TRUE(fake->commands.empty());
  control->fail = false;
  EXPECT_EQ(Ask<RebalancePlan>(placement, Rebalance{4, false})->moves.size(), 1U) << "nothing has moved";
}

TEST_F(RebalanceTest, RefusesImpossibleNumbersOfMoves) {
  for (const int moves : {-1, kMaxRebalanceMoves + 1})
    EXPECT_EQ(Ask<RebalancePlan>(placement, Rebalance{moves, false}).status().code(), StatusCode::kInvalidArgument);
}

} // namespace
} // namespace avocet
