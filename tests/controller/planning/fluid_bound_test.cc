#include "controller/planning/fluid_bound.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "cli/offline/cbc_solver.h"
#include "controller/placement/decide.h"
#include "controller/planning/placement_run.h"
#include "tests/support/view_builder.h"

namespace avocet {
namespace {

using Demand = FluidProblem::Demand;

const LinearSolver& Solver() {
  static const LinearSolver kSolver = LoadCbc().value();
  return kSolver;
}

double Hosted(const FluidProblem& problem) {
  const auto hosted = MostHosted(problem, Solver());
  EXPECT_TRUE(hosted.ok()) << hosted.status().message();
  return hosted.ok() ? *hosted : -1;
}

TEST(FluidBound, UtilizationIsShared) {
  FluidProblem problem{.pools = {{.type = "gpu", .devices = 2, .memory_bytes = 1e9}}, .demands = {}};
  problem.demands = {{.model = "m", .count = 10, .needs = {{.pool = 0, .utilization = 0.4}}}};
  EXPECT_NEAR(Hosted(problem), 5, 1e-6);
}

TEST(FluidBound, MemoryIsSharedByTheApplicationsOfAModel) {
  // 2 GB: the model once, then 0.1 GB for each application. The other model would leave less.
  FluidProblem problem{.pools = {{.type = "gpu", .devices = 1, .memory_bytes = 2e9}}, .demands = {}};
  problem.demands = {{.model = "m",
                      .count = 30,
                      .needs = {{.pool = 0, .utilization = 0.001, .memory_bytes = 1e8, .model_bytes = 1e9}}}};
  EXPECT_NEAR(Hosted(problem), 2e9 / (1e8 + 1e9 / 30), 1e-3);
}

TEST(FluidBound, AModelHasAsManyCopiesAsItsLoadNeeds) {
  // Each copy serves 2 applications and takes all the memory of a device.
  FluidProblem problem{.pools = {{.type = "gpu", .devices = 3, .memory_bytes = 1e9}}, .demands = {}};
  problem.demands = {{.model = "a", .count = 4, .needs = {{.pool = 0, .utilization = 0.5, .model_bytes = 1e9}}},
                     {.model = "b", .count = 4, .needs = {{.pool = 0, .utilization = 0.5, .model_bytes = 1e9}}}};
  EXPECT_NEAR(Hosted(problem), 6, 1e-6);
}

TEST(FluidBound, WhatRunsOnTwoKindsIsDivided) {
  FluidProblem problem{
      .pools = {{.type = "gpu", .devices = 1, .memory_bytes = 1e9}, {.type = "tpu", .devices = 1, .memory_bytes = 1e9}},
      .demands = {}};
  problem.demands = {
      {.model = "both", .count = 9, .needs = {{.pool = 0, .utilization = 0.25}, {.pool = 1, .utilization = 0.5}}},
      {.model = "nowhere", .count = 5, .needs = {}}};
  EXPECT_NEAR(Hosted(problem), 6, 1e-6);
}

TEST(FluidBound, TheLongestPrefixEndsBeforeWhatCannotBeHostedAnyMore) {
  ViewBuilder builder;
  builder.Device("n/d", {.memory_mib = 1000}).Model("m:1", {.service_ms = 10, .memory_mib = 400});
  builder.Model("big:1", {.service_ms = 10, .memory_mib = 700});
  std::vector<Application> apps;
  for (int i = 0; i < 5; ++i)
    apps.push_back(MakeApp("a" + std::to_string(i), i == 3 ? "big" : "m", {.rate_rps = 20}));
  EXPECT_EQ(*LongestPrefix(builder.Build(), apps, 1.0, Solver()),
            3U); // the big one does not fit beside the other model
  apps[3].model = "m";
  EXPECT_EQ(*LongestPrefix(builder.Build(), apps, 1.0, Solver()), 5U);
  EXPECT_EQ(*LongestPrefix(builder.Build(), apps, 0.3, Solver()), 0U);
  EXPECT_EQ(*LongestPrefix(builder.Build(), {}, 1.0, Solver()), 0U);
}

TEST(FluidBound, TheCheapestPurchaseIsWhole) {
  FluidProblem problem{.pools = {{.type = "gpu", .memory_bytes = 1e9, .price = 300, .most = 10},
                                 {.type = "tpu", .memory_bytes = 1e9, .price = 100, .most = 2}},
                       .demands = {}};
  problem.demands = {
      {.model = "m", .count = 6, .needs = {{.pool = 0, .utilization = 0.25}, {.pool = 1, .utilization = 0.5}}}};
  // A gpu takes four applications for 300, a tpu two for 100: three tpus would be cheaper, but there are two.
  const auto purchase = CheapestPools(problem, Solver());
  ASSERT_TRUE(purchase.ok() && purchase->has_value());
  EXPECT_EQ((*purchase)->devices, (std::vector{1, 1}));
  EXPECT_NEAR((*purchase)->price, 400, 1e-6);
  problem.pools[0].most = 0;
  EXPECT_FALSE(CheapestPools(problem, Solver())->has_value());
}

RC_GTEST_PROP(FluidBoundProperties, NoPolicyHostsMore, ()) {
  ViewBuilder builder;
  for (const std::string model : {"x:1", "y:1"}) {
    builder.ModelWithoutProfile(model);
    for (const std::string type : {"gpu", "tpu"})
      builder.Profile(model, {.device_type = type,
                              .service_ms = static_cast<double>(*rc::gen::inRange(5, 40)),
                              .memory_mib = *rc::gen::inRange<uint64_t>(50, 700)});
  }
  const int devices = *rc::gen::inRange(1, 5);
  for (int d = 0; d < devices; ++d)
    builder.Device(
        "n" + std::to_string(d) + "/d",
        {.discipline = Discipline::kFifo, .type = *rc::gen::element<std::string>("gpu", "tpu"), .memory_mib = 1000});
  std::vector<Application> apps;
  for (int i = 0; i < 16; ++i)
    apps.push_back(MakeApp("a" + std::to_string(i), *rc::gen::element<std::string>("x", "y"),
                           {.rate_rps = static_cast<double>(*rc::gen::inRange(1, 4)) * 5, .latency_ms = 2000}));
  const double bound = Hosted(FluidProblemOf(builder.Build(), apps, apps.size(), 1));
  for (const auto policy : {PlacementPolicy::kFragmentation, PlacementPolicy::kFirstFit, PlacementPolicy::kPaperBfs,
                            PlacementPolicy::kUtilizationWorst}) {
    PlacementRun run(builder.Build());
    double hosted = 0;
    for (const auto& app : apps)
      hosted += run.Take(Decide(run.view(), app, {.placement = policy})).device ? 1 : 0;
    RC_ASSERT(hosted <= bound + 1e-6);
  }
}

} // namespace
} // namespace avocet
