#include "node_agent/scheduling/profiler.h"

#include <algorithm>
#include <cmath>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace avocet {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

/// A device whose runs advance its own clock.
struct FakeDevice {
  std::function<Duration(int run, bool switched)> service = [](int, bool) { return milliseconds(10); };
  int plain_runs = 0;
  int switched_runs = 0;
  MonotonicTime time{};

  Result<ServiceProfile> Measure(const ProfileOptions& options) {
    const RunOnce run_once = [this](bool switched) -> Result<Duration> {
      const Duration took = service(switched ? switched_runs++ : plain_runs++, switched);
      time += took;
      return took;
    };
    return MeasureService(run_once, options, [this] { return time; });
  }
};

TEST(MeasureService, ReportsMeanSpreadAndSwitch) {
  FakeDevice device;
  device.service = [](int run, bool switched) { return milliseconds((run % 2 ? 12 : 8) + (switched ? 5 : 0)); };
  const auto profile = device.Measure({.warm_up_runs = 2, .runs = 40});
  ASSERT_TRUE(profile.ok()) << profile.status().ToString();
  EXPECT_EQ(profile->service_mean, milliseconds(10));
  EXPECT_NEAR(profile->service_scv, 0.04 * 40 / 39, 1e-9);
  EXPECT_TRUE(profile->switch_measured);
  EXPECT_EQ(profile->switch_overhead, milliseconds(5));
  EXPECT_EQ(profile->runs, 40u);
  EXPECT_EQ(device.plain_runs, 42);
  EXPECT_EQ(device.switched_runs, 40);
}

TEST(MeasureService, LeavesWarmUpRunsOut) {
  FakeDevice device;
  device.service = [](int run, bool) { return run < 3 ? milliseconds(500) : milliseconds(10); };
  const auto profile = device.Measure({.warm_up_runs = 3});
  ASSERT_TRUE(profile.ok());
  EXPECT_EQ(profile->service_mean, milliseconds(10));
}

TEST(MeasureService, AStallOfTheHostIsNoPropertyOfTheModel) {
  FakeDevice device;
  device.service = [](int run, bool) { return run == 20 ? seconds(2) : milliseconds(9 + run % 3); };
  const auto profile = device.Measure({.warm_up_runs = 0, .runs = 60});
  ASSERT_TRUE(profile.ok());
  EXPECT_NEAR(ToMillis(profile->service_mean), 10, 0.5);
}

TEST(MeasureService, ANegativeSwitchIsNone) {
  FakeDevice device;
  device.service = [](int, bool switched) { return milliseconds(switched ? 9 : 10); };
  const auto profile = device.Measure({});
  ASSERT_TRUE(profile.ok());
  EXPECT_TRUE(profile->switch_measured);
  EXPECT_EQ(profile->switch_overhead, Duration{});
}

TEST(MeasureService, StopsWhenTheTimeIsOver) {
  FakeDevice device;
  device.service = [](int, bool) { return seconds(1); };
  const auto profile = device.Measure({.warm_up_runs = 1, .runs = 50, .min_runs = 3, .max_time = seconds(10)});
  ASSERT_TRUE(profile.ok()) << profile.status().ToString();
  EXPECT_EQ(profile->runs, 5u); // one to warm up, then pairs
}

TEST(MeasureService, TooFewRunsAreAnError) {
  FakeDevice device;
  device.service = [](int, bool) { return seconds(3); };
  const auto profile = device.Measure({.warm_up_runs = 1, .runs = 50, .min_runs = 5, .max_time = seconds(10)});
  EXPECT_EQ(profile.status().code(), StatusCode::kDeadlineExceeded);
}

TEST(MeasureService, WithoutAnotherModelThereIsNoSwitch) {
  const RunOnce run_once = [](bool switched) -> Result<Duration> {
    if (switched) return Unavailable("no other model");
    return Duration(milliseconds(4));
  };
  const auto profile = MeasureService(run_once, {.runs = 10});
  ASSERT_TRUE(profile.ok());
  EXPECT_FALSE(profile->switch_measured);
  EXPECT_EQ(profile->switch_overhead, Duration{});
  EXPECT_EQ(profile->runs, 10u);
}

TEST(MeasureService, PassesAnErrorOn) {
  const RunOnce fails = [](bool) -> Result<Duration> { return Internal("broken"); };
  EXPECT_EQ(MeasureService(fails, {}).status(), Internal("broken"));
  const RunOnce fails_switched = [](bool switched) -> Result<Duration> {
    if (switched) return Internal("broken switch");
    return Duration(1);
  };
  EXPECT_EQ(MeasureService(fails_switched, {}).status(), Internal("broken switch"));
}

TEST(MeasureService, RefusesSenselessOptions) {
  FakeDevice device;
  EXPECT_EQ(device.Measure({.runs = 4, .min_runs = 5}).status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(device.Measure({.min_runs = 0}).status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(device.Measure({.max_time = {}}).status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(device.Measure({.outlier_fence = std::nan("")}).status().code(), StatusCode::kInvalidArgument);
}

TEST(RobustMoments, ASkewedServiceTimeStays) {
  std::vector<double> values(2000); // quantiles of the exponential distribution of mean 1
  for (size_t i = 0; i < values.size(); ++i)
    values[i] = -std::log(1 - (static_cast<double>(i) + 0.5) / 2000);
  const MeanAndScv moments = RobustMoments(values, 6);
  EXPECT_NEAR(moments.mean, 1, 0.01);
  EXPECT_NEAR(moments.scv, 1, 0.03);
}

TEST(RobustMoments, OneValueHasNoSpread) {
  const MeanAndScv moments = RobustMoments({3}, 6);
  EXPECT_EQ(moments.mean, 3);
  EXPECT_EQ(moments.scv, 0);
}

RC_GTEST_PROP(RobustMoments, StaysWithinTheValues, ()) {
  const auto whole = *rc::gen::nonEmpty(rc::gen::container<std::vector<int>>(rc::gen::inRange(0, 1'000'000)));
  const std::vector<double> values(whole.begin(), whole.end());
  const MeanAndScv moments = RobustMoments(values, 6);
  RC_ASSERT(moments.mean >= *std::min_element(values.begin(), values.end()) - 1e-6);
  RC_ASSERT(moments.mean <= *std::max_element(values.begin(), values.end()) + 1e-6);
  RC_ASSERT(moments.scv >= 0);
}

} // namespace
} // namespace avocet
