// The problem that bounds every placement, and what becomes of a solver's answers. The bounds themselves are tested
// with a solver, beside the commands that have one.
#include <gtest/gtest.h>

#include "controller/planning/fluid_bound.h"
#include "tests/support/view_builder.h"

namespace avocet::testing {
namespace {

std::vector<Application> Apps(const std::vector<AppOptions>& options, const std::string& model = "m") {
  std::vector<Application> apps;
  for (const auto& one : options)
    apps.push_back(MakeApp("a" + std::to_string(apps.size()), model, one));
  return apps;
}

ViewBuilder TwoTypes() {
  ViewBuilder builder;
  builder.Device("n/a", {.kind = DeviceKind::kGpu, .type = "gpu", .memory_mib = 1000});
  builder.Device("n/b", {.kind = DeviceKind::kEdgeTpu, .type = "tpu", .memory_mib = 8});
  builder.Device("n/c", {.kind = DeviceKind::kGpu, .type = "gpu", .memory_mib = 3000});
  builder.Model("m:1", {.device_type = "gpu", .service_ms = 10, .memory_mib = 100, .memory_per_app_mib = 5});
  builder.Profile("m:1", {.device_type = "tpu", .service_ms = 40, .memory_mib = 6});
  return builder;
}

TEST(FluidProblem, DevicesOfATypeAreOnePoolOfTheirMeanUsableMemory) {
  const auto problem = FluidProblemOf(TwoTypes().Build(), {}, 0, 0.5);
  ASSERT_EQ(problem.pools.size(), 2U);
  EXPECT_EQ(problem.pools[0].type, "gpu");
  EXPECT_EQ(problem.pools[0].devices, 2);
  EXPECT_NEAR(problem.pools[0].memory_bytes, 0.5 * 2000 * static_cast<double>(kMiB), 1);
  EXPECT_EQ(problem.pools[1].devices, 1);
  EXPECT_TRUE(problem.demands.empty());
}

TEST(FluidProblem, AnApplicationNeedsOfEachPoolWhatItsProfileSays) {
  const auto problem = FluidProblemOf(TwoTypes().Build(), Apps({{.rate_rps = 5}}), 1, 1);
  ASSERT_EQ(problem.demands.size(), 1U);
  const auto& needs = problem.demands[0].needs;
  ASSERT_EQ(needs.size(), 2U);
  EXPECT_NEAR(needs[0].utilization, 0.05, 1e-12);
  EXPECT_NEAR(needs[1].utilization, 0.2, 1e-12);
  EXPECT_EQ(needs[0].memory_bytes, 5.0 * static_cast<double>(kMiB));
  EXPECT_EQ(needs[0].model_bytes, 100.0 * static_cast<double>(kMiB));
}

TEST(FluidProblem, EqualApplicationsAreOneDemandWhateverTheirObjectives) {
  const auto apps = Apps({{.rate_rps = 5}, {.rate_rps = 5, .latency_ms = 7}, {.rate_rps = 6}});
  const auto problem = FluidProblemOf(TwoTypes().Build(), apps, 3, 1);
  ASSERT_EQ(problem.demands.size(), 2U);
  EXPECT_EQ(problem.demands[0].count, 2);
  EXPECT_EQ(problem.demands[1].count, 1);
}

TEST(FluidProblem, CountsTheFirstApplicationsOnly) {
  const auto apps = Apps({{.rate_rps = 5}, {.rate_rps = 6}, {.rate_rps = 7}});
  EXPECT_EQ(FluidProblemOf(TwoTypes().Build(), apps, 2, 1).demands.size(), 2U);
  EXPECT_EQ(FluidProblemOf(TwoTypes().Build(), apps, 99, 1).demands.size(), 3U);
}

TEST(FluidProblem, KindsRestrictThePools) {
  const auto problem = FluidProblemOf(TwoTypes().Build(), Apps({{.device_kinds = {DeviceKind::kEdgeTpu}}}), 1, 1);
  ASSERT_EQ(problem.demands[0].needs.size(), 1U);
  EXPECT_EQ(problem.demands[0].needs[0].pool, 1U);
}

TEST(FluidProblem, WhatNothingIsKnownOfRunsNowhere) {
  EXPECT_TRUE(FluidProblemOf(TwoTypes().Build(), Apps({{}}, "absent"), 1, 1).demands.at(0).needs.empty());
}

LinearSolver Always(Result<std::optional<LinearOptimum>> answer) {
  return [answer](const LinearProgram&) { return answer; };
}

TEST(FluidBound, ErrorsOfTheSolverArePassedOn) {
  const auto broken = Always(Internal("gave up"));
  const auto problem = FluidProblemOf(TwoTypes().Build(), Apps({{}}), 1, 1);
  EXPECT_EQ(MostHosted(problem, broken).status().code(), StatusCode::kInternal);
  EXPECT_EQ(CheapestPools(problem, broken).status().code(), StatusCode::kInternal);
  EXPECT_EQ(LongestPrefix(TwoTypes().Build(), Apps({{}}), 1, broken).status().code(), StatusCode::kInternal);
}

TEST(FluidBound, AnInfeasibleProgramHostsAndBuysNothing) {
  const auto infeasible = Always(std::optional<LinearOptimum>());
  const auto problem = FluidProblemOf(TwoTypes().Build(), Apps({{}}), 1, 1);
  EXPECT_EQ(*MostHosted(problem, infeasible), 0);
  EXPECT_FALSE(CheapestPools(problem, infeasible)->has_value());
}

TEST(FluidBound, APurchaseIsRoundedToWholeDevices) {
  const auto nearly = Always(std::optional(LinearOptimum{.objective = 700, .columns = {1.9999999, 1.0000001, 5}}));
  const auto purchase = CheapestPools(FluidProblemOf(TwoTypes().Build(), Apps({{}}), 1, 1), nearly);
  EXPECT_EQ((*purchase)->devices, (std::vector{2, 1}));
  EXPECT_EQ((*purchase)->price, 700);
}

TEST(FluidBound, ThePrefixAcceptsRoundingOfTheSolver) {
  const auto solver_short_by = [](double missing) -> LinearSolver {
    return [missing](const LinearProgram& program) -> Result<std::optional<LinearOptimum>> {
      double all = 0;
      for (const auto& column : program.columns())
        all += column.objective < 0 ? column.bounds.high : 0;
      return std::optional(LinearOptimum{.objective = -(all - missing), .columns = {}});
    };
  };
  ViewBuilder builder;
  builder.Device("n/d").Model("m:1");
  const auto apps = Apps({{}, {}, {}});
  EXPECT_EQ(*LongestPrefix(builder.Build(), apps, 1, solver_short_by(1e-7)), 3U);
  EXPECT_EQ(*LongestPrefix(builder.Build(), apps, 1, solver_short_by(1e-5)), 0U);
}

TEST(FluidProgram, BuyingAsksForWholeDevicesWithinWhatCanBeHad) {
  LinearProgram seen;
  const LinearSolver look = [&](const LinearProgram& program) -> Result<std::optional<LinearOptimum>> {
    seen = program;
    return std::optional<LinearOptimum>();
  };
  FluidProblem problem{.pools = {{.type = "gpu", .memory_bytes = 1e9, .price = 300, .most = 4}}, .demands = {}};
  problem.demands = {{.model = "m", .count = 6, .needs = {{.pool = 0, .utilization = 0.25}}}};
  (void)CheapestPools(problem, look);
  ASSERT_FALSE(seen.columns().empty());
  EXPECT_TRUE(seen.columns()[0].whole);
  EXPECT_EQ(seen.columns()[0].bounds.high, 4);
  EXPECT_EQ(seen.columns()[0].objective, 300);
  (void)MostHosted(problem, look);
  EXPECT_FALSE(seen.columns()[0].whole);
  EXPECT_EQ(seen.columns()[0].bounds.low, seen.columns()[0].bounds.high) << "its devices are there";
}

} // namespace
} // namespace avocet::testing
