#include "controller/cluster/cluster_changes.h"

#include <gtest/gtest.h>

#include "controller/placement/decide.h"
#include "controller/placement/describe.h"
#include "tests/support/view_builder.h"

namespace avocet {
namespace {

const DeviceId kGpu{"n1/gpu0"};

ViewBuilder Cluster() {
  return ViewBuilder().Device("n1/gpu0").Device("n2/gpu0").Model("pose:1", {.service_ms = 20});
}

Decision Admitted(const ClusterView& view, const Application& app) {
  Decision decision = Decide(view, app, {});
  EXPECT_EQ(decision.kind, DecisionKind::kAdmit);
  return decision;
}

TEST(ClusterChanges, AdmissionGivesANewEpochAndANewVersion) {
  ClusterView view = Cluster().Build();
  const uint64_t version = view.version;
  const auto placement = AdmitApp(view, Admitted(view, MakeApp("cam", "pose")), 7);
  EXPECT_EQ(placement.epoch, 7U);
  EXPECT_EQ(placement.phase, PlacementPhase::kStarting);
  EXPECT_TRUE(Validate(placement).ok());
  EXPECT_EQ(view.placements.at(AppId("cam")), placement);
  EXPECT_GT(view.version, version);
}

TEST(ClusterChanges, WhatStaysKeepsItsEpoch) {
  ClusterView view = Cluster().Build();
  auto decision = Admitted(view, MakeApp("cam", "pose"));
  (void)AdmitApp(view, decision, 7);
  decision.app.rate_rps = 2;
  EXPECT_EQ(AdmitApp(view, decision, 8).epoch, 7U);
  EXPECT_EQ(view.apps.at(AppId("cam")).rate_rps, 2);
  view.placements.at(AppId("cam")).phase = PlacementPhase::kFailed;
  EXPECT_EQ(AdmitApp(view, decision, 9).epoch, 9U) << "a failed copy is started anew";
}

TEST(ClusterChanges, AnotherDeviceIsANewPlacement) {
  ClusterView view = Cluster().Build();
  auto decision = Admitted(view, MakeApp("cam", "pose"));
  (void)AdmitApp(view, decision, 7);
  decision.device = *decision.device == kGpu ? DeviceId("n2/gpu0") : kGpu;
  EXPECT_EQ(AdmitApp(view, decision, 8).epoch, 8U);
}

TEST(ClusterChanges, ANodeThatLeavesLosesItsPlacementsAndOnlyThose) {
  ClusterView view =
      Cluster().Resident(MakeApp("a", "pose"), "n1/gpu0").Resident(MakeApp("b", "pose"), "n2/gpu0").Build();
  NodeLost(view, NodeId("n1"), "no heartbeat");
  EXPECT_EQ(view.devices.at(kGpu).health, DeviceHealth::kAway);
  EXPECT_EQ(view.placements.at(AppId("a")).phase, PlacementPhase::kLost);
  EXPECT_FALSE(view.placements.at(AppId("a")).reason.empty());
  EXPECT_EQ(view.placements.at(AppId("b")).phase, PlacementPhase::kReady);
  EXPECT_EQ(DescribeNodes(view).at(0).health, DeviceHealth::kAway);
}

TEST(ClusterChanges, ANodeThatReturnsWithoutADeviceHasItAway) {
  ClusterView view = Cluster().Build();
  NodeInfo node = view.nodes.at(NodeId("n1"));
  node.devices[0].name = "gpu1";
  NodeArrived(view, node);
  EXPECT_EQ(view.devices.at(kGpu).health, DeviceHealth::kAway);
  EXPECT_EQ(view.devices.at(DeviceId("n1/gpu1")).health, DeviceHealth::kHealthy);
}

TEST(ClusterChanges, ReportsCountForTheirEpochAndDeviceOnly) {
  ClusterView view = Cluster().Resident(MakeApp("a", "pose"), "n1/gpu0").Build();
  const auto& placement = view.placements.at(AppId("a"));
  Placement report = placement;
  report.phase = PlacementPhase::kFailed;
  report.reason = "no memory";

  ++report.epoch;
  EXPECT_EQ(TakeReport(view, report), ReportEffect::kAnotherCopy);
  --report.epoch;
  report.device = DeviceId("n2/gpu0");
  EXPECT_EQ(TakeReport(view, report), ReportEffect::kAnotherCopy);
  report.device = placement.device;
  EXPECT_EQ(TakeReport(view, report), ReportEffect::kChanged);
  EXPECT_EQ(placement.phase, PlacementPhase::kFailed);
  EXPECT_EQ(TakeReport(view, report), ReportEffect::kNothingNew);
  report.app = AppId("unknown");
  EXPECT_EQ(TakeReport(view, report), ReportEffect::kAnotherCopy);
}

TEST(ClusterChanges, ACopyThatServesDoesNotStartAgainUnderTheSameEpoch) {
  ClusterView view = Cluster().Resident(MakeApp("a", "pose"), "n1/gpu0").Build();
  Placement late = view.placements.at(AppId("a"));
  late.phase = PlacementPhase::kStarting;
  EXPECT_EQ(TakeReport(view, late), ReportEffect::kNothingNew);
  EXPECT_EQ(view.placements.at(AppId("a")).phase, PlacementPhase::kReady);
}

TEST(ClusterChanges, CommandsAreValid) {
  ClusterView view = Cluster().Resident(MakeApp("a", "pose"), "n1/gpu0").Build();
  const auto placement = ForgetPlacement(view, AppId("a"));
  ASSERT_TRUE(placement);
  EXPECT_TRUE(Validate(StartCommand(*placement)).ok());
  const auto stop = StopCommand(*placement);
  EXPECT_TRUE(Validate(stop).ok());
  EXPECT_EQ(stop.kind, CommandKind::kStop);
  EXPECT_EQ(stop.epoch, placement->epoch);
  EXPECT_FALSE(view.apps.contains(AppId("a")));
  EXPECT_FALSE(ForgetPlacement(view, AppId("a")));
}

TEST(ClusterChanges, ASnapshotBringsAnApplicationBack) {
  ClusterView view = Cluster().Resident(MakeApp("a", "pose"), "n1/gpu0").Build();
  const ClusterView before = view;
  const auto snapshot = Snapshot(view, AppId("a"));
  (void)ForgetPlacement(view, AppId("a"));
  RollBack(view, snapshot);
  EXPECT_EQ(view.apps.at(AppId("a")), before.apps.at(AppId("a")));
  EXPECT_EQ(view.placements.at(AppId("a")), before.placements.at(AppId("a")));
  EXPECT_GT(view.version, before.version);
}

TEST(ClusterChanges, ASnapshotOfAStrangerMakesItOneAgain) {
  ClusterView view = Cluster().Build();
  const auto snapshot = Snapshot(view, AppId("a"));
  RestoreApp(view, MakeApp("a", "pose"));
  RollBack(view, snapshot);
  EXPECT_FALSE(view.apps.contains(AppId("a")));
}

TEST(ClusterChanges, PlacedAgainACopyStartsUnderItsNewEpoch) {
  ClusterView view = Cluster().Resident(MakeApp("a", "pose"), "n1/gpu0").Build();
  const Placement old = view.placements.at(AppId("a"));
  view.placements.at(AppId("a")).device = DeviceId("n2/gpu0");
  const Placement again = PlaceAgain(view, old, 77);
  EXPECT_EQ(again.device, old.device);
  EXPECT_EQ(again.epoch, 77U);
  EXPECT_EQ(again.phase, PlacementPhase::kStarting);
  EXPECT_EQ(view.placements.at(AppId("a")), again);
}

TEST(ClusterChanges, MarksAsFailedOnlyWhatIsPlaced) {
  ClusterView view = Cluster().Resident(MakeApp("a", "pose"), "n1/gpu0").Build();
  MarkFailed(view, AppId("a"), "no room");
  EXPECT_EQ(view.placements.at(AppId("a")).phase, PlacementPhase::kFailed);
  EXPECT_EQ(view.placements.at(AppId("a")).reason, "no room");
  MarkFailed(view, AppId("unknown"), "no room");
  EXPECT_FALSE(view.placements.contains(AppId("unknown")));
}

AppStatus Described(const ClusterView& view, const AppId& app) {
  PredictionBook book;
  return DescribeApp(view, app, book);
}

TEST(Describe, PredictsAtTheDeclaredRateUntilMeasurementsContradictIt) {
  ViewBuilder builder = Cluster().Resident(MakeApp("a", "pose", {.rate_rps = 10}), "n1/gpu0");
  const auto declared = Described(builder.Build(), AppId("a"));
  ASSERT_TRUE(declared.predicted);
  EXPECT_NEAR(declared.utilization, 0.2, 1e-9);
  DeviceFit fit{.device = kGpu, .boot = BootId("b"), .covered_sequence = 1};
  fit.apps.push_back({AppId("a"), {.mean = 10.4, .scv = 1, .weight = 400}});
  EXPECT_NEAR(Described(ViewBuilder(builder).Fit(fit).Build(), AppId("a")).utilization, 0.2, 1e-9);
  fit.apps[0].rate.mean = 20;
  const auto contradicted = Described(ViewBuilder(builder).Fit(fit).Build(), AppId("a"));
  EXPECT_NEAR(contradicted.utilization, 0.4, 1e-9);
  EXPECT_GT(contradicted.predicted->mean, declared.predicted->mean);
}

TEST(Describe, NamesOneHealthyDeviceOfEachTypeToProfile) {
  const ClusterView view =
      ViewBuilder()
          .Device("n1/gpu0")
          .Device("n2/gpu0")
          .Device("n3/tpu0", {.kind = DeviceKind::kEdgeTpu, .type = "other"})
          .Device("n4/cpu0", {.kind = DeviceKind::kCpu, .engine = EngineKind::kTflite, .type = "cpu"})
          .Model("pose:1")
          .Build();
  const Model& model = *view.FindModel("pose");
  EXPECT_EQ(DevicesToProfile(view, model, false), (std::vector<DeviceId>{kGpu, DeviceId("n3/tpu0")}));
  EXPECT_EQ(DevicesToProfile(view, model, true), (std::vector<DeviceId>{DeviceId("n3/tpu0")}));
}

TEST(ClusterChanges, KeepsABoundedNumberOfRefusals) {
  ClusterView view;
  for (size_t i = 0; i < kMaxRefused + 3; ++i)
    RefuseApp(view, MakeApp("a" + std::to_string(i), "m"));
  ASSERT_EQ(view.refused.size(), kMaxRefused);
  EXPECT_EQ(view.refused.front().name, AppId("a3"));
  RefuseApp(view, MakeApp("a3", "m"));
  EXPECT_EQ(view.refused.back().name, AppId("a3"));
  EXPECT_EQ(view.refused.size(), kMaxRefused);
}

NodeInfo NodeWith(const std::string& name, const std::vector<std::string>& devices) {
  NodeInfo node{.id = NodeId(name), .boot = BootId("boot")};
  for (const auto& device : devices)
    node.devices.push_back({.node = node.id, .name = device, .type = "test device", .memory_bytes = kMiB});
  return node;
}

TEST(ClusterChanges, DevicesThatANodeListsNoMoreAreForgotten) {
  ClusterView view = Cluster().Device("n1/gpu1").Device("n1/gpu2").Resident(MakeApp("a", "pose"), "n1/gpu1").Build();
  NodeArrived(view, NodeWith("n1", {"gpu0"}));
  const uint64_t version = view.version;
  EXPECT_EQ(ForgetUnlistedDevices(view, NodeId("n1")), std::vector<DeviceId>{DeviceId("n1/gpu2")});
  EXPECT_GT(view.version, version);
  EXPECT_TRUE(view.devices.contains(kGpu));
  EXPECT_TRUE(view.devices.contains(DeviceId("n1/gpu1"))) << "an application is placed there";
  EXPECT_TRUE(view.devices.contains(DeviceId("n2/gpu0"))) << "another node's";
  (void)ForgetPlacement(view, AppId("a"));
  EXPECT_EQ(ForgetUnlistedDevices(view, NodeId("n1")), std::vector<DeviceId>{DeviceId("n1/gpu1")});
  EXPECT_TRUE(ForgetUnlistedDevices(view, NodeId("n3")).empty());
}

/// Nodes a, b, c and d with a device each; a is alive, b has an application, c and d are away.
ClusterView FourNodes() {
  ViewBuilder builder;
  for (const char* device : {"a/gpu0", "b/gpu0", "c/gpu0", "d/gpu0"})
    builder.Device(device);
  ClusterView view = builder.Model("pose:1").Resident(MakeApp("app", "pose"), "b/gpu0").Build();
  for (const char* node : {"b", "c", "d"})
    NodeLost(view, NodeId(node), "away");
  return view;
}

TEST(ClusterChanges, ANewcomerAtTheLimitTakesThePlaceOfANodeThatIsAwayAndUnused) {
  ClusterView view = FourNodes();
  EXPECT_TRUE(MakeRoom(view, NodeWith("e", {"gpu0"}), {.max_nodes = 5, .max_devices = 5})->nodes.empty());
  const auto forgotten = MakeRoom(view, NodeWith("e", {"gpu0"}), {.max_nodes = 4, .max_devices = 5});
  ASSERT_TRUE(forgotten.ok()) << forgotten.status().ToString();
  EXPECT_EQ(forgotten->nodes, std::vector<NodeId>{NodeId("c")});
  EXPECT_EQ(forgotten->devices, std::vector<DeviceId>{DeviceId("c/gpu0")});
  EXPECT_EQ(view.nodes.size(), 3U);
  EXPECT_EQ(view.devices.size(), 3U);
}

TEST(ClusterChanges, ANewcomerWithTooManyDevicesIsRefusedAndNothingForgotten) {
  ClusterView view = FourNodes();
  const auto refused = MakeRoom(view, NodeWith("e", {"gpu0", "gpu1", "gpu2"}), {.max_nodes = 9, .max_devices = 4});
  EXPECT_EQ(refused.status().code(), StatusCode::kResourceExhausted);
  EXPECT_EQ(view.nodes.size(), 4U);
  EXPECT_EQ(MakeRoom(view, NodeWith("e", {"gpu0", "gpu1"}), {.max_nodes = 9, .max_devices = 4})->nodes.size(), 2U);
}

TEST(ClusterChanges, AKnownNodeNeedsNoRoom) {
  ClusterView view = FourNodes();
  EXPECT_TRUE(MakeRoom(view, NodeWith("c", {"gpu0"}), {.max_nodes = 4, .max_devices = 4})->nodes.empty());
  EXPECT_EQ(view.nodes.size(), 4U);
}

} // namespace
} // namespace avocet
