#include "controller/cluster_changes.h"

#include <gtest/gtest.h>

#include "controller/decide.h"
#include "controller/describe.h"
#include "tests/support/view_builder.h"

namespace avocet::testing {
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
  EXPECT_EQ(DescribeNodes(view).at(0).health, "away");
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
  RunningApp report{.app = placement.app,
                    .device = placement.device,
                    .epoch = placement.epoch,
                    .phase = PlacementPhase::kFailed,
                    .reason = "no memory"};
  ++report.epoch;
  EXPECT_FALSE(TakeReport(view, report));
  --report.epoch;
  report.device = DeviceId("n2/gpu0");
  EXPECT_FALSE(TakeReport(view, report));
  report.device = placement.device;
  EXPECT_TRUE(TakeReport(view, report));
  EXPECT_EQ(placement.phase, PlacementPhase::kFailed);
  report.app = AppId("unknown");
  EXPECT_FALSE(TakeReport(view, report));
}

TEST(ClusterChanges, CommandsAreValid) {
  ClusterView view = Cluster().Resident(MakeApp("a", "pose"), "n1/gpu0").Build();
  const auto placement = ForgetPlacement(view, AppId("a"));
  ASSERT_TRUE(placement);
  EXPECT_TRUE(Validate(StartCommand(*placement)).ok());
  const auto stop = StopCommand(*placement, 99);
  EXPECT_TRUE(Validate(stop).ok());
  EXPECT_EQ(stop.kind, CommandKind::kStop);
  EXPECT_EQ(stop.epoch, 99U);
  EXPECT_FALSE(view.apps.contains(AppId("a")));
  EXPECT_FALSE(ForgetPlacement(view, AppId("a")));
}

TEST(Describe, PredictsAtTheDeclaredRateUntilMeasurementsContradictIt) {
  ViewBuilder builder = Cluster().Resident(MakeApp("a", "pose", {.rate_rps = 10}), "n1/gpu0");
  const auto declared = DescribeApp(builder.Build(), AppId("a"));
  ASSERT_TRUE(declared.predicted);
  EXPECT_NEAR(declared.utilization, 0.2, 1e-9);
  DeviceFit fit{.device = kGpu, .boot = BootId("b"), .covered_sequence = 1};
  fit.apps.push_back({AppId("a"), {.mean = 10.4, .scv = 1, .weight = 400}});
  EXPECT_NEAR(DescribeApp(ViewBuilder(builder).Fit(fit).Build(), AppId("a")).utilization, 0.2, 1e-9);
  fit.apps[0].rate.mean = 20;
  const auto contradicted = DescribeApp(ViewBuilder(builder).Fit(fit).Build(), AppId("a"));
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

} // namespace
} // namespace avocet::testing
