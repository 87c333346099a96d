#include "controller/reconcile.h"

#include <algorithm>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "controller/cluster_changes.h"
#include "tests/support/view_builder.h"

namespace avocet {
namespace {

using testing::FakeDigest;
using testing::MakeApp;
using testing::ViewBuilder;

RunningApp RunningAs(const Placement& placement, PlacementPhase phase = PlacementPhase::kReady) {
  return {.app = placement.app,
          .device = placement.device,
          .model = placement.model,
          .format = placement.format,
          .file = placement.file,
          .epoch = placement.epoch,
          .phase = phase,
          .reason = phase == PlacementPhase::kFailed ? "no memory" : ""};
}

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
  Reconciliation Run(const std::vector<RunningApp>& report) const { return Reconcile(view_, NodeId("n"), report); }

  ClusterView view_;
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

TEST_F(ReconcileOne, StopsWhatIsNotWanted) {
  auto stranger = RunningAs(placement());
  stranger.app = AppId("stranger");
  stranger.epoch = 7;
  const auto result = Run({RunningAs(placement()), stranger});
  ASSERT_EQ(result.commands.size(), 1u);
  EXPECT_EQ(result.commands[0].kind, CommandKind::kStop);
  EXPECT_EQ(result.commands[0].app, stranger.app);
  EXPECT_EQ(result.commands[0].epoch, 8u);
}

TEST_F(ReconcileOne, StopsWhatBelongsOnAnotherNode) {
  auto running = RunningAs(placement());
  placement().device = DeviceId("other/d");
  const auto result = Run({running});
  ASSERT_EQ(result.commands.size(), 1u);
  EXPECT_EQ(result.commands[0].kind, CommandKind::kStop);
  EXPECT_EQ(result.commands[0].device, DeviceId("n/d1"));
}

TEST_F(ReconcileOne, ReplacesTheWrongDevice) {
  auto running = RunningAs(placement());
  running.device = DeviceId("n/d2");
  const auto result = Run({running});
  ASSERT_EQ(result.commands.size(), 2u);
  EXPECT_EQ(result.commands[0].kind, CommandKind::kStop);
  EXPECT_EQ(result.commands[0].device, DeviceId("n/d2"));
  EXPECT_EQ(result.commands[1].kind, CommandKind::kStart);
  EXPECT_EQ(result.commands[1].device, DeviceId("n/d1"));
  EXPECT_LT(result.commands[0].epoch, result.commands[1].epoch);
}

TEST_F(ReconcileOne, ReplacesAnEarlierEpochWithoutRenumbering) {
  auto running = RunningAs(placement());
  placement().epoch = running.epoch + 10;
  const auto result = Run({running});
  ASSERT_EQ(result.commands.size(), 2u);
  EXPECT_EQ(result.commands[1].epoch, placement().epoch);
}

TEST_F(ReconcileOne, StartsAfterALaterEpochThanItKnows) {
  auto running = RunningAs(placement());
  running.epoch = 40;
  const auto result = Run({running});
  ASSERT_EQ(result.commands.size(), 2u);
  EXPECT_EQ(result.commands[0].epoch, 41u);
  EXPECT_EQ(result.commands[1].epoch, 42u);
  ASSERT_EQ(result.adopted.size(), 1u);
  EXPECT_EQ(result.adopted[0].epoch, 42u);
}

TEST_F(ReconcileOne, ReplacesAnotherModelOrFile) {
  auto model = RunningAs(placement());
  model.model = ModelId("m2:1");
  EXPECT_EQ(Run({model}).commands.size(), 2u);
  auto file = RunningAs(placement());
  file.file = FakeDigest("older");
  EXPECT_EQ(Run({file}).commands.size(), 2u);
}

TEST_F(ReconcileOne, LeavesOtherNodesAlone) {
  const auto result = Reconcile(view_, NodeId("other"), {});
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
  const auto commands = Reconcile(view, NodeId("n"), {stray1, stray2}).commands;
  ASSERT_EQ(commands.size(), 4u);
  EXPECT_EQ(commands[0].app, AppId("y"));
  EXPECT_EQ(commands[1].app, AppId("z"));
  EXPECT_EQ(commands[2].app, AppId("a"));
  EXPECT_EQ(commands[3].app, AppId("b"));
}

/// An agent as Reconcile knows it: ignores epochs that it has seen, else does as told.
std::map<AppId, RunningApp> Obey(const std::vector<RunningApp>& report, const std::vector<Command>& commands) {
  std::map<AppId, RunningApp> running;
  std::map<AppId, uint64_t> seen;
  for (const auto& app : report)
    running[app.app] = app, seen[app.app] = app.epoch;
  for (const auto& command : commands) {
    if (command.epoch <= seen[command.app]) continue;
    seen[command.app] = command.epoch;
    if (command.kind == CommandKind::kStop) {
      if (running.contains(command.app) && running[command.app].device == command.device) running.erase(command.app);
      continue;
    }
    running[command.app] = {command.app,  command.device, command.model,          command.format,
                            command.file, command.epoch,  PlacementPhase::kReady, ""};
  }
  return running;
}

std::vector<RunningApp> AnyReport(const ClusterView& view) {
  std::vector<RunningApp> report;
  for (const std::string name : {"a0", "a1", "a2", "a3", "stray0", "stray1"}) {
    if (!*rc::gen::arbitrary<bool>()) continue;
    const auto known = view.placements.find(AppId(name));
    RunningApp app = RunningAs(known == view.placements.end() ? view.placements.begin()->second : known->second);
    app.app = AppId(name);
    if (*rc::gen::inRange(0, 3) == 0) app.epoch = *rc::gen::inRange<uint64_t>(1, 9);
    if (*rc::gen::inRange(0, 3) == 0) app.device = *rc::gen::element(DeviceId("n/d1"), DeviceId("n/d2"));
    if (*rc::gen::inRange(0, 3) == 0) app.file = FakeDigest("another");
    report.push_back(app);
  }
  return report;
}

RC_GTEST_PROP(ReconcileProperty, CommandsMakeTheWantedStateOfAnyReport, ()) {
  ViewBuilder builder;
  builder.Device("n/d1").Device("n/d2").Device("other/d").Model("m:1");
  for (int i = 0; i < 4; ++i) {
    const auto app = MakeApp("a" + std::to_string(i), "m");
    builder.Resident(app, *rc::gen::element<std::string>("n/d1", "n/d2", "other/d"));
  }
  ClusterView view = builder.Build();
  const auto report = AnyReport(view);
  const auto result = Reconcile(view, NodeId("n"), report);
  for (const auto& placement : result.adopted)
    view.placements[placement.app] = placement;
  const auto running = Obey(report, result.commands);

  size_t wanted = 0;
  for (const auto& [app, placement] : view.placements) {
    if (!placement.device.str().starts_with("n/")) continue;
    ++wanted;
    RC_ASSERT(running.contains(app));
    RC_ASSERT(running.at(app) == RunningAs(placement, running.at(app).phase));
  }
  RC_ASSERT(running.size() == wanted);

  std::vector<RunningApp> now;
  for (const auto& [app, one] : running)
    now.push_back(one);
  RC_ASSERT(Reconcile(view, NodeId("n"), now).commands.empty());
}

} // namespace
} // namespace avocet
