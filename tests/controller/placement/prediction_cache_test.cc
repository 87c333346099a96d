#include "controller/placement/prediction_cache.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "tests/controller/placement/any_view.h"
#include "tests/controller/placement/asked.h"

namespace avocet {
namespace {

ClusterView TwoEqualDevices() {
  ViewBuilder builder;
  builder.Model("m:1", {.service_ms = 10, .scv = 0.5});
  for (const std::string device : {"n/d", "o/d"}) {
    builder.Device(device, {.discipline = Discipline::kFifo});
    const AppOptions options{.rate_rps = 20, .statistic = Statistic::kP95, .latency_ms = 100};
    builder.Resident(MakeApp("on-" + device.substr(0, 1), "m", options), device);
  }
  return builder.Build();
}

TEST(PredictionCache, DevicesOfEqualContentShareAnAssessment) {
  Asked asked(TwoEqualDevices(), MakeApp("a", "m"));
  const auto first = AssessmentOf(asked.occupancy[0], asked.cache);
  EXPECT_EQ(AssessmentOf(asked.occupancy[1], asked.cache), first);
  EXPECT_EQ(asked.cache.assessments.size(), 1U);
}

TEST(PredictionCache, ADeviceWithOneMoreIsAnotherContent) {
  Asked asked(TwoEqualDevices(), MakeApp("a", "m"));
  const auto without = AssessmentOf(asked.occupancy[0], asked.cache);
  const auto with = AssessmentWith(asked.occupancy[0], asked.DemandOn(0), asked.cache);
  EXPECT_EQ(with->answers.size(), without->answers.size() + 1);
  asked.occupancy.Add(0, asked.DemandOn(0));
  EXPECT_EQ(AssessmentOf(asked.occupancy[0], asked.cache), with) << "found again once it is there";
}

TEST(PredictionCache, ExactLatenciesAreKeptApartFromFastOnes) {
  Asked asked(TwoEqualDevices(), MakeApp("a", "m"));
  EXPECT_TRUE(AssessmentOf(asked.occupancy[0], asked.cache)->answers[0].fast);
  EXPECT_FALSE(ExactAssessmentOf(asked.occupancy[0], asked.cache)->answers[0].fast);
  EXPECT_EQ(asked.cache.exact.size(), 1U);
}

RC_GTEST_PROP(PredictionCacheProperties, OtherPoliciesAndClustersDoNotSpoilIt, ()) {
  PredictionCache shared;
  for (int i = 0; i < 3; ++i) {
    const auto view = AnyView();
    const auto app = AnyApp("new");
    const Policy policy{.mean_tolerance = Number(1, 10) / 10,
                        .max_utilization = Number(1, 10) / 10,
                        .max_preprocess_cpu = Number(1, 10) / 10,
                        .memory_fraction = Number(1, 10) / 10,
                        .placement = *rc::gen::elementOf(kPlacementPolicies)};
    RC_ASSERT(Decide(view, app, policy, shared) == Decide(view, app, policy));
  }
}

} // namespace
} // namespace avocet
