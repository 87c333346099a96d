#include "controller/placement/decide.h"

#include <gtest/gtest.h>

#include "tests/controller/placement/judge_one.h"

namespace avocet {
namespace {

TEST(Decide, AdmitsWhatFits) {
  const Decision decision = Decide(OneDevice().Build(), MakeApp("a", "m", {.rate_rps = 10}), {});
  EXPECT_TRUE(Validate(decision).ok()) << Validate(decision).ToString();
  EXPECT_EQ(decision.kind, DecisionKind::kAdmit);
  EXPECT_EQ(decision.device, DeviceId("n/d"));
  EXPECT_EQ(decision.model, ModelId("m:1"));
  EXPECT_TRUE(decision.verdicts.at(0).ok);
  EXPECT_EQ(decision.verdicts.at(0).filter, std::nullopt);
}

TEST(Decide, EmptyClusterRejects) {
  const Decision decision = Decide({}, MakeApp("a", "m"), {});
  EXPECT_EQ(decision.kind, DecisionKind::kReject);
  EXPECT_TRUE(decision.verdicts.empty());
  EXPECT_EQ(decision.max_rate_rps, 0);
}

TEST(Decide, RecordsTheViewItWasMadeAgainst) {
  const auto view = OneDevice().Build();
  EXPECT_EQ(Decide(view, MakeApp("a", "m"), {}).view_version, view.version);
}

TEST(Decide, JudgesAPlacedApplicationAsIfItWereNotThere) {
  auto builder = OneDevice();
  builder.Resident(MakeApp("a", "m", {.rate_rps = 50}), "n/d");
  const auto verdict = JudgeOne(builder.Build(), MakeApp("a", "m", {.rate_rps = 60}));
  EXPECT_TRUE(verdict.ok);
  EXPECT_EQ(verdict.utilization_before, 0);
  EXPECT_NEAR(verdict.utilization_after, 0.6, 1e-12);
  EXPECT_EQ(verdict.apps.size(), 1u);
}

TEST(Decide, PrefersTheLeastUtilizedDevice) {
  auto builder = OneDevice();
  builder.Device("n/d2").Device("n/d3").Resident(MakeApp("r", "m", {.rate_rps = 10}), "n/d");
  EXPECT_EQ(Decide(builder.Build(), MakeApp("a", "m"), {}).device, DeviceId("n/d2"));
}

TEST(Decide, LeavesAnApplicationWhereItIs) {
  auto builder = OneDevice();
  builder.Device("n/c").Resident(MakeApp("a", "m"), "n/d").Resident(MakeApp("r", "m"), "n/d");
  EXPECT_EQ(Decide(builder.Build(), MakeApp("a", "m", {.rate_rps = 2}), {}).device, DeviceId("n/d"));
}

TEST(Decide, EveryDeviceGetsAVerdictInOrder) {
  auto builder = OneDevice();
  builder.Device("n/c", {.health = DeviceHealth::kAway}).Device("m/x", {.type = "unknown"});
  const auto decision = Decide(builder.Build(), MakeApp("a", "m"), {});
  ASSERT_EQ(decision.verdicts.size(), 3u);
  EXPECT_EQ(decision.verdicts[0].device, DeviceId("m/x"));
  EXPECT_EQ(decision.verdicts[0].filter, FilterKind::kProfile);
  EXPECT_EQ(decision.verdicts[1].filter, FilterKind::kHealthy);
  EXPECT_TRUE(decision.verdicts[2].ok);
}

TEST(Decide, SaysWhetherADeviceIsEmulated) {
  ViewBuilder builder;
  builder.Device("n/d", {.engine = EngineKind::kTflite}).Device("n/e").Model("m:1", {.format = ModelFormat::kTflite});
  const auto decision = Decide(builder.Build(), MakeApp("a", "m"), {});
  EXPECT_FALSE(decision.verdicts.at(0).emulated);
  EXPECT_TRUE(decision.verdicts.at(1).emulated);
}

TEST(MaxRate, IsTheLargestThatPasses) {
  const auto view = OneDevice().Build();
  const auto decision = Decide(view, MakeApp("a", "m", {.rate_rps = 200, .latency_ms = 20 / 0.95}), {});
  EXPECT_EQ(decision.kind, DecisionKind::kReject);
  EXPECT_NEAR(decision.max_rate_rps, 66.667, 66.667 * 0.003); // 10 + 5 rho/(1-rho) = 20 at rho = 2/3
  EXPECT_TRUE(JudgeOne(view, MakeApp("a", "m", {.rate_rps = decision.max_rate_rps, .latency_ms = 20 / 0.95})).ok);
  EXPECT_FALSE(
      JudgeOne(view, MakeApp("a", "m", {.rate_rps = decision.max_rate_rps * 1.01, .latency_ms = 20 / 0.95})).ok);
}

TEST(MaxRate, IsTheSameWhateverWasAskedFor) {
  const auto view = OneDevice().Build();
  const auto at = [&](double rate) {
    return JudgeOne(view, MakeApp("a", "m", {.rate_rps = rate, .latency_ms = 20})).max_rate_rps;
  };
  EXPECT_NEAR(at(1) / at(500), 1, 0.005);
}

TEST(MaxRate, IsZeroWhereNotEvenALittleFits) {
  EXPECT_EQ(JudgeOne(OneDevice().Build(), MakeApp("a", "m", {.latency_ms = 9})).max_rate_rps, 0);
}

TEST(MaxRate, OfTheDecisionIsThatOfTheBestDevice) {
  auto builder = OneDevice();
  builder.Device("n/d2").Resident(MakeApp("r", "m", {.rate_rps = 40}), "n/d");
  const auto decision = Decide(builder.Build(), MakeApp("a", "m", {.rate_rps = 500}), {});
  EXPECT_GT(decision.verdicts.at(1).max_rate_rps, decision.verdicts.at(0).max_rate_rps);
  EXPECT_EQ(decision.max_rate_rps, decision.verdicts.at(1).max_rate_rps);
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
