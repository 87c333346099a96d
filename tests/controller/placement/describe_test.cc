#include "controller/placement/describe.h"

#include <gtest/gtest.h>

#include "controller/queueing/estimator.h"
#include "tests/support/view_builder.h"

namespace avocet::testing {
namespace {

const AppId kApp{"a"};
const DeviceId kDevice{"n/d"};

ViewBuilder OneDevice() {
  ViewBuilder builder;
  builder.Device("n/d").Model("m:1", {.service_ms = 10, .memory_mib = 100});
  return builder;
}

std::vector<std::string> HealthOf(const ClusterView& view) {
  std::vector<std::string> health;
  for (const auto& row : DescribeNodes(view))
    health.push_back(row.info.id.str() + " " + std::string(ToString(row.health)));
  return health;
}

AppStatus Described(const ClusterView& view, const AppId& app) {
  PredictionBook book;
  return DescribeApp(view, app, book);
}

std::vector<PredictedLatency> Predicted(const ClusterView& view, const DeviceId& device) {
  PredictionBook book;
  return PredictLatencies(view, device, book);
}

TEST(DescribeNodes, ANodeIsAwayOnceAllItsDevicesAre) {
  ViewBuilder builder;
  builder.Device("b/1", {.health = DeviceHealth::kAway}).Device("b/2");
  builder.Device("a/1", {.health = DeviceHealth::kAway}).Device("a/2", {.health = DeviceHealth::kAway});
  builder.Device("c/1", {.health = DeviceHealth::kDraining});
  EXPECT_EQ(HealthOf(builder.Build()), (std::vector<std::string>{"a away", "b healthy", "c healthy"}));
}

TEST(DescribeDevices, ShowsLoadMemoryAndResidents) {
  auto builder = OneDevice();
  builder.Device("n/e", {.health = DeviceHealth::kDraining});
  builder.Resident(MakeApp("b", "m", {.rate_rps = 20}), "n/d").Resident(MakeApp("a", "m", {.rate_rps = 10}), "n/d");
  const auto rows = DescribeDevices(builder.Build());
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows[0].spec.id(), kDevice);
  EXPECT_NEAR(rows[0].utilization, 0.3, 1e-12);
  EXPECT_EQ(rows[0].memory_used_bytes, 100 * kMiB);
  EXPECT_EQ(rows[0].residents, (std::vector<AppId>{AppId("a"), AppId("b")}));
  EXPECT_EQ(rows[1].health, DeviceHealth::kDraining);
  EXPECT_EQ(rows[1].utilization, 0);
}

TEST(DescribeModels, EachHasItsOwnProfiles) {
  auto builder = OneDevice();
  builder.Profile("m:1", {.device_type = "other"}).Model("m:10").ModelWithoutProfile("z:1");
  const auto rows = DescribeModels(builder.Build());
  ASSERT_EQ(rows.size(), 3U);
  EXPECT_EQ(rows[0].model.id(), ModelId("m:1"));
  EXPECT_EQ(rows[0].profiles.size(), 2U);
  EXPECT_EQ(rows[1].profiles.size(), 1U);
  EXPECT_TRUE(rows[2].profiles.empty());
}

TEST(DescribeApp, OneWithoutPlaceHasNoPrediction) {
  auto view = OneDevice().Build();
  view.apps[kApp] = MakeApp("a", "m");
  const auto status = Described(view, kApp);
  EXPECT_FALSE(status.placement);
  EXPECT_FALSE(status.predicted);
  EXPECT_EQ(status.utilization, 0);
}

TEST(DescribeApp, OneOnAForgottenDeviceKeepsItsPlacement) {
  auto view = OneDevice().Resident(MakeApp("a", "m"), "n/d").Build();
  view.devices.clear();
  const auto status = Described(view, kApp);
  EXPECT_TRUE(status.placement.has_value());
  EXPECT_FALSE(status.predicted);
}

TEST(DescribeApp, PredictionIsThatOfTheDeclaredRate) {
  const auto status = Described(OneDevice().Resident(MakeApp("a", "m", {.rate_rps = 50}), "n/d").Build(), kApp);
  ASSERT_TRUE(status.predicted);
  EXPECT_NEAR(ToMillis(status.predicted->mean), 15, 1e-6) << "M/D/1 at rho 0.5";
  EXPECT_LT(status.predicted->p50, status.predicted->p95);
  EXPECT_LT(status.predicted->p95, status.predicted->p99);
  EXPECT_TRUE(status.emulated);
  EXPECT_NEAR(status.utilization, 0.5, 1e-12);
}

TEST(DescribeApp, NothingIsPredictedWhereTheDeviceDoesNotKeepUp) {
  const auto status = Described(OneDevice().Resident(MakeApp("a", "m", {.rate_rps = 100}), "n/d").Build(), kApp);
  EXPECT_FALSE(status.predicted);
  EXPECT_NEAR(status.utilization, 1, 1e-12);
}

ClusterView Measured(const Estimate& rate) {
  auto builder = OneDevice();
  builder.Resident(MakeApp("a", "m", {.rate_rps = 10}), "n/d");
  builder.Fit({.device = kDevice, .apps = {{kApp, rate}}, .models = {}});
  return builder.Build();
}

TEST(DescribeApp, AMeasuredRateIsShownButPredictedWithOnlyWhereItContradicts) {
  const Estimate agrees{.mean = 10.5, .scv = 1, .weight = 400};
  EXPECT_EQ(Described(Measured(agrees), kApp).measured.rate, agrees);
  EXPECT_NEAR(Described(Measured(agrees), kApp).utilization, 0.1, 1e-12);
  const Estimate contradicts{.mean = 20, .scv = 1, .weight = 400};
  EXPECT_NEAR(Described(Measured(contradicts), kApp).utilization, 0.2, 1e-12);
}

TEST(DescribeApp, ContradictionIsOneAndAHalfTimesTheBoundsDistance) {
  const auto utilization_at = [](double mean) {
    return Described(Measured({.mean = mean, .scv = 1, .weight = 400}), kApp).utilization;
  };
  // The rate at which 10 rps lies exactly at the margin, below the measured mean.
  double low = 10, high = 20;
  for (int i = 0; i < 60; ++i) {
    const double mean = (low + high) / 2;
    const double margin = 1.5 * (UpperRateBound({.mean = mean, .scv = 1, .weight = 400}) - mean);
    (mean - 10 > margin ? high : low) = mean;
  }
  EXPECT_NEAR(utilization_at(low * 0.999), 0.1, 1e-9);
  EXPECT_NEAR(utilization_at(high * 1.001), high * 1.001 * 0.01, 1e-9);
}

TEST(DescribeApp, FewObservationsContradictNothing) {
  EXPECT_NEAR(Described(Measured({.mean = 90, .scv = 1, .weight = 19}), kApp).utilization, 0.1, 1e-12);
}

TEST(DescribeApps, EveryRowIsThatOfItsApplication) {
  auto builder = OneDevice();
  builder.Device("n/e").Model("o:1", {.service_ms = 4});
  builder.Resident(MakeApp("d", "m", {.rate_rps = 5}), "n/e").Resident(MakeApp("b", "o", {.rate_rps = 20}), "n/d");
  builder.Resident(MakeApp("a", "m", {.rate_rps = 10}), "n/d").Resident(MakeApp("f", "m", {.rate_rps = 99}), "n/e");
  builder.Fit({.device = kDevice, .apps = {{AppId("b"), {.mean = 30, .scv = 1, .weight = 400}}}, .models = {}});
  ClusterView view = builder.Build();
  view.apps[AppId("c")] = MakeApp("c", "m");
  view.apps[AppId("e")] = MakeApp("e", "m");
  view.placements[AppId("e")] = {.app = AppId("e"), .device = DeviceId("gone/d")};

  PredictionBook book;
  const auto rows = DescribeApps(view, book);
  ASSERT_EQ(rows.size(), 6U);
  for (const auto& row : rows) {
    SCOPED_TRACE(row.app.name.str());
    const AppStatus alone = Described(view, row.app.name);
    EXPECT_EQ(row.app, alone.app);
    EXPECT_EQ(row.placement, alone.placement);
    EXPECT_EQ(row.predicted, alone.predicted);
    EXPECT_EQ(row.utilization, alone.utilization);
    EXPECT_EQ(row.emulated, alone.emulated);
    EXPECT_EQ(row.measured.rate, alone.measured.rate);
  }
  EXPECT_EQ(rows[1].measured.rate.mean, 30);
  EXPECT_NEAR(rows[0].utilization, 0.1 + 30 * 0.004, 1e-9);
}

TEST(PredictLatencies, AreThoseOfEveryResident) {
  auto builder = OneDevice();
  builder.Resident(MakeApp("a", "m", {.rate_rps = 20}), "n/d").Resident(MakeApp("b", "m", {.rate_rps = 30}), "n/d");
  const auto latencies = Predicted(builder.Build(), kDevice);
  ASSERT_EQ(latencies.size(), 2U);
  EXPECT_EQ(latencies[0].app, kApp);
  EXPECT_NEAR(ToMillis(latencies[0].latency.mean), 15, 1e-6);
  EXPECT_EQ(latencies[0].latency, Described(builder.Build(), kApp).predicted);
}

TEST(PredictLatencies, AreEmptyWithoutASteadyState) {
  EXPECT_TRUE(Predicted(OneDevice().Build(), kDevice).empty());
  auto builder = OneDevice();
  EXPECT_TRUE(Predicted(builder.Resident(MakeApp("a", "m", {.rate_rps = 101}), "n/d").Build(), kDevice).empty());
}

std::vector<DeviceId> ToProfile(const ViewBuilder& builder, bool missing_only) {
  return DevicesToProfile(builder.Build(), *builder.Build().FindModel("m"), missing_only);
}

TEST(DevicesToProfile, IsTheFirstHealthyOneOfEachType) {
  ViewBuilder builder;
  builder.Device("a/1", {.type = "x", .health = DeviceHealth::kAway}).Device("a/2", {.type = "x"});
  builder.Device("b/1", {.type = "x"}).Device("b/2", {.type = "y"}).ModelWithoutProfile("m:1");
  EXPECT_EQ(ToProfile(builder, false), (std::vector<DeviceId>{DeviceId("a/2"), DeviceId("b/2")}));
}

TEST(DevicesToProfile, LeavesOutEnginesWithoutAFileAndTypesThatAreProfiled) {
  ViewBuilder builder;
  builder.Device("a/1", {.engine = EngineKind::kOnnx, .type = "x"}).Device("a/2", {.type = "y"});
  builder.Device("a/3", {.type = "z"}).Model("m:1", {.device_type = "y"});
  EXPECT_EQ(ToProfile(builder, false), (std::vector<DeviceId>{DeviceId("a/2"), DeviceId("a/3")}));
  EXPECT_EQ(ToProfile(builder, true), (std::vector<DeviceId>{DeviceId("a/3")}));
}

} // namespace
} // namespace avocet::testing
