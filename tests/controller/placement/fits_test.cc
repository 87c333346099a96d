#include "controller/placement/fits.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "controller/placement/filters.h"
#include "tests/controller/placement/any_view.h"
#include "tests/controller/placement/asked.h"

namespace avocet {
namespace {

bool FitsOn(const DeviceOptions& device, const ProfileSetup& profile, const AppOptions& app, const Policy& policy = {},
            uint32_t cpu_cores = 1) {
  ViewBuilder builder;
  builder.Node("n", {.cpu_cores = cpu_cores}).Device("n/d", device).Model("m:1", profile);
  Asked asked(builder.Build(), MakeApp("a", "m", app), policy);
  return Fits(asked.occupancy[0], asked.policy, asked.cache).With(asked.DemandOn(0));
}

TEST(Fits, MemoryAtTheLimitAndOnePast) {
  EXPECT_TRUE(FitsOn({.memory_mib = 100}, {.memory_mib = 100}, {}));
  EXPECT_FALSE(FitsOn({.memory_mib = 100}, {.memory_mib = 101}, {}));
  EXPECT_TRUE(FitsOn({.memory_mib = 200}, {.memory_mib = 100}, {}, {.memory_fraction = 0.5}));
  EXPECT_FALSE(FitsOn({.memory_mib = 200}, {.memory_mib = 100}, {}, {.memory_fraction = 0.49}));
}

TEST(Fits, WhatNeedsNoMemoryFitsEvenOnAFullDevice) {
  ViewBuilder builder;
  builder.Device("n/d", {.memory_mib = 100}).Model("m:1", {.memory_mib = 150}).Resident(MakeApp("r", "m"), "n/d");
  Asked asked(builder.Build(), MakeApp("a", "m"));
  EXPECT_TRUE(Fits(asked.occupancy[0], asked.policy, asked.cache).With(asked.DemandOn(0)));
}

TEST(Fits, UtilizationAtTheLimitAndOnePast) {
  const Policy policy{.max_utilization = 0.5};
  EXPECT_TRUE(FitsOn({}, {.service_ms = 10}, {.rate_rps = 49.99}, policy));
  EXPECT_FALSE(FitsOn({}, {.service_ms = 10}, {.rate_rps = 50.01}, policy));
}

TEST(Fits, CoresAtTheLimitAndOnePast) {
  const Policy policy{.max_preprocess_cpu = 0.5};
  EXPECT_TRUE(FitsOn({}, {.service_ms = 1}, {.rate_rps = 9.99, .latency_ms = 60000, .preprocess_ms = 100}, policy, 2));
  EXPECT_FALSE(
      FitsOn({}, {.service_ms = 1}, {.rate_rps = 10.01, .latency_ms = 60000, .preprocess_ms = 100}, policy, 2));
}

TEST(Fits, ObjectivesAtTheLimitAndOnePast) {
  // M/D/1 at rho 0.5.
  const Policy policy{.mean_tolerance = 1};
  EXPECT_TRUE(FitsOn({}, {.service_ms = 10}, {.rate_rps = 50, .latency_ms = 15.001}, policy));
  EXPECT_FALSE(FitsOn({}, {.service_ms = 10}, {.rate_rps = 50, .latency_ms = 14.999}, policy));
}

TEST(Fits, ResidentsCountToo) {
  ViewBuilder builder;
  builder.Device("n/d").Model("m:1", {.service_ms = 10});
  builder.Resident(MakeApp("tight", "m", {.rate_rps = 10, .latency_ms = 12}), "n/d");
  Asked little(builder.Build(), MakeApp("a", "m", {.rate_rps = 1})),
      much(builder.Build(), MakeApp("a", "m", {.rate_rps = 40}));
  EXPECT_TRUE(Fits(little.occupancy[0], little.policy, little.cache).With(little.DemandOn(0)));
  EXPECT_FALSE(Fits(much.occupancy[0], much.policy, much.cache).With(much.DemandOn(0)));
}

TEST(Fits, AnotherPolicyIsAnotherQuestion) {
  ViewBuilder builder;
  builder.Device("n/d").Model("m:1", {.service_ms = 10});
  Asked asked(builder.Build(), MakeApp("a", "m", {.rate_rps = 50}));
  const Policy strict{.max_utilization = 0.4};
  EXPECT_TRUE(Fits(asked.occupancy[0], asked.policy, asked.cache).With(asked.DemandOn(0)));
  EXPECT_FALSE(Fits(asked.occupancy[0], strict, asked.cache).With(asked.DemandOn(0)));
  EXPECT_TRUE(Fits(asked.occupancy[0], asked.policy, asked.cache).With(asked.DemandOn(0)));
}

RC_GTEST_PROP(FitsProperties, AnswersDoNotDependOnWhatWasAskedBefore, ()) {
  Asked asked(AnyView(), AnyApp("new"));
  const auto device = *rc::gen::inRange<size_t>(0, asked.occupancy.size());
  Fits fits(asked.occupancy[device], asked.policy, asked.cache);
  for (int i = 0; i < 6; ++i) {
    const auto app = AnyApp("other");
    const auto demand = asked.occupancy.DemandOn(device, {&app, asked.view.FindModel(app.model), app.rate_rps});
    if (!demand) continue;
    PredictionCache fresh;
    RC_ASSERT(fits.With(*demand) == Fits(asked.occupancy[device], asked.policy, fresh).With(*demand));
    RC_ASSERT(fits.With(*demand) == fits.With(*demand));
  }
}

bool PassesFilter(FilterKind kind, const Candidate& candidate) {
  for (const auto& filter : Filters()) {
    if (filter.kind == kind) return filter.passes(candidate);
  }
  throw std::logic_error("no such filter");
}

RC_GTEST_PROP(FitsProperties, AgreeWithTheFiltersWhereNobodyPreprocesses, ()) {
  auto view = AnyView();
  for (auto& [name, app] : view.apps)
    app.preprocess = Duration::zero();
  auto app = AnyApp("new");
  app.preprocess = Duration::zero();
  Asked asked(std::move(view), app);
  const auto device = *rc::gen::inRange<size_t>(0, asked.occupancy.size());
  const Candidate candidate(asked.question, device);
  RC_PRE(candidate.demand().has_value());
  const bool passes = PassesFilter(FilterKind::kMemory, candidate) &&
                      PassesFilter(FilterKind::kUtilization, candidate) &&
                      PassesFilter(FilterKind::kObjectives, candidate);
  RC_CLASSIFY(passes, "passes");
  RC_ASSERT(Fits(asked.occupancy[device], asked.policy, asked.cache).With(*candidate.demand()) == passes);
}

} // namespace
} // namespace avocet
