#include "controller/placement/filters.h"

#include <cmath>

#include <gtest/gtest.h>

#include "tests/controller/placement/judge_one.h"

namespace avocet {
namespace {

TEST(Filters, AreAskedInTheDocumentedOrder) {
  std::string names;
  for (const auto& filter : Filters()) {
    if (IsAsked(filter, Policy{})) names += std::string(ToString(filter.kind)) + " ";
  }
  EXPECT_EQ(names, "healthy kind format profile memory utilization objectives ");
}

// --- healthy ---------------------------------------------------------------------------------------

TEST(HealthyFilter, RefusesDevicesThatAreAway) {
  const auto verdict = JudgeOne(OneDevice({.health = DeviceHealth::kAway}).Build(), MakeApp("a", "m"));
  EXPECT_EQ(verdict.filter, FilterKind::kHealthy);
  EXPECT_EQ(verdict.unit, Unit::kState);
  EXPECT_EQ(verdict.found, 2);
  EXPECT_NE(verdict.detail.find("away"), std::string::npos);
  EXPECT_EQ(verdict.max_rate_rps, 0);
}

TEST(HealthyFilter, RefusesDevicesThatDrain) {
  EXPECT_EQ(JudgeOne(OneDevice({.health = DeviceHealth::kDraining}).Build(), MakeApp("a", "m")).filter,
            FilterKind::kHealthy);
}

TEST(HealthyFilter, NumbersAreFilledAllTheSame) {
  auto builder = OneDevice({.health = DeviceHealth::kAway});
  builder.Resident(MakeApp("r", "m", {.rate_rps = 10}), "n/d");
  const auto verdict = JudgeOne(builder.Build(), MakeApp("a", "m", {.rate_rps = 10}));
  EXPECT_NEAR(verdict.utilization_before, 0.1, 1e-12);
  EXPECT_NEAR(verdict.utilization_after, 0.2, 1e-12);
  EXPECT_EQ(verdict.memory_after_bytes, 100 * kMiB);
  EXPECT_TRUE(LatencyOf(verdict, "r").before.has_value());
  EXPECT_TRUE(LatencyOf(verdict, "a").after.has_value());
}

// --- kind ------------------------------------------------------------------------------------------

TEST(KindFilter, AllowsOnlyTheNamedKinds) {
  const auto view = OneDevice({.kind = DeviceKind::kGpu}).Build();
  EXPECT_TRUE(JudgeOne(view, MakeApp("a", "m", {.device_kinds = {DeviceKind::kCpu, DeviceKind::kGpu}})).ok);
  EXPECT_EQ(JudgeOne(view, MakeApp("a", "m", {.device_kinds = {DeviceKind::kCpu}})).filter, FilterKind::kKind);
}

// --- format ----------------------------------------------------------------------------------------

TEST(FormatFilter, RefusesUnknownModelsAndNamesTheNextStep) {
  const Decision decision = Decide(OneDevice().Build(), MakeApp("a", "nosuch"), {});
  EXPECT_EQ(decision.kind, DecisionKind::kReject);
  EXPECT_TRUE(decision.model.empty());
  EXPECT_EQ(decision.verdicts.at(0).filter, FilterKind::kFormat);
  EXPECT_NE(decision.verdicts.at(0).detail.find("avocet model import"), std::string::npos);
}

TEST(FormatFilter, RefusesEnginesThatReadAnotherFormat) {
  ViewBuilder builder;
  builder.Device("n/d", {.engine = EngineKind::kOnnx}).ModelWithoutProfile("m:1", {ModelFormat::kTflite});
  const auto verdict = JudgeOne(builder.Build(), MakeApp("a", "m"));
  EXPECT_EQ(verdict.filter, FilterKind::kFormat);
  EXPECT_NE(verdict.detail.find("onnx"), std::string::npos);
}

// --- profile ---------------------------------------------------------------------------------------

TEST(ProfileFilter, NamesTheCommandThatMeasures) {
  ViewBuilder builder;
  builder.Device("n/d").ModelWithoutProfile("m:1");
  const auto verdict = JudgeOne(builder.Build(), MakeApp("a", "m"));
  EXPECT_EQ(verdict.filter, FilterKind::kProfile);
  EXPECT_NE(verdict.detail.find("avocet model profile m:1 --device n/d"), std::string::npos);
}

TEST(ProfileFilter, NeedsTheProfileOfTheDevicesType) {
  ViewBuilder builder;
  builder.Device("n/d", {.type = "orin"}).Model("m:1", {.device_type = "nano"});
  EXPECT_EQ(JudgeOne(builder.Build(), MakeApp("a", "m")).filter, FilterKind::kProfile);
}

// --- memory ----------------------------------------------------------------------------------------

Verdict JudgeMemory(uint64_t capacity_mib, const Policy& policy = {}) {
  ViewBuilder builder;
  builder.Device("n/d", {.memory_mib = capacity_mib})
      .Model("big:1", {.memory_mib = 600})
      .Model("m:1", {.memory_mib = 100})
      .Resident(MakeApp("r", "big"), "n/d");
  return JudgeOne(builder.Build(), MakeApp("a", "m"), policy);
}

TEST(MemoryFilter, AtTheLimitAndOnePast) {
  EXPECT_TRUE(JudgeMemory(700).ok);
  const auto verdict = JudgeMemory(699);
  EXPECT_EQ(verdict.filter, FilterKind::kMemory);
  EXPECT_EQ(verdict.unit, Unit::kMebibytes);
  EXPECT_EQ(verdict.needed, 100);
  EXPECT_EQ(verdict.found, 99);
  EXPECT_EQ(verdict.memory_before_bytes, 600 * kMiB);
  EXPECT_EQ(verdict.memory_after_bytes, 700 * kMiB);
  EXPECT_EQ(verdict.memory_capacity_bytes, 699 * kMiB);
}

TEST(MemoryFilter, UsesTheAllowedShareOnly) {
  EXPECT_TRUE(JudgeMemory(1000, {.memory_fraction = 0.7}).ok);
  EXPECT_EQ(JudgeMemory(1000, {.memory_fraction = 0.69}).filter, FilterKind::kMemory);
}

TEST(MemoryFilter, SharedModelsCountOnce) {
  ViewBuilder builder;
  builder.Device("n/d", {.memory_mib = 100})
      .Model("m:1", {.memory_mib = 100})
      .Resident(MakeApp("r1", "m"), "n/d")
      .Resident(MakeApp("r2", "m"), "n/d");
  const auto verdict = JudgeOne(builder.Build(), MakeApp("a", "m"));
  EXPECT_TRUE(verdict.ok);
  EXPECT_EQ(verdict.memory_after_bytes, 100 * kMiB);
}

TEST(MemoryFilter, LoadedModelsNeedNothingEvenOnAFullDevice) {
  ViewBuilder builder;
  builder.Device("n/d", {.memory_mib = 100}).Model("m:1", {.memory_mib = 100}).Resident(MakeApp("r", "m"), "n/d");
  EXPECT_TRUE(JudgeOne(builder.Build(), MakeApp("a", "m"), {.memory_fraction = 0.5}).ok);
}

TEST(MemoryFilter, CountsWhatEveryApplicationNeedsBesideTheModel) {
  ViewBuilder builder;
  builder.Device("n/d", {.memory_mib = 200}).Model("m:1", {.memory_mib = 80, .memory_per_app_mib = 50});
  builder.Resident(MakeApp("r", "m"), "n/d");
  const auto fits = JudgeOne(builder.Build(), MakeApp("a", "m"));
  EXPECT_TRUE(fits.ok);
  EXPECT_EQ(fits.memory_after_bytes, 180 * kMiB);
  const auto verdict = JudgeOne(builder.Resident(MakeApp("s", "m"), "n/d").Build(), MakeApp("a", "m"));
  EXPECT_EQ(verdict.filter, FilterKind::kMemory);
  EXPECT_DOUBLE_EQ(verdict.needed, 50);
  EXPECT_DOUBLE_EQ(verdict.found, 20);
}

// --- utilization -----------------------------------------------------------------------------------

TEST(UtilizationFilter, AtTheLimitAndOnePast) {
  auto builder = OneDevice();
  builder.Resident(MakeApp("r", "m", {.rate_rps = 50, .latency_ms = 60000}), "n/d");
  const Policy policy{.max_utilization = 0.9};
  EXPECT_TRUE(JudgeOne(builder.Build(), MakeApp("a", "m", {.rate_rps = 39.99, .latency_ms = 60000}), policy).ok);
  const auto verdict = JudgeOne(builder.Build(), MakeApp("a", "m", {.rate_rps = 40.01, .latency_ms = 60000}), policy);
  EXPECT_EQ(verdict.filter, FilterKind::kUtilization);
  EXPECT_EQ(verdict.unit, Unit::kRatio);
  EXPECT_DOUBLE_EQ(verdict.needed, 0.9);
  EXPECT_NEAR(verdict.found, 0.9001, 1e-9);
  EXPECT_NE(verdict.detail.find("would be utilized to 90.01 %, more than 90 %"), std::string::npos) << "as in tables";
  EXPECT_NEAR(verdict.max_rate_rps, 40, 40 * 0.003);
}

TEST(UtilizationFilter, CountsSwitchesOfFifoDevices) {
  ViewBuilder builder;
  builder.Device("n/d", {.discipline = Discipline::kFifo})
      .Model("m:1", {.service_ms = 10, .switch_ms = 20})
      .Model("other:1", {.service_ms = 10, .switch_ms = 20})
      .Resident(MakeApp("r", "other", {.rate_rps = 10}), "n/d");
  EXPECT_NEAR(JudgeOne(builder.Build(), MakeApp("a", "m", {.rate_rps = 10})).utilization_after, 0.4, 1e-12);
}

TEST(UtilizationFilter, RefusesWhatHasNoSteadyStateWhateverThePolicy) {
  const auto verdict = JudgeOne(OneDevice().Build(), MakeApp("a", "m", {.rate_rps = 100}), {.max_utilization = 1});
  EXPECT_EQ(verdict.filter, FilterKind::kUtilization);
  EXPECT_FALSE(LatencyOf(verdict, "a").after.has_value());
}

TEST(UtilizationFilter, PreprocessingHasABoundOfItsOwn) {
  ViewBuilder builder = OneDevice();
  builder.Node("n", {.cpu_cores = 2});
  const auto verdict_at = [&](double rate) {
    return JudgeOne(builder.Build(), MakeApp("a", "m", {.rate_rps = rate, .latency_ms = 60000, .preprocess_ms = 50}));
  };
  EXPECT_TRUE(verdict_at(29.9).ok); // 1.495 of 2 cores
  const auto verdict = verdict_at(30.1);
  EXPECT_EQ(verdict.filter, FilterKind::kUtilization);
  EXPECT_EQ(verdict.unit, Unit::kCoresRatio);
  EXPECT_DOUBLE_EQ(verdict.needed, 0.75);
  EXPECT_NEAR(verdict.found, 30.1 * 0.05 / 2, 1e-12);
}

TEST(UtilizationFilter, PreprocessingIsQuickerOnFastCores) {
  ViewBuilder builder = OneDevice();
  builder.Node("n", {.cpu_cores = 2, .core_speed = 1.25});
  const auto verdict_at = [&](double rate) {
    return JudgeOne(builder.Build(), MakeApp("a", "m", {.rate_rps = rate, .latency_ms = 60000, .preprocess_ms = 50}));
  };
  EXPECT_TRUE(verdict_at(37.4).ok); // 40 ms each: 1.496 of 2 cores
  EXPECT_NEAR(verdict_at(37.6).found, 37.6 * 0.04 / 2, 1e-12);
}

TEST(UtilizationFilter, PreprocessingCountsTheWholeNode) {
  ViewBuilder builder = OneDevice();
  builder.Node("n", {.cpu_cores = 2})
      .Device("n/d2")
      .Resident(MakeApp("r", "m", {.rate_rps = 20, .latency_ms = 60000, .preprocess_ms = 50}), "n/d2");
  const auto decision =
      Decide(builder.Build(), MakeApp("a", "m", {.rate_rps = 15, .latency_ms = 60000, .preprocess_ms = 50}), {});
  EXPECT_EQ(decision.verdicts.at(0).unit, Unit::kCoresRatio);
  EXPECT_TRUE(JudgeOne(builder.Build(), MakeApp("a", "m", {.rate_rps = 15, .latency_ms = 60000})).ok);
}

// --- objectives ------------------------------------------------------------------------------------

TEST(ObjectivesFilter, AtTheLimitAndOnePastOfTheNewcomersMean) {
  // M/D/1 at rho 0.5: 10 ms + 5 ms.
  const auto view = OneDevice().Build();
  EXPECT_TRUE(JudgeOne(view, MakeApp("a", "m", {.rate_rps = 50, .latency_ms = 15.001 / 0.95})).ok);
  const auto verdict = JudgeOne(view, MakeApp("a", "m", {.rate_rps = 50, .latency_ms = 14.999 / 0.95}));
  EXPECT_EQ(verdict.filter, FilterKind::kObjectives);
  EXPECT_EQ(verdict.unit, Unit::kMilliseconds);
  EXPECT_NEAR(verdict.needed, 14.999, 1e-5);
  EXPECT_NEAR(verdict.found, 15, 1e-5);
  EXPECT_NE(verdict.detail.find("'a'"), std::string::npos);
}

TEST(ObjectivesFilter, SaysWhatTheLimitIsMadeOf) {
  const auto view = OneDevice().Build();
  const auto detail = [&](double network_ms) {
    return JudgeOne(view, MakeApp("a", "m", {.rate_rps = 50, .latency_ms = 10, .network_allowance_ms = network_ms}))
        .detail;
  };
  EXPECT_NE(detail(0).find("its limit is 9.5 ms (95 % of its objective);"), std::string::npos) << detail(0);
  EXPECT_NE(detail(2).find("its limit is 7.6 ms (95 % of its objective less 2 ms for the network);"), std::string::npos)
      << detail(2);
}

TEST(ObjectivesFilter, PercentilesHaveTheirOwnTolerance) {
  // M/M/1: p95 is mean x ln 20. The profile's 100 runs of spread 1 count at their upper bound.
  ViewBuilder builder;
  builder.Device("n/d", {.discipline = Discipline::kFifo}).Model("m:1", {.service_ms = 10, .scv = 1});
  const double service_ms = 10 * (1 + kZ95 / 10);
  const double p95_ms = service_ms / (1 - 0.05 * service_ms) * std::log(20);
  const auto at = [&](double limit_ms) {
    const auto app = MakeApp("a", "m", {.rate_rps = 50, .statistic = Statistic::kP95, .latency_ms = limit_ms / 0.9});
    return JudgeOne(builder.Build(), app);
  };
  EXPECT_TRUE(at(p95_ms * 1.001).ok);
  EXPECT_EQ(at(p95_ms * 0.999).filter, FilterKind::kObjectives);
}

TEST(ObjectivesFilter, ProtectsTheResidents) {
  auto builder = OneDevice();
  builder.Resident(MakeApp("tight", "m", {.rate_rps = 10, .latency_ms = 12}), "n/d");
  const auto verdict = JudgeOne(builder.Build(), MakeApp("a", "m", {.rate_rps = 40}));
  EXPECT_EQ(verdict.filter, FilterKind::kObjectives);
  EXPECT_NE(verdict.detail.find("'tight'"), std::string::npos);
  EXPECT_GT(verdict.max_rate_rps, 0);
  EXPECT_LT(verdict.max_rate_rps, 40);
}

TEST(ObjectivesFilter, NamesTheWorstOffender) {
  auto builder = OneDevice();
  builder.Resident(MakeApp("b", "m", {.rate_rps = 10, .latency_ms = 14}), "n/d")
      .Resident(MakeApp("c", "m", {.rate_rps = 10, .latency_ms = 12}), "n/d");
  EXPECT_NE(JudgeOne(builder.Build(), MakeApp("a", "m", {.rate_rps = 40})).detail.find("'c'"), std::string::npos);
}

TEST(ObjectivesFilter, SubtractsTheNetworkAllowance) {
  const auto view = OneDevice().Build();
  const AppOptions options{.rate_rps = 50, .latency_ms = 16, .network_allowance_ms = 1};
  const auto verdict = JudgeOne(view, MakeApp("a", "m", options));
  EXPECT_EQ(verdict.filter, FilterKind::kObjectives);
  EXPECT_NEAR(verdict.needed, 0.95 * 15, 1e-6);
  EXPECT_EQ(LatencyOf(verdict, "a").objective, FromMillis(15));
  EXPECT_TRUE(JudgeOne(view, MakeApp("a", "m", {.rate_rps = 50, .latency_ms = 16})).ok);
}

TEST(ObjectivesFilter, AddsPreprocessing) {
  // One core, 20 ms at rho 0.2 under processor sharing: 25 ms; M/D/1 at 0.1: 10.556 ms.
  auto builder = OneDevice();
  builder.Node("n", {.cpu_cores = 1});
  const auto verdict = JudgeOne(builder.Build(), MakeApp("a", "m", {.rate_rps = 10, .preprocess_ms = 20}));
  EXPECT_NEAR(ToMillis(*LatencyOf(verdict, "a").after), 25 + 10 + 10 * 0.1 / (2 * 0.9), 1e-3);
}

TEST(ObjectivesFilter, ProtectsPreprocessingOnTheNodesOtherDevices) {
  // The neighbour keeps its device to itself, but not the core: 20 ms / (1 - 0.2) = 25 ms becomes 40 ms.
  auto builder = OneDevice();
  builder.Node("n", {.cpu_cores = 1})
      .Device("n/d2")
      .Resident(MakeApp("neighbour", "m", {.rate_rps = 10, .latency_ms = 42, .preprocess_ms = 20}), "n/d2");
  const auto verdict = JudgeOne(builder.Build(), MakeApp("a", "m", {.rate_rps = 15, .preprocess_ms = 20}));
  EXPECT_EQ(verdict.filter, FilterKind::kObjectives);
  EXPECT_NE(verdict.detail.find("'neighbour'"), std::string::npos);
  EXPECT_TRUE(JudgeOne(builder.Build(), MakeApp("a", "m", {.rate_rps = 15})).ok);
}

TEST(ObjectivesFilter, ShowsTheResidentsBeforeAndAfter) {
  auto builder = OneDevice();
  builder.Resident(MakeApp("r", "m", {.rate_rps = 50}), "n/d");
  const auto verdict = JudgeOne(builder.Build(), MakeApp("a", "m", {.rate_rps = 30}));
  ASSERT_EQ(verdict.apps.size(), 2u);
  EXPECT_NEAR(ToMillis(*LatencyOf(verdict, "r").before), 15, 1e-5);
  EXPECT_NEAR(ToMillis(*LatencyOf(verdict, "r").after), 30, 1e-5); // rho 0.8
  EXPECT_FALSE(LatencyOf(verdict, "a").before.has_value());
}

} // namespace
} // namespace avocet
