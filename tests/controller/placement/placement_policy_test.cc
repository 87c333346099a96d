// How Decide chooses among the devices that pass.
#include <gtest/gtest.h>

#include "controller/placement/decide.h"
#include "tests/support/view_builder.h"

namespace avocet {
namespace {

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

} // namespace
} // namespace avocet
