#include "controller/placement/ranking.h"

#include <cmath>
#include <string>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "tests/controller/placement/any_view.h"
#include "tests/controller/placement/asked.h"

namespace avocet::testing {
namespace {

constexpr double kRounding = 1e-9;

TEST(Preference, TheLowerTierThenTheSmallerValue) {
  EXPECT_LT((Preference{0, 9}), (Preference{1, 0}));
  EXPECT_LT((Preference{1, -1}), (Preference{1, 0}));
  EXPECT_EQ((Preference{2, 3}), (Preference{2, 3}));
}

/// Objectives so wide that only bounds matter.
AppOptions Wide(double rate_rps, double preprocess_ms = 0) {
  return {.rate_rps = rate_rps, .latency_ms = 3'000'000, .preprocess_ms = preprocess_ms};
}

ViewBuilder OneDevice(DeviceKind kind = DeviceKind::kCpu) {
  ViewBuilder builder;
  builder.Node("n", {.cpu_cores = 1}).Device("n/d", {.kind = kind, .memory_mib = 1000});
  builder.Model("m:1", {.service_ms = 10, .memory_mib = 250}).Model("o:1", {.service_ms = 10, .memory_mib = 250});
  return builder;
}

TEST(Headroom, OfAnEmptyDeviceIsThreeQuarters) {
  Asked asked(OneDevice().Build(), MakeApp("a", "m"));
  EXPECT_EQ(HeadroomOf(asked.occupancy[0], asked.policy, asked.cache), 0.75);
}

TEST(Headroom, IsWhatTheUtilizationBoundLeaves) {
  auto builder = OneDevice();
  builder.Resident(MakeApp("r", "m", Wide(30)), "n/d");
  Asked asked(builder.Build(), MakeApp("a", "m"), {.max_utilization = 0.9});
  EXPECT_NEAR(HeadroomOf(asked.occupancy[0], asked.policy, asked.cache), 0.6, kRounding);
}

TEST(Headroom, IsWhatTheCoresLeaveWherePreprocessingIsTheLimit) {
  // Utilization 0.3, the core at 0.6 of 0.75: all rates may grow by a quarter.
  auto builder = OneDevice();
  builder.Resident(MakeApp("r", "m", Wide(30, 20)), "n/d");
  Asked asked(builder.Build(), MakeApp("a", "m"), {.max_preprocess_cpu = 0.75});
  EXPECT_NEAR(HeadroomOf(asked.occupancy[0], asked.policy, asked.cache), 0.3 * 0.25, kRounding);
}

TEST(Headroom, IsNegativeWhereTheBoundIsBroken) {
  auto builder = OneDevice();
  builder.Resident(MakeApp("r", "m", Wide(80)), "n/d");
  Asked asked(builder.Build(), MakeApp("a", "m"), {.max_utilization = 0.5});
  EXPECT_NEAR(HeadroomOf(asked.occupancy[0], asked.policy, asked.cache), -0.3, kRounding);
}

double CostOn(DeviceKind kind, const std::string& model) {
  auto builder = OneDevice(kind);
  builder.Resident(MakeApp("r", "m", Wide(30)), "n/d");
  Asked asked(builder.Build(), MakeApp("a", model, Wide(20)));
  return PlacementCost(asked.occupancy[0], asked.DemandOn(0), asked.policy, asked.cache);
}

TEST(PlacementCost, IsTheHeadroomLostAndOnGpusTheMemory) {
  EXPECT_NEAR(CostOn(DeviceKind::kCpu, "o"), 0.2, kRounding);
  EXPECT_NEAR(CostOn(DeviceKind::kGpu, "o"), 0.2 + 1.2 * 0.25, kRounding);
  EXPECT_NEAR(CostOn(DeviceKind::kGpu, "m"), 0.2, kRounding) << "its model is loaded already";
}

RC_GTEST_PROP(PlacementCostProperties, OfADemandAndOfItsResultAgree, ()) {
  Asked asked(AnyView(), AnyApp("new"));
  const auto device = *rc::gen::inRange<size_t>(0, asked.occupancy.size());
  const auto demand = asked.occupancy.DemandOn(device, asked.question.newcomer);
  RC_PRE(demand.has_value());
  Tenancy after = asked.occupancy[device];
  after.Add(*demand);
  const double one = PlacementCost(asked.occupancy[device], *demand, asked.policy, asked.cache);
  const double other = PlacementCost(asked.occupancy[device], after, asked.policy, asked.cache);
  RC_ASSERT(std::abs(one - other) < 1e-9);
}

/// A GPU of 1000 MiB with "r" of model m (utilization 0.3, 250 MiB).
Preference PreferenceOf(PlacementPolicy policy, const std::string& model, DeviceKind kind = DeviceKind::kGpu,
                        bool empty = false) {
  auto builder = OneDevice(kind);
  if (!empty) builder.Resident(MakeApp("r", "m", Wide(30)), "n/d");
  Asked asked(builder.Build(), MakeApp("a", model, Wide(20)));
  return PreferenceFor(policy, Candidate(asked.question, 0));
}

TEST(PreferenceFor, FirstFitPoliciesLikeAllTheSame) {
  for (const auto policy : {PlacementPolicy::kFirstFit, PlacementPolicy::kUtilizationFirst}) {
    EXPECT_EQ(PreferenceOf(policy, "o"), Preference{}) << ToString(policy);
    EXPECT_EQ(PreferenceOf(policy, "m", DeviceKind::kCpu, true), Preference{}) << ToString(policy);
  }
}

TEST(PreferenceFor, OurOwnPoliciesTakeTheCost) {
  for (const auto policy : {PlacementPolicy::kFragmentation, PlacementPolicy::kHeadroom})
    EXPECT_NEAR(PreferenceOf(policy, "o").value, 0.2 + 1.2 * 0.25, kRounding) << ToString(policy);
}

TEST(PreferenceFor, BreadthFirstSharesAModelThenTakesEmptyDevicesThenTheLeastUtilized) {
  const auto policy = PlacementPolicy::kPaperBfs;
  EXPECT_EQ(PreferenceOf(policy, "m"), (Preference{0, 0}));
  EXPECT_EQ(PreferenceOf(policy, "o", DeviceKind::kGpu, true), (Preference{1, 0}));
  EXPECT_EQ(PreferenceOf(policy, "o").tier, 2);
  EXPECT_NEAR(PreferenceOf(policy, "o").value, 0.3, kRounding);
}

TEST(PreferenceFor, MemoryPoliciesShareAModelOnGpusFirst) {
  for (const auto policy : {PlacementPolicy::kPaperDfs, PlacementPolicy::kMemoryFirst, PlacementPolicy::kMemoryBest,
                            PlacementPolicy::kMemoryWorst}) {
    EXPECT_EQ(PreferenceOf(policy, "m").tier, 0) << ToString(policy);
    EXPECT_EQ(PreferenceOf(policy, "o").tier, 1) << ToString(policy);
    EXPECT_EQ(PreferenceOf(policy, "o", DeviceKind::kEdgeTpu).tier, 0) << ToString(policy);
  }
}

TEST(PreferenceFor, BestLeavesLittleAndWorstLeavesMuch) {
  const double left = 500.0 * static_cast<double>(kMiB);
  EXPECT_EQ(PreferenceOf(PlacementPolicy::kMemoryBest, "o").value, left);
  EXPECT_EQ(PreferenceOf(PlacementPolicy::kMemoryWorst, "o").value, -left);
  EXPECT_EQ(PreferenceOf(PlacementPolicy::kMemoryBest, "m").value, 1.5 * left) << "with the newcomer, which shares";
  EXPECT_NEAR(PreferenceOf(PlacementPolicy::kUtilizationBest, "o").value, -0.5, kRounding);
  EXPECT_NEAR(PreferenceOf(PlacementPolicy::kUtilizationWorst, "o").value, 0.5, kRounding);
}

TEST(PreferenceFor, AnUnknownModelCostsNothing) {
  EXPECT_EQ(PreferenceOf(PlacementPolicy::kHeadroom, "absent"), Preference{});
}

TEST(ChoosesByKind, BaselinesDoAndOursDoNot) {
  for (const auto policy : kPlacementPolicies) {
    const bool ours = policy == PlacementPolicy::kFragmentation || policy == PlacementPolicy::kHeadroom ||
                      policy == PlacementPolicy::kFirstFit;
    EXPECT_EQ(ChoosesByKind(policy), !ours) << ToString(policy);
  }
}

} // namespace
} // namespace avocet::testing
