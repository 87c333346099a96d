#include "controller/placement/model_demand.h"

#include <functional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "controller/queueing/service_time.h"
#include "tests/support/view_builder.h"

namespace avocet {
namespace {

const ModelId kModel{"m:1"};

/// A device of each of two types; the model is profiled on both.
ViewBuilder TwoTypes() {
  ViewBuilder builder;
  builder.Device("n/a", {.type = "fast"}).Device("n/b", {.type = "slow"}).Device("n/c", {.type = "fast"});
  builder.Model("m:1", {.device_type = "fast", .service_ms = 10, .memory_mib = 50, .memory_per_app_mib = 3});
  builder.Profile("m:1", {.device_type = "slow", .service_ms = 40, .memory_mib = 60});
  return builder;
}

const DeviceView& DeviceOf(const ClusterView& view, const std::string& id) {
  return view.devices.at(DeviceId(id));
}

DeviceFit FitOn(const std::string& device, double mean_s) {
  return {.device = DeviceId(device),
          .boot = BootId("b"),
          .covered_sequence = 1,
          .apps = {},
          .models = {{kModel, {.mean = mean_s, .scv = 0, .weight = 100}, {}}}};
}

TEST(ModelDemands, AreThoseOfTheDevicesType) {
  const auto view = TwoTypes().Build();
  ModelDemands demands(view);
  for (const auto& [device, service_s] :
       std::vector<std::pair<std::string, double>>{{"n/a", 0.01}, {"n/b", 0.04}, {"n/c", 0.01}, {"n/b", 0.04}})
    EXPECT_DOUBLE_EQ(demands.Find(DeviceOf(view, device), kModel, ModelFormat::kEmulated).timing->service.mean_s,
                     service_s)
        << device;
}

TEST(ModelDemands, MemoryIsThatOfTheProfile) {
  const auto view = TwoTypes().Build();
  ModelDemands demands(view);
  const auto& demand = demands.Find(DeviceOf(view, "n/a"), kModel, ModelFormat::kEmulated);
  ASSERT_NE(demand.profile, nullptr);
  EXPECT_EQ(demand.profile->device_type, "fast");
  EXPECT_EQ(demand.model_bytes, 50 * kMiB);
  EXPECT_EQ(demand.own_bytes, 3 * kMiB);
}

TEST(ModelDemands, AreUnknownForAnotherFormatModelOrType) {
  ViewBuilder builder = TwoTypes();
  builder.Device("n/z", {.type = "new"});
  const auto& view = builder.Build();
  ModelDemands demands(view);
  EXPECT_FALSE(demands.Find(DeviceOf(view, "n/a"), kModel, ModelFormat::kOnnx).timing);
  EXPECT_FALSE(demands.Find(DeviceOf(view, "n/a"), ModelId("m:2"), ModelFormat::kEmulated).timing);
  EXPECT_FALSE(demands.Find(DeviceOf(view, "n/z"), kModel, ModelFormat::kEmulated).timing);
  EXPECT_TRUE(demands.Find(DeviceOf(view, "n/a"), kModel, ModelFormat::kEmulated).timing) << "and still known there";
}

TEST(ModelDemands, ServiceTimesCountAtTheirUpperEnd) {
  // 100 runs of spread 1: a standard error of a tenth.
  ViewBuilder builder;
  builder.Device("n/a").Model("m:1", {.service_ms = 10, .scv = 1});
  ModelDemands demands(builder.Build());
  EXPECT_NEAR(demands.Find(DeviceOf(builder.Build(), "n/a"), kModel, ModelFormat::kEmulated).timing->service.mean_s,
              0.01 * (1 + kZ95 / 10), 1e-12);
}

TEST(ModelDemands, WhatWasMeasuredOnADeviceCountsThereAlone) {
  auto builder = TwoTypes();
  builder.Fit(FitOn("n/a", 0.02));
  const auto& view = builder.Build();
  ModelDemands demands(view);
  const auto service = [&](const std::string& device) {
    return demands.Find(DeviceOf(view, device), kModel, ModelFormat::kEmulated).timing->service.mean_s;
  };
  EXPECT_DOUBLE_EQ(service("n/c"), 0.01);
  EXPECT_DOUBLE_EQ(service("n/a"), 0.02);
  EXPECT_DOUBLE_EQ(service("n/c"), 0.01);
}

TEST(ModelDemands, OperationAloneGivesTimingWithoutMemory) {
  ViewBuilder builder;
  builder.Device("n/a").ModelWithoutProfile("m:1").Fit(FitOn("n/a", 0.02));
  ModelDemands demands(builder.Build());
  const auto& demand = demands.Find(DeviceOf(builder.Build(), "n/a"), kModel, ModelFormat::kEmulated);
  EXPECT_EQ(demand.profile, nullptr);
  EXPECT_TRUE(demand.timing.has_value());
  EXPECT_EQ(demand.model_bytes + demand.own_bytes, 0U);
}

TEST(ModelDemands, HaveTheKeyOfTheLoadThatTheyBring) {
  const auto view = TwoTypes().Build();
  ModelDemands demands(view);
  const auto& demand = demands.Find(DeviceOf(view, "n/b"), kModel, ModelFormat::kEmulated);
  const AppLoad load{.model = kModel, .service = demand.timing->service, .switch_s = demand.timing->switch_s};
  EXPECT_EQ(demand.key, KeyOfModel(load, demand.model_bytes, demand.own_bytes));
}

TEST(KeyOfModel, ChangesWithAllThatCounts) {
  const AppLoad load{.model = kModel, .service = {0.01, 0.5}, .switch_s = 0.002};
  const std::vector<std::pair<std::string, std::function<void(AppLoad&)>>> changes = {
      {"model", [](AppLoad& one) { one.model = ModelId("m:2"); }},
      {"mean", [](AppLoad& one) { one.service.mean_s = 0.011; }},
      {"spread", [](AppLoad& one) { one.service.scv = 0.6; }},
      {"switch", [](AppLoad& one) { one.switch_s = 0.003; }},
      {"tail", [](AppLoad& one) { one.tail_s = 0.001; }},
      {"parts", [](AppLoad& one) { one.service.parts.push_back({}); }},
  };
  for (const auto& [what, change] : changes) {
    AppLoad other = load;
    change(other);
    EXPECT_NE(KeyOfModel(other, 1, 2), KeyOfModel(load, 1, 2)) << what;
  }
  EXPECT_NE(KeyOfModel(load, 2, 1), KeyOfModel(load, 1, 2)) << "memory";
}

TEST(KeyOfModel, IsTheSameWhateverTheApplication) {
  const AppLoad load{.app = AppId("a"), .model = kModel, .rate_rps = 1, .service = {0.01, 0.5}};
  const AppLoad other{.app = AppId("b"), .model = kModel, .rate_rps = 2, .service = {0.01, 0.5}};
  EXPECT_EQ(KeyOfModel(load, 1, 2), KeyOfModel(other, 1, 2));
}

} // namespace
} // namespace avocet
