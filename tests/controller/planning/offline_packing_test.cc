#include "controller/planning/offline_packing.h"

#include <algorithm>
#include <numeric>

#include <gtest/gtest.h>

#include "tests/support/two_nodes.h"

namespace avocet {
namespace {

std::vector<Application> Apps(int count) {
  std::vector<Application> apps;
  apps.reserve(static_cast<size_t>(count));
  for (int i = 0; i < count; ++i)
    apps.push_back(App(i));
  return apps;
}

std::vector<Application> WithRates(const std::vector<double>& rates) {
  auto apps = Apps(static_cast<int>(rates.size()));
  for (size_t i = 0; i < rates.size(); ++i)
    apps[i].rate_rps = rates[i];
  return apps;
}

using Order = std::vector<size_t>;

TEST(OfflineOrder, TheFirstIsByLoadAndTheThirdByObjective) {
  auto apps = WithRates({1, 4, 2});
  apps[0].objective.latency = FromSeconds(0.3);
  apps[1].objective.latency = FromSeconds(0.2);
  apps[2].objective.latency = FromSeconds(0.1);
  EXPECT_EQ(OfflineOrder(TwoNodes(), apps, 3, 0, 1), (Order{1, 2, 0}));
  EXPECT_EQ(OfflineOrder(TwoNodes(), apps, 3, 2, 1), (Order{2, 1, 0}));
}

TEST(OfflineOrder, IsAPermutationOfThePrefixWhateverTheNumber) {
  const auto apps = WithRates({3, 1, 4, 1, 5, 9, 2, 6});
  for (int number = 0; number < 30; ++number) {
    auto order = OfflineOrder(TwoNodes(), apps, 7, number, 5);
    EXPECT_EQ(order, OfflineOrder(TwoNodes(), apps, 7, number, 5)) << "the same arguments";
    std::sort(order.begin(), order.end());
    Order all(7);
    std::iota(all.begin(), all.end(), 0U);
    EXPECT_EQ(order, all) << "number " << number;
  }
}

TEST(OfflinePacking, FindsTheLargestPrefixThatFits) {
  // Equal applications: no order matters, and the online policy places as many.
  const auto apps = Apps(40);
  PlacementRun run(TwoNodes());
  size_t online = 0;
  while (run.Take(Decide(run.view(), apps[online], {})).device)
    ++online;
  ASSERT_GT(online, 10U);
  EXPECT_EQ(LargestOfflinePrefix(TwoNodes(), apps, {}, {.orders = 3}, 0), online);
  PredictionCache cache;
  EXPECT_TRUE(FitsOffline(TwoNodes(), apps, online, {}, {.orders = 3}, cache));
  EXPECT_FALSE(FitsOffline(TwoNodes(), apps, online + 1, {}, {.orders = 3}, cache));
}

TEST(OfflinePacking, AnswersAllWhereAllFit) {
  EXPECT_EQ(LargestOfflinePrefix(TwoNodes(), Apps(5), {}, {.orders = 1}, 2), 5U);
}

TEST(OfflineOrder, TheSecondKeepsAModelsApplicationsTogetherTheHeaviestModelFirst) {
  const auto view = ViewBuilder().Model("x:1", {.service_ms = 10}).Model("y:1", {.service_ms = 10}).Build();
  std::vector<Application> apps = {MakeApp("a", "x", {.rate_rps = 3}), MakeApp("b", "y", {.rate_rps = 4}),
                                   MakeApp("c", "x", {.rate_rps = 5}), MakeApp("d", "y", {.rate_rps = 2})};
  EXPECT_EQ(OfflineOrder(view, apps, 4, 1, 1), (Order{2, 0, 1, 3}));
}

TEST(OfflineOrder, ChanceComesWithTheFourthAndDependsOnTheSeed) {
  const auto apps = WithRates({3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8});
  for (int number = 0; number < 3; ++number)
    EXPECT_EQ(OfflineOrder(TwoNodes(), apps, 12, number, 1), OfflineOrder(TwoNodes(), apps, 12, number, 2)) << number;
  EXPECT_NE(OfflineOrder(TwoNodes(), apps, 12, 3, 1), OfflineOrder(TwoNodes(), apps, 12, 3, 2));
  EXPECT_NE(OfflineOrder(TwoNodes(), apps, 12, 3, 1), OfflineOrder(TwoNodes(), apps, 12, 6, 1));
}

TEST(OfflineOrder, ARandomOrderStillKeepsModelsTogether) {
  const auto view = ViewBuilder().Model("x:1", {.service_ms = 10}).Model("y:1", {.service_ms = 10}).Build();
  std::vector<Application> apps;
  for (int i = 0; i < 10; ++i)
    apps.push_back(MakeApp("a" + std::to_string(i), i % 2 == 0 ? "x" : "y", {.rate_rps = 1.0 + i}));
  for (const int number : {4, 7, 10, 13}) {
    int changes = 0;
    const auto order = OfflineOrder(view, apps, 10, number, 1);
    for (size_t i = 1; i < order.size(); ++i)
      changes += apps[order[i]].model != apps[order[i - 1]].model ? 1 : 0;
    EXPECT_EQ(changes, 1) << "number " << number;
  }
}

TEST(OfflinePacking, NothingFitsWithoutAnOrderAndNoApplicationAlwaysDoes) {
  PredictionCache cache;
  EXPECT_FALSE(FitsOffline(TwoNodes(), Apps(1), 1, {}, {.orders = 0}, cache));
  EXPECT_TRUE(FitsOffline(TwoNodes(), Apps(1), 0, {}, {.orders = 1}, cache));
}

TEST(OfflinePacking, AnotherOrderFindsAPlaceWhereTheFirstDoesNot) {
  // By load "wide" comes first and, as first fit has it, takes the device that alone has memory for "big".
  ViewBuilder builder;
  builder.Device("a/d", {.memory_mib = 1000}).Device("b/d", {.memory_mib = 300});
  builder.Model("big:1", {.service_ms = 10, .memory_mib = 900}).Model("wide:1", {.service_ms = 10, .memory_mib = 200});
  const std::vector<Application> apps = {MakeApp("wide", "wide", {.rate_rps = 20, .latency_ms = 900}),
                                         MakeApp("big", "big", {.rate_rps = 10, .latency_ms = 500})};
  const Policy policy{.placement = PlacementPolicy::kFirstFit, .max_moves = 0};
  PredictionCache cache;
  EXPECT_FALSE(FitsOffline(builder.Build(), apps, 2, policy, {.orders = 2}, cache));
  EXPECT_TRUE(FitsOffline(builder.Build(), apps, 2, policy, {.orders = 3}, cache)) << "the third is by objective";
}

} // namespace
} // namespace avocet
