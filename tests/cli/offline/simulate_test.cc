#include "cli/offline/simulate.h"

#include <atomic>
#include <cmath>
#include <fstream>
#include <sstream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "cli/offline/simulate_render.h"
#include "cli/process/parallel.h"
#include "controller/placement/prediction_cache.h"
#include "controller/planning/placement_run.h"

namespace avocet {
namespace {

using Json = nlohmann::json;

const std::string kData = AVOCET_TEST_DATA "/placement/";

PlacementInstance Instance(const std::string& name, Statistic statistic) {
  std::ostringstream text;
  text << std::ifstream(kData + name + ".json").rdbuf();
  auto instance = ParsePlacementInstance(text.str(), name, statistic);
  if (!instance.ok()) throw std::runtime_error(instance.status().message());
  return *std::move(instance);
}

PlacementInstance Small(Statistic statistic) {
  return Instance("p_n4_s201", statistic);
}

/// "first rejection,hosted" of a policy whose decisions do not depend on latencies.
std::string Packed(const PlacementInstance& instance, PlacementPolicy placement) {
  Policy policy{.placement = placement};
  policy.memory_fraction = instance.memory_fraction;
  PlacementRun run(instance.view);
  PredictionCache cache;
  size_t hosted = 0, first_rejection = 0;
  for (size_t i = 0; i < instance.apps.size(); ++i) {
    const bool placed = run.Take(Decide(run.view(), instance.apps[i], policy, cache)).device.has_value();
    hosted += placed ? 1 : 0;
    if (!placed && first_rejection == 0) first_rejection = i;
  }
  return std::to_string(first_rejection) + "," + std::to_string(hosted);
}

/// The same of the published results.
std::string Published(const std::string& cell) {
  std::ifstream file(kData + "reference_results.csv");
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with(cell)) continue;
    std::istringstream rest(line.substr(cell.size()));
    double clean_prefix = 0, first_rejection = 0, first_violation = 0, hosted = 0;
    char comma = 0;
    rest >> clean_prefix >> comma >> first_rejection >> comma >> first_violation >> comma >> hosted;
    return std::to_string(std::lround(first_rejection)) + "," + std::to_string(std::lround(hosted));
  }
  return "none";
}

SimulatePlan PlanOf(const PlacementInstance& instance, int jobs = 1) {
  SimulatePlan plan{.policy = {}, .check = {.seed = 1}, .jobs = jobs};
  plan.policy.memory_fraction = instance.memory_fraction;
  return plan;
}

/// Everything but the timing.
Json Facts(const SimulateReport& report) {
  Json json = Json::parse(
      Render(SimulateTitle{"small", "policy", Statistic::kMean, 1}, report, {.format = OutputFormat::kJson}));
  json.erase("timing");
  return json;
}

TEST(Simulate, ASmallInstanceEndToEnd) {
  const auto instance = Small(Statistic::kMean);
  const auto report = SimulateInstance(instance, PlanOf(instance));
  EXPECT_EQ(report.offered, 80U);
  EXPECT_GE(report.clean_prefix, 14U);
  EXPECT_LE(report.clean_prefix, 19U); // no policy hosts more: the fluid bound
  EXPECT_GE(report.hosted, 26U);
  EXPECT_LE(report.hosted, 40U);
  EXPECT_THAT(report.violations, ::testing::IsEmpty());
  EXPECT_EQ(report.first_rejection, report.clean_prefix);
  size_t rejected = 0;
  for (const auto& [reason, count] : report.rejected)
    rejected += count;
  EXPECT_EQ(report.hosted + rejected, report.offered);
  EXPECT_GT(report.worst_ratio, 0.5);
  EXPECT_LT(report.worst_ratio, 1.03);
}

TEST(Simulate, NothingButTheTimingDependsOnTheThreads) {
  const auto instance = Small(Statistic::kP95);
  const auto one = SimulateInstance(instance, PlanOf(instance, 1));
  const auto three = SimulateInstance(instance, PlanOf(instance, 3));
  EXPECT_EQ(Facts(one), Facts(three));
}

TEST(Simulate, WhatTheMeanAdmitsBreaksPercentiles) {
  const auto instance = Small(Statistic::kP95);
  auto plan = PlanOf(instance, 2);
  plan.policy.placement = PlacementPolicy::kPaperBfs;
  const auto report = SimulateInstance(instance, plan);
  EXPECT_FALSE(report.violations.empty());
  EXPECT_EQ(report.clean_prefix, report.first_rejection); // what breaks came later
  EXPECT_EQ(report.moves, 0U);
  for (const auto& [finding, node] : report.violations)
    EXPECT_GT(finding.interval.low, 1.03) << finding.app.str();
}

TEST(Simulate, AViolationEndsTheCleanPrefixBeforeTheFirstRejection) {
  const auto instance = Small(Statistic::kP95);
  auto plan = PlanOf(instance, 2);
  plan.policy.placement = PlacementPolicy::kMemoryFirst;
  const auto report = SimulateInstance(instance, plan);
  EXPECT_EQ(report.first_rejection, 15U); // as reference_results.csv
  EXPECT_EQ(report.first_violation, 13U);
  EXPECT_EQ(report.clean_prefix, 13U);
  EXPECT_EQ(report.hosted, 59U);
}

TEST(Simulate, MemoryBaselinesPackAsPublished) {
  for (const std::string where : {"4,201", "4,202", "10,201", "10,203", "10,206"}) {
    const auto comma = where.find(',');
    const auto instance = Instance("p_n" + where.substr(0, comma) + "_s" + where.substr(comma + 1), Statistic::kMean);
    for (const auto& [name, policy] : {std::pair("memory_first", PlacementPolicy::kMemoryFirst),
                                       std::pair("memory_best", PlacementPolicy::kMemoryBest),
                                       std::pair("memory_worst", PlacementPolicy::kMemoryWorst)}) {
      const std::string cell = where + ",mean," + name + ",";
      EXPECT_EQ(Packed(instance, policy), Published(cell)) << cell;
    }
  }
}

TEST(Simulate, ProgressGoesForward) {
  const auto instance = Small(Statistic::kMean);
  double last = 0;
  SimulateInstance(instance, PlanOf(instance), [&](const char*, double fraction) {
    EXPECT_GE(fraction, last);
    EXPECT_LE(fraction, 1);
    last = fraction;
  });
  EXPECT_GT(last, 0.5);
}

TEST(ParallelFor, DoesEachOnce) {
  for (const int jobs : {0, 1, 3, 50}) {
    std::vector<std::atomic<int>> counts(40);
    ParallelFor(counts.size(), jobs, [&](size_t i) { ++counts[i]; });
    for (const auto& count : counts)
      EXPECT_EQ(count, 1);
  }
  ParallelFor(0, 4, [](size_t) { FAIL(); });
}

TEST(ParallelFor, PassesAnExceptionOn) {
  EXPECT_THROW(ParallelFor(5, 2,
                           [](size_t i) {
                             if (i == 3) throw std::runtime_error("x");
                           }),
               std::runtime_error);
}

} // namespace
} // namespace avocet
