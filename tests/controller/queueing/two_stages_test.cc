#include "controller/queueing/two_stages.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "tests/controller/queueing/any_load.h"

namespace avocet {
namespace {

constexpr PreprocessingTime kFirst{.mean_s = 2, .spread_s = 4};

TEST(TwoStages, MeansAddUp) {
  const TwoStages stages(kFirst, 10, Statistic::kMean);
  EXPECT_EQ(stages.Sum(10), 12);
  EXPECT_EQ(stages.DeviceLimit(15), 13);
}

TEST(TwoStages, MediansAreTakenForMeans) {
  EXPECT_EQ(TwoStages(kFirst, 10, Statistic::kP50).Sum(9), 11);
}

TEST(TwoStages, ExcessesOfPercentilesAddUpLikeStandardDeviations) {
  // p95: 1.75 spreads of 4 are 7 above the mean, the device 24 above its own: 25 together.
  EXPECT_DOUBLE_EQ(TwoStages(kFirst, 10, Statistic::kP95).Sum(34), 2 + 10 + 25);
}

TEST(TwoStages, FartherPercentilesReachFarther) {
  EXPECT_LT(ReachOf(Statistic::kMean), ReachOf(Statistic::kP95));
  EXPECT_LT(ReachOf(Statistic::kP95), ReachOf(Statistic::kP99));
}

TEST(TwoStages, WithoutSpreadTheFirstIsAConstant) {
  const TwoStages stages({.mean_s = 2}, 10, Statistic::kP99);
  EXPECT_EQ(stages.Sum(50), 52);
  EXPECT_EQ(stages.DeviceLimit(52), 50);
}

TEST(TwoStages, APercentileBelowTheMeanCountsAsTheMean) {
  const TwoStages stages(kFirst, 10, Statistic::kP95);
  EXPECT_EQ(stages.Sum(4), stages.Sum(10));
  EXPECT_DOUBLE_EQ(stages.Sum(4), 2 + 10 + 7);
}

TEST(TwoStages, LimitEndsWhereTheFirstStageAloneReachesIt) {
  const TwoStages stages(kFirst, 10, Statistic::kP95);
  EXPECT_DOUBLE_EQ(stages.DeviceLimit(19), 10);
  EXPECT_EQ(stages.DeviceLimit(18.999), 0);
}

TEST(TwoStages, NothingIsLeftOfALimitBelowTheFirstMean) {
  EXPECT_LE(TwoStages(kFirst, 10, Statistic::kMean).DeviceLimit(1.9), 0);
}

RC_GTEST_PROP(TwoStagesProperties, SumAndLimitAreInverse, ()) {
  const PreprocessingTime first{.mean_s = Between(1e-3, 1), .spread_s = Between(1e-4, 1)};
  const double mean = Between(1e-3, 1), device = mean * Between(1, 20);
  const auto statistic = *rc::gen::element(Statistic::kMean, Statistic::kP50, Statistic::kP95, Statistic::kP99);
  const TwoStages stages(first, mean, statistic);
  RC_ASSERT(std::abs(stages.DeviceLimit(stages.Sum(device) * (1 + 1e-12)) - device) <= 1e-4 * stages.Sum(device));
}

RC_GTEST_PROP(TwoStagesProperties, NeverExceedTheSumOfTheStatistics, ()) {
  const PreprocessingTime first{.mean_s = Between(1e-3, 1), .spread_s = Between(1e-4, 1)};
  const double mean = Between(1e-3, 1), device = mean * Between(1, 20);
  const double sum = TwoStages(first, mean, Statistic::kP99).Sum(device);
  RC_ASSERT(sum <= (first.mean_s + ReachOf(Statistic::kP99) * first.spread_s + device) * (1 + 1e-12));
  RC_ASSERT(sum >= (first.mean_s + device) * (1 - 1e-12));
}

} // namespace
} // namespace avocet
