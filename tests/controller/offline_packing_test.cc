#include "controller/offline_packing.h"

#include <algorithm>
#include <numeric>

#include <gtest/gtest.h>

#include "tests/support/two_nodes.h"

namespace avocet::testing {
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

} // namespace
} // namespace avocet::testing
