#include "controller/placement/paper_admission.h"

#include <gtest/gtest.h>

#include "tests/controller/placement/asked.h"

namespace avocet::testing {
namespace {

constexpr Policy kPaper{.placement = PlacementPolicy::kPaperBfs};

/// A fifo device, "m" of constant 10 ms: alone 10 ms + 10 ms x rho / 2 (1 - rho).
ViewBuilder OneDevice(DeviceKind kind = DeviceKind::kGpu, double core_speed = 1) {
  ViewBuilder builder;
  builder.Node("n", {.cpu_cores = 4, .core_speed = core_speed});
  builder.Device("n/d", {.kind = kind, .discipline = Discipline::kFifo}).Model("m:1", {.service_ms = 10});
  return builder;
}

PaperBound FrontEndOf(const ClusterView& view, const Application& app) {
  const Asked asked(view, app, kPaper);
  return PaperFrontEnd(Candidate(asked.question, 0));
}

PaperBound ResponseOf(const ClusterView& view, const Application& app) {
  const Asked asked(view, app, kPaper);
  return PaperResponse(Candidate(asked.question, 0));
}

TEST(PaperFrontEnd, PreprocessingHasOneCoreHoweverManyThereAre) {
  // A share of 0.3 of one core: 10.05 ms + 300 ms / 0.7 for each of one request a second.
  const auto app = MakeApp("a", "m", {.rate_rps = 1, .preprocess_ms = 300});
  EXPECT_NEAR(FrontEndOf(OneDevice().Build(), app).found, 0.01005 + 0.3 / 0.7, 1e-4);
}

TEST(PaperFrontEnd, AClassIsBusyForItsResponseOfEveryRequest) {
  // rho 0.5: 15 ms x 50 rps.
  const auto bound = FrontEndOf(OneDevice().Build(), MakeApp("a", "m", {.rate_rps = 50}));
  EXPECT_EQ(bound.bound, 0.8);
  EXPECT_NEAR(bound.found, 0.75, 1e-9);
}

TEST(PaperFrontEnd, ApplicationsOfAModelAreOneClass) {
  auto builder = OneDevice();
  builder.Resident(MakeApp("r", "m", {.rate_rps = 30}), "n/d");
  EXPECT_NEAR(FrontEndOf(builder.Build(), MakeApp("a", "m", {.rate_rps = 20})).found, 0.75, 1e-9);
}

TEST(PaperFrontEnd, TakesCoreSpeedIntoAccount) {
  const auto app = MakeApp("a", "m", {.rate_rps = 1, .preprocess_ms = 300});
  EXPECT_NEAR(FrontEndOf(OneDevice(DeviceKind::kGpu, 2).Build(), app).found, 1 * (0.01005 + 0.15 / 0.85), 1e-4);
}

TEST(PaperResponse, AddsPreprocessingAndNetwork) {
  // Share 50 rps x 2 ms = 0.1: 15 ms + 2 ms / 0.9 + 3 ms.
  const AppOptions options{.rate_rps = 50, .latency_ms = 40, .network_allowance_ms = 3, .preprocess_ms = 2};
  const auto bound = ResponseOf(OneDevice().Build(), MakeApp("a", "m", options));
  EXPECT_NEAR(bound.found, 0.015 + 0.002 / 0.9 + 0.003, 1e-9);
  EXPECT_NEAR(bound.bound, 0.040, 1e-12);
}

TEST(PaperResponse, AClassHasItsSmallestObjective) {
  auto builder = OneDevice();
  builder.Resident(MakeApp("tight", "m", {.rate_rps = 10, .latency_ms = 25}), "n/d");
  EXPECT_NEAR(ResponseOf(builder.Build(), MakeApp("a", "m", {.rate_rps = 10, .latency_ms = 90})).bound, 0.025, 1e-12);
  EXPECT_NEAR(ResponseOf(builder.Build(), MakeApp("a", "m", {.rate_rps = 10, .latency_ms = 20})).bound, 0.020, 1e-12);
}

TEST(PaperResponse, IsThatOfTheClassNearestToItsObjective) {
  auto builder = OneDevice();
  builder.Model("slow:1", {.service_ms = 30});
  builder.Resident(MakeApp("relaxed", "slow", {.rate_rps = 1, .latency_ms = 900}), "n/d");
  const auto bound = ResponseOf(builder.Build(), MakeApp("a", "m", {.rate_rps = 1, .latency_ms = 50}));
  EXPECT_NEAR(bound.bound, 0.050, 1e-12);
}

TEST(PaperResponse, ExceedsAnyObjectiveWhereThereIsNoSteadyState) {
  const auto busy = ResponseOf(OneDevice().Build(), MakeApp("a", "m", {.rate_rps = 100, .latency_ms = 3'600'000}));
  EXPECT_GT(busy.found, busy.bound);
  const auto core = ResponseOf(OneDevice().Build(), MakeApp("a", "m", {.rate_rps = 10, .preprocess_ms = 100}));
  EXPECT_GT(core.found, core.bound);
}

TEST(PaperFrontEnd, EdgeTpusMayKeepACoreBusyAllTheTime) {
  // Of a model that nothing is known of there is no class, only the bound of the core.
  const auto bound_on = [](DeviceKind kind) {
    return FrontEndOf(OneDevice(kind).Build(), MakeApp("a", "absent", {.rate_rps = 1, .preprocess_ms = 900})).bound;
  };
  EXPECT_EQ(bound_on(DeviceKind::kEdgeTpu), 1);
  EXPECT_EQ(bound_on(DeviceKind::kGpu), 0.8);
  EXPECT_EQ(bound_on(DeviceKind::kCpu), 0.8);
}

} // namespace
} // namespace avocet::testing
