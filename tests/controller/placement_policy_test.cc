// How Decide chooses among the devices that pass, and how it makes room.
#include <gtest/gtest.h>

#include "controller/cluster_changes.h"
#include "controller/decide.h"
#include "controller/fragmentation.h"
#include "tests/support/view_builder.h"

namespace avocet {
namespace {

using testing::MakeApp;
using testing::ViewBuilder;

/// Two GPUs and two edgeTPUs in order of id; "m" and "other" run on all of them.
ViewBuilder FourDevices() {
  ViewBuilder builder;
  builder.ModelWithoutProfile("m:1").ModelWithoutProfile("other:1");
  for (const std::string model : {"m:1", "other:1"}) {
    builder.Profile(model, {.device_type = "gpu", .service_ms = 10, .memory_mib = 1000});
    builder.Profile(model, {.device_type = "tpu", .service_ms = 20, .memory_mib = 100});
  }
  for (const std::string gpu : {"a/gpu", "b/gpu"})
    builder.Device(gpu, {.kind = DeviceKind::kGpu, .type = "gpu", .memory_mib = 4000});
  for (const std::string tpu : {"c/tpu", "d/tpu"})
    builder.Device(tpu, {.kind = DeviceKind::kEdgeTpu, .discipline = Discipline::kFifo, .type = "tpu"});
  return builder;
}

DeviceId Chosen(const ClusterView& view, PlacementPolicy placement, const Application& app = MakeApp("a", "m")) {
  return Decide(view, app, {.placement = placement, .max_moves = 0}).device.value_or(DeviceId());
}

TEST(PlacementPolicy, FirstFitTakesTheFirst) {
  auto builder = FourDevices();
  EXPECT_EQ(Chosen(builder.Build(), PlacementPolicy::kFirstFit), DeviceId("a/gpu"));
  builder.Resident(MakeApp("tight", "other", {.rate_rps = 50, .latency_ms = 17}), "a/gpu");
  EXPECT_EQ(Chosen(builder.Build(), PlacementPolicy::kFirstFit, MakeApp("a", "m", {.rate_rps = 20})),
            DeviceId("b/gpu"));
}

TEST(PlacementPolicy, BaselinesPreferAGpuThatHasTheModel) {
  auto builder = FourDevices();
  builder.Resident(MakeApp("r", "m", {.rate_rps = 2}), "b/gpu");
  for (const auto placement : {PlacementPolicy::kPaperBfs, PlacementPolicy::kPaperDfs, PlacementPolicy::kMemoryFirst,
                               PlacementPolicy::kMemoryBest, PlacementPolicy::kMemoryWorst})
    EXPECT_EQ(Chosen(builder.Build(), placement), DeviceId("b/gpu")) << ToString(placement);
}

TEST(PlacementPolicy, PaperBfsThenTakesAnEmptyDeviceAndDfsTheFirst) {
  auto builder = FourDevices();
  builder.Resident(MakeApp("r", "other", {.rate_rps = 2}), "a/gpu");
  EXPECT_EQ(Chosen(builder.Build(), PlacementPolicy::kPaperBfs), DeviceId("b/gpu"));
  EXPECT_EQ(Chosen(builder.Build(), PlacementPolicy::kPaperDfs), DeviceId("a/gpu"));
}

TEST(PlacementPolicy, FirstBestAndWorstOfMemoryAndUtilization) {
  auto builder = FourDevices();
  builder.Resident(MakeApp("r", "other", {.rate_rps = 2}), "b/gpu");
  const auto view = builder.Build();
  EXPECT_EQ(Chosen(view, PlacementPolicy::kMemoryFirst), DeviceId("a/gpu"));
  EXPECT_EQ(Chosen(view, PlacementPolicy::kMemoryBest), DeviceId("b/gpu"));
  EXPECT_EQ(Chosen(view, PlacementPolicy::kMemoryWorst), DeviceId("a/gpu"));
  EXPECT_EQ(Chosen(view, PlacementPolicy::kUtilizationFirst), DeviceId("a/gpu"));
  EXPECT_EQ(Chosen(view, PlacementPolicy::kUtilizationBest), DeviceId("b/gpu"));
  EXPECT_EQ(Chosen(view, PlacementPolicy::kUtilizationWorst), DeviceId("a/gpu"));
}

TEST(PlacementPolicy, BaselinesChooseTheKindWhoseUtilizationGrowsLeast) {
  // 10 ms on a GPU, 20 ms on an edgeTPU.
  EXPECT_EQ(Chosen(FourDevices().Build(), PlacementPolicy::kUtilizationWorst), DeviceId("a/gpu"));
  auto builder = FourDevices();
  builder.Profile("m:1", {.device_type = "tpu", .service_ms = 5});
  EXPECT_EQ(Chosen(builder.Build(), PlacementPolicy::kUtilizationWorst), DeviceId("c/tpu"));
}

TEST(PlacementPolicy, MemoryKnapsackIgnoresObjectivesAndOursDoNot) {
  const auto app = MakeApp("a", "m", {.rate_rps = 95, .latency_ms = 11});
  EXPECT_NE(Chosen(FourDevices().Build(), PlacementPolicy::kMemoryFirst, app), DeviceId());
  EXPECT_EQ(Chosen(FourDevices().Build(), PlacementPolicy::kHeadroom, app), DeviceId());
}

TEST(PlacementPolicy, BaselinesStopAtFourFifths) {
  const auto busy = MakeApp("a", "m", {.rate_rps = 81, .latency_ms = 60000});
  EXPECT_EQ(Chosen(FourDevices().Build(), PlacementPolicy::kUtilizationFirst, busy), DeviceId());
  EXPECT_EQ(Chosen(FourDevices().Build(), PlacementPolicy::kFirstFit, busy), DeviceId("a/gpu"));
  ViewBuilder small;
  small.Device("n/d", {.memory_mib = 100}).Model("m:1", {.memory_mib = 81});
  EXPECT_EQ(Chosen(small.Build(), PlacementPolicy::kMemoryFirst), DeviceId());
  EXPECT_EQ(Chosen(small.Build(), PlacementPolicy::kFirstFit), DeviceId("n/d"));
}

TEST(PlacementPolicy, PaperTestsTheMeanByItsOwnFormula) {
  // kFifo alone: 20 ms + 20 ms rho / 2 (1 - rho) = 30 ms at rho 0.5. Its front end: 25 rps x 0.03 s = 0.75.
  ViewBuilder builder;
  builder.Device("n/d", {.kind = DeviceKind::kEdgeTpu, .discipline = Discipline::kFifo});
  builder.Model("m:1", {.service_ms = 20});
  const auto at = [&](double latency_ms, double preprocess_ms) {
    return Decide(builder.Build(),
                  MakeApp("a", "m", {.rate_rps = 25, .latency_ms = latency_ms, .preprocess_ms = preprocess_ms}),
                  {.placement = PlacementPolicy::kPaperBfs})
        .verdicts.at(0);
  };
  EXPECT_TRUE(at(30.01, 0).ok);
  EXPECT_EQ(at(29.99, 0).filter, FilterKind::kPaperObjectives);
  EXPECT_EQ(at(1000, 2).filter, FilterKind::kPaperRate); // 2 / (1 - 0.05) ms more: 0.80
  EXPECT_TRUE(at(1000, 1.8).ok);
}

TEST(Fragmentation, KeepsADeviceForThoseThatNeedIt) {
  // Only the first device has memory for "big", which was asked for before. "small" fits on both.
  ViewBuilder builder;
  builder.Device("a/gpu", {.memory_mib = 1000}).Device("b/gpu", {.memory_mib = 600});
  builder.Model("big:1", {.memory_mib = 900}).Model("small:1", {.memory_mib = 200});
  ClusterView view = builder.Build();
  const auto small = MakeApp("s", "small");
  RefuseApp(view, MakeApp("b", "big"));
  EXPECT_EQ(Chosen(view, PlacementPolicy::kFragmentation, small), DeviceId("b/gpu"));
}

TEST(ClusterView, RemembersABoundedNumberOfRefusals) {
  ClusterView view;
  for (size_t i = 0; i < kMaxRefused + 3; ++i)
    RefuseApp(view, MakeApp("a" + std::to_string(i), "m"));
  ASSERT_EQ(view.refused.size(), kMaxRefused);
  EXPECT_EQ(view.refused.front().name, AppId("a3"));
  RefuseApp(view, MakeApp("a3", "m"));
  EXPECT_EQ(view.refused.back().name, AppId("a3"));
  EXPECT_EQ(view.refused.size(), kMaxRefused);
}

/// The newcomer fits nowhere: "big" needs what "small" occupies, and "small" could go to the other device.
ClusterView Crowded() {
  ViewBuilder builder;
  builder.Device("a/gpu", {.memory_mib = 1000}).Device("b/gpu", {.memory_mib = 300});
  builder.Model("big:1", {.memory_mib = 900}).Model("small:1", {.memory_mib = 200});
  builder.Resident(MakeApp("s", "small"), "a/gpu");
  return builder.Build();
}

TEST(Moves, MakeRoomWhereTheyMay) {
  const auto decision = Decide(Crowded(), MakeApp("b", "big"), {.max_moves = 1});
  EXPECT_TRUE(Validate(decision).ok()) << Validate(decision).ToString();
  EXPECT_EQ(decision.kind, DecisionKind::kAdmitWithMoves);
  EXPECT_EQ(decision.device, DeviceId("a/gpu"));
  EXPECT_EQ(decision.moves, (std::vector<Move>{{AppId("s"), DeviceId("a/gpu"), DeviceId("b/gpu")}}));
}

TEST(Moves, AreNotProposedWithoutLeave) {
  const auto decision = Decide(Crowded(), MakeApp("b", "big"), {.max_moves = 0});
  EXPECT_EQ(decision.kind, DecisionKind::kReject);
  EXPECT_TRUE(decision.moves.empty());
}

TEST(Moves, SeveralWhereOneIsNotEnough) {
  ViewBuilder builder;
  builder.Device("a/gpu", {.memory_mib = 1000}).Device("b/gpu", {.memory_mib = 450});
  builder.Model("big:1", {.memory_mib = 900}).Model("s1:1", {.memory_mib = 200}).Model("s2:1", {.memory_mib = 200});
  builder.Resident(MakeApp("s1", "s1"), "a/gpu").Resident(MakeApp("s2", "s2"), "a/gpu");
  EXPECT_EQ(Decide(builder.Build(), MakeApp("b", "big"), {.max_moves = 1}).kind, DecisionKind::kReject);
  const auto decision = Decide(builder.Build(), MakeApp("b", "big"), {.max_moves = 2});
  EXPECT_EQ(decision.kind, DecisionKind::kAdmitWithMoves);
  EXPECT_EQ(decision.moves.size(), 2u);
}

TEST(Moves, OneMakesRoomForAnother) {
  // "big" needs the first device, "s" of it only the second has memory for, once "t" has gone to the third.
  ViewBuilder builder;
  builder.Device("a/gpu", {.memory_mib = 1000})
      .Device("b/gpu", {.memory_mib = 500})
      .Device("c/gpu", {.memory_mib = 250});
  builder.Model("big:1", {.memory_mib = 900}).Model("s:1", {.memory_mib = 400}).Model("t:1", {.memory_mib = 200});
  builder.Resident(MakeApp("s", "s"), "a/gpu").Resident(MakeApp("t", "t"), "b/gpu");
  EXPECT_EQ(Decide(builder.Build(), MakeApp("b", "big"), {.max_moves = 1}).kind, DecisionKind::kReject);
  const auto decision = Decide(builder.Build(), MakeApp("b", "big"), {.max_moves = 2});
  ASSERT_EQ(decision.kind, DecisionKind::kAdmitWithMoves);
  EXPECT_EQ(decision.moves, (std::vector<Move>{{AppId("t"), DeviceId("b/gpu"), DeviceId("c/gpu")},
                                               {AppId("s"), DeviceId("a/gpu"), DeviceId("b/gpu")}}));
}

TEST(Moves, TwoLeaveAndOneOfThemNeedsRoom) {
  // "r" finds room on the second device at once; "s" only there too, once "t" has gone to the third.
  ViewBuilder builder;
  builder.Device("a/gpu", {.memory_mib = 1000})
      .Device("b/gpu", {.memory_mib = 550})
      .Device("c/gpu", {.memory_mib = 250});
  builder.Model("big:1", {.memory_mib = 950}).Model("s:1", {.memory_mib = 400});
  builder.Model("r:1", {.memory_mib = 100}).Model("t:1", {.memory_mib = 200});
  builder.Resident(MakeApp("r", "r"), "a/gpu").Resident(MakeApp("s", "s"), "a/gpu");
  builder.Resident(MakeApp("t", "t"), "b/gpu");
  EXPECT_EQ(Decide(builder.Build(), MakeApp("b", "big"), {.max_moves = 2}).kind, DecisionKind::kReject);
  const auto decision = Decide(builder.Build(), MakeApp("b", "big"), {.max_moves = 3});
  ASSERT_EQ(decision.kind, DecisionKind::kAdmitWithMoves);
  EXPECT_EQ(decision.moves.size(), 3u);
  EXPECT_EQ(decision.device, DeviceId("a/gpu"));
}

TEST(Moves, LeaveAloneWhoIsNotServing) {
  auto view = Crowded();
  view.placements.at(AppId("s")).phase = PlacementPhase::kLost;
  EXPECT_EQ(Decide(view, MakeApp("b", "big"), {.max_moves = 1}).kind, DecisionKind::kReject);
}

TEST(Preprocessing, PercentilesCountItsSpread) {
  // One core, 20 ms at a load of 0.5: 40 ms in the mean, but a p95 far above.
  ViewBuilder builder;
  builder.Node("n", {.cpu_cores = 1}).Device("n/d").Model("m:1", {.service_ms = 1});
  const auto p95 = [&](double preprocess_ms) {
    const auto app = MakeApp("a", "m", {.rate_rps = 25, .statistic = Statistic::kP95, .preprocess_ms = preprocess_ms});
    return ToMillis(*Decide(builder.Build(), app, {}).verdicts.at(0).apps.at(0).after);
  };
  EXPECT_GT(p95(20), 40 + p95(0) + 30);
  EXPECT_LT(p95(20), 40 + p95(0) + 90);
}

} // namespace
} // namespace avocet
