#include "controller/cluster/reconcile.h"

#include <algorithm>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "controller/cluster/cluster_changes.h"
#include "tests/support/view_builder.h"

namespace avocet {
namespace {

Placement RunningAs(Placement placement, PlacementPhase phase = PlacementPhase::kReady) {
  placement.phase = phase;
  placement.reason = phase == PlacementPhase::kFailed ? "no memory" : "";
  return placement;
}

constexpr uint64_t kLastEpoch = 20; ///< that the controller handed out

/// One application "a" on n/d1; another device n/d2 on the node.
class ReconcileOne : public ::testing::Test {
protected:
  ReconcileOne()
      : view_(ViewBuilder()
                  .Device("n/d1")
                  .Device("n/d2")
                  .Device("other/d")
                  .Model("m:1")
                  .Model("m2:1")
                  .Resident(MakeApp("a", "m"), "n/d1")
                  .Build()) {}

  Placement& placement() { return view_.placements.at(AppId("a")); }
  Reconciliation Run(const std::vector<Placement>& report, uint64_t highest_epoch = 0) const {
    return Reconcile(view_, removals_, {NodeId("n"), report, highest_epoch}, kLastEpoch);
  }

  ClusterView view_;
  Removals removals_;
};

TEST_F(ReconcileOne, KeepsWhatRuns) {
  const auto result = Run({RunningAs(placement())});
  EXPECT_TRUE(result.commands.empty());
  EXPECT_TRUE(result.adopted.empty());
}

TEST_F(ReconcileOne, AdoptsThePhaseThatTheAgentReports) {
  placement().phase = PlacementPhase::kLost;
  placement().reason = "node 'n' is away";
  const auto result = Run({RunningAs(placement())});
  EXPECT_TRUE(result.commands.empty());
  ASSERT_EQ(result.adopted.size(), 1u);
  EXPECT_EQ(result.adopted[0].phase, PlacementPhase::kReady);
  EXPECT_EQ(result.adopted[0].reason, "");
}

TEST_F(ReconcileOne, AdoptsAFailureAndDoesNotTryAgain) {
  const auto result = Run({RunningAs(placement(), PlacementPhase::kFailed)});
  EXPECT_TRUE(result.commands.empty());
  ASSERT_EQ(result.adopted.size(), 1u);
  EXPECT_EQ(result.adopted[0].phase, PlacementPhase::kFailed);
  EXPECT_EQ(result.adopted[0].reason, "no memory");
}

TEST_F(ReconcileOne, StartsWhatIsMissing) {
  const auto result = Run({});
  ASSERT_EQ(result.commands.size(), 1u);
  EXPECT_EQ(result.commands[0], StartCommand(placement()));
  ASSERT_EQ(result.adopted.size(), 1u);
  EXPECT_EQ(result.adopted[0].phase, PlacementPhase::kStarting);
  EXPECT_EQ(result.adopted[0].epoch, placement().epoch);
}

TEST_F(ReconcileOne, StopsWhatWasRemoved) {
  auto stranger = RunningAs(placement());
  stranger.app = AppId("stranger");
  stranger.epoch = 7;
  removals_ = Removals({{stranger.app, 7}});
  const auto result = Run({RunningAs(placement()), stranger});
  ASSERT_EQ(result.commands.size(), 1u);
  EXPECT_EQ(result.commands[0].kind, CommandKind::kStop);
  EXPECT_EQ(result.commands[0].app, stranger.app);
  EXPECT_EQ(result.commands[0].epoch, 7u);
}

TEST_F(ReconcileOne, LeavesRunningWhatItDoesNotKnow) {
  auto never_seen = RunningAs(placement());
  never_seen.app = AppId("stranger");
  never_seen.epoch = kLastEpoch + 1;
  auto applied_again = RunningAs(placement());
  applied_again.app = AppId("back");
  applied_again.epoch = 8;
  removals_ = Removals({{applied_again.app, 7}});
  const auto result = Run({RunningAs(placement()), never_seen, applied_again});
  EXPECT_TRUE(result.commands.empty());
  EXPECT_TRUE(result.adopted.empty());
  EXPECT_EQ(result.orphans, (std::vector{never_seen, applied_again}));
  EXPECT_EQ(result.last_epoch, kLastEpoch + 1) << "it is not handed out again";
}

TEST_F(ReconcileOne, StopsWhatServesOnAnotherNode) {
  auto running = RunningAs(placement());
  placement().device = DeviceId("other/d");
  const auto result = Run({running});
  ASSERT_EQ(result.commands.size(), 1u);
  EXPECT_EQ(result.commands[0], StopCommand(running));
  EXPECT_TRUE(result.kept.empty());
}

TEST_F(ReconcileOne, KeepsACopyUntilTheCurrentOneServes) {
  auto running = RunningAs(placement());
  placement().device = DeviceId("other/d");
  for (const auto phase : {PlacementPhase::kStarting, PlacementPhase::kLost, PlacementPhase::kFailed}) {
    placement().phase = phase;
    const auto result = Run({running});
    EXPECT_TRUE(result.commands.empty());
    EXPECT_EQ(result.kept, std::vector{running});
  }
}

TEST_F(ReconcileOne, StopsACopyThatFailedWhereverTheCurrentOneIs) {
  auto running = RunningAs(placement(), PlacementPhase::kFailed);
  placement().device = DeviceId("other/d");
  placement().phase = PlacementPhase::kStarting;
  EXPECT_EQ(Run({running}).commands, std::vector{StopCommand(running)});
}

TEST_F(ReconcileOne, ReplacesTheWrongDeviceMakingBeforeBreaking) {
  auto running = RunningAs(placement());
  running.device = DeviceId("n/d2");
  placement().phase = PlacementPhase::kLost;
  const auto result = Run({running});
  ASSERT_EQ(result.commands.size(), 1u);
  EXPECT_EQ(result.commands[0].kind, CommandKind::kStart);
  EXPECT_EQ(result.commands[0].device, DeviceId("n/d1"));
  EXPECT_EQ(result.kept, std::vector{running});
}

TEST_F(ReconcileOne, ReplacesACopyOnItsOwnDeviceUnderANewEpoch) {
  auto running = RunningAs(placement());
  placement().epoch = running.epoch + 10;
  const auto result = Run({running}, running.epoch);
  ASSERT_EQ(result.commands.size(), 1u);
  EXPECT_EQ(result.commands[0].kind, CommandKind::kStart);
  EXPECT_EQ(result.commands[0].epoch, kLastEpoch + 1);
  EXPECT_EQ(result.last_epoch, kLastEpoch + 1);
}

TEST_F(ReconcileOne, StartsAboveAllThatTheAgentHasSeen) {
  const auto result = Run({}, 40);
  ASSERT_EQ(result.commands.size(), 1u);
  EXPECT_EQ(result.commands[0].epoch, 41u);
  ASSERT_EQ(result.adopted.size(), 1u);
  EXPECT_EQ(result.adopted[0].epoch, 41u);
  EXPECT_EQ(result.last_epoch, 41u);
}

TEST_F(ReconcileOne, StartsAboveALaterCopyThanItKnows) {
  auto running = RunningAs(placement());
  running.epoch = 40;
  const auto result = Run({running});
  ASSERT_EQ(result.commands.size(), 1u);
  EXPECT_EQ(result.commands[0].epoch, 41u);
}

TEST_F(ReconcileOne, ReplacesAnotherModelOrFile) {
  auto model = RunningAs(placement());
  model.model = ModelId("m2:1");
  EXPECT_EQ(Run({model}).commands.size(), 1u);
  auto file = RunningAs(placement());
  file.file = FakeDigest("older");
  EXPECT_EQ(Run({file}).commands.size(), 1u);
}

TEST_F(ReconcileOne, LeavesOtherNodesAlone) {
  const auto result = Reconcile(view_, {}, {NodeId("other"), {}, 0}, kLastEpoch);
  EXPECT_TRUE(result.commands.empty());
  EXPECT_TRUE(result.adopted.empty());
}

TEST(Reconcile, StopsComeFirstAndInOrder) {
  const auto view = ViewBuilder()
                        .Device("n/d")
                        .Model("m:1")
                        .Resident(MakeApp("b", "m"), "n/d")
                        .Resident(MakeApp("a", "m"), "n/d")
                        .Build();
  auto stray1 = RunningAs(view.placements.at(AppId("a"))), stray2 = stray1;
  stray1.app = AppId("z");
  stray2.app = AppId("y");
  const Removals removals({{stray1.app, stray1.epoch}, {stray2.app, stray2.epoch}});
  const auto commands = Reconcile(view, removals, {NodeId("n"), {stray2, stray1}, 0}, kLastEpoch).commands;
  ASSERT_EQ(commands.size(), 4u);
  EXPECT_EQ(commands[0].app, AppId("y"));
  EXPECT_EQ(commands[1].app, AppId("z"));
  EXPECT_EQ(commands[2].app, AppId("a"));
  EXPECT_EQ(commands[3].app, AppId("b"));
}

/// An agent as Reconcile knows it: drops starts that are past, else does as told.
std::map<AppId, Placement> Obey(const NodeReport& report, const std::vector<Command>& commands) {
  std::map<AppId, Placement> running;
  for (const auto& copy : report.running)
    running[copy.app] = copy;
  for (const auto& command : commands) {
    const auto known = running.find(command.app);
    if (command.kind == CommandKind::kStop) {
      if (known != running.end() && known->second.device == command.device && known->second.epoch <= command.epoch)
        running.erase(known);
      continue;
    }
    if (command.epoch <= report.highest_epoch || (known != running.end() && command.epoch <= known->second.epoch))
      continue;
    running[command.app] = {.app = command.app,
                            .device = command.device,
                            .model = command.model,
                            .format = command.format,
                            .file = command.file,
                            .size_bytes = command.size_bytes,
                            .epoch = command.epoch,
                            .phase = PlacementPhase::kReady,
                            .reason = ""};
  }
  return running;
}

std::vector<Placement> AnyReport(const ClusterView& view) {
  std::vector<Placement> report;
  for (const std::string name : {"a0", "a1", "a2", "a3", "stray0", "stray1"}) {
    if (!*rc::gen::arbitrary<bool>()) continue;
    const auto known = view.placements.find(AppId(name));
    Placement app = RunningAs(known == view.placements.end() ? view.placements.begin()->second : known->second);
    app.app = AppId(name);
    if (*rc::gen::inRange(0, 3) == 0) app.epoch = *rc::gen::inRange<uint64_t>(1, 9);
    const bool elsewhere = !app.device.str().starts_with("n/"); // an agent speaks of its own devices only
    if (elsewhere || *rc::gen::inRange(0, 3) == 0) app.device = *rc::gen::element(DeviceId("n/d1"), DeviceId("n/d2"));
    if (*rc::gen::inRange(0, 3) == 0) app.file = FakeDigest("another");
    report.push_back(app);
  }
  return report;
}

RC_GTEST_PROP(ReconcileProperty, CommandsMakeTheWantedStateOfAnyReport, ()) {
  const Removals removals({{AppId("stray0"), kLastEpoch}});
  ViewBuilder builder;
  builder.Device("n/d1").Device("n/d2").Device("other/d").Model("m:1");
  for (int i = 0; i < 4; ++i) {
    const auto app = MakeApp("a" + std::to_string(i), "m");
    builder.Resident(app, *rc::gen::element<std::string>("n/d1", "n/d2", "other/d"));
  }
  ClusterView view = builder.Build();
  NodeReport report{NodeId("n"), AnyReport(view), 0};
  for (const auto& copy : report.running)
    report.highest_epoch = std::max(report.highest_epoch, copy.epoch);
  const auto result = Reconcile(view, removals, report, kLastEpoch);
  for (const auto& placement : result.adopted)
    AdoptPlacement(view, placement);
  auto running = Obey(report, result.commands);
  for (const auto& copy : result.kept) {
    RC_ASSERT(view.placements.at(copy.app).device != copy.device);
    if (running.at(copy.app) == copy) running.erase(copy.app); // it is stopped when the current copy serves
  }
  for (const auto& copy : result.orphans) {
    RC_ASSERT(copy.app == AppId("stray1"));
    RC_ASSERT(running.at(copy.app) == copy);
    running.erase(copy.app);
  }

  size_t wanted = 0;
  for (const auto& [app, placement] : view.placements) {
    if (!placement.device.str().starts_with("n/")) continue;
    ++wanted;
    RC_ASSERT(running.contains(app));
    RC_ASSERT(running.at(app) == RunningAs(placement, running.at(app).phase));
  }
  RC_ASSERT(running.size() == wanted);

  NodeReport now{NodeId("n"), {}, result.last_epoch};
  for (const auto& [app, one] : running)
    now.running.push_back(one);
  RC_ASSERT(Reconcile(view, removals, now, result.last_epoch).commands.empty());
}

} // namespace
} // namespace avocet
