#include "controller/placement/device_load.h"

#include <gtest/gtest.h>

#include "controller/queueing/estimator.h"
#include "tests/controller/placement/judge_one.h"

namespace avocet {
namespace {

DeviceFit FitOfModel(const std::string& model, Estimate service, Estimate switched = {}) {
  DeviceFit fit;
  fit.device = DeviceId("n/d");
  fit.boot = BootId("b");
  fit.covered_sequence = 1;
  fit.models.push_back({ModelId(model), service, switched});
  return fit;
}

TEST(ServiceTimes, AreFittedOnceThereIsEnoughToGoBy) {
  auto builder = OneDevice();
  const auto utilization = [&](double weight) {
    auto copy = builder;
    copy.Fit(FitOfModel("m:1", {.mean = 0.02, .scv = 0, .weight = weight}));
    return JudgeOne(copy.Build(), MakeApp("a", "m", {.rate_rps = 10})).utilization_after;
  };
  EXPECT_NEAR(utilization(19.9), 0.1, 1e-12);
  EXPECT_NEAR(utilization(20), 0.2, 1e-12);
}

TEST(ServiceTimes, CountAtTheirUpperBoundForAdmission) {
  auto builder = OneDevice();
  builder.Fit(FitOfModel("m:1", {.mean = 0.02, .scv = 1, .weight = 100}));
  const auto verdict = JudgeOne(builder.Build(), MakeApp("a", "m", {.rate_rps = 10}));
  EXPECT_NEAR(verdict.utilization_after, 0.2 * (1 + 0.16449), 1e-9);
}

TEST(ServiceTimes, FewObservationsDoNotReplaceAProfileThatTheyAgreeWith) {
  // The profile says 10 ms for certain; 20 requests of spread 1 that average 12 ms do not contradict it.
  auto builder = OneDevice();
  builder.Fit(FitOfModel("m:1", {.mean = 0.012, .scv = 1, .weight = 20}));
  const auto verdict = JudgeOne(builder.Build(), MakeApp("a", "m", {.rate_rps = 10}));
  EXPECT_NEAR(verdict.utilization_after, 0.1, 1e-9);
}

TEST(ServiceTimes, FittedSwitchIsTheDifference) {
  ViewBuilder builder;
  builder.Device("n/d", {.discipline = Discipline::kFifo}).Model("m:1", {.service_ms = 10, .switch_ms = 5});
  builder.Resident(MakeApp("r", "m"), "n/d")
      .Fit(FitOfModel("m:1", {.mean = 0.02, .scv = 0, .weight = 50}, {.mean = 0.05, .scv = 0, .weight = 50}));
  const auto load = LoadOf(builder.Build(), DeviceId("n/d"));
  ASSERT_EQ(load.apps.size(), 1u);
  EXPECT_DOUBLE_EQ(load.apps[0].service.mean_s, 0.02);
  EXPECT_NEAR(load.apps[0].switch_s, 0.03, 1e-12);
}

TEST(LoadOf, LeavesOutWhatNothingIsKnownOf) {
  ViewBuilder builder = OneDevice();
  builder.ModelWithoutProfile("dark:1").Resident(MakeApp("r", "dark"), "n/d").Resident(MakeApp("s", "m"), "n/d");
  const auto load = LoadOf(builder.Build(), DeviceId("n/d"));
  ASSERT_EQ(load.apps.size(), 1u);
  EXPECT_EQ(load.apps[0].app, AppId("s"));
  EXPECT_TRUE(LoadOf(builder.Build(), DeviceId("n/nosuch")).apps.empty());
}

DeviceFit FitOfRate(double mean, double weight) {
  DeviceFit fit;
  fit.device = DeviceId("n/d");
  fit.apps.push_back({AppId("a"), {.mean = mean, .scv = 1, .weight = weight}});
  return fit;
}

TEST(AdmissionRate, IsTheDeclaredOneUntilMoreIsMeasured) {
  const auto app = MakeApp("a", "m", {.rate_rps = 10});
  EXPECT_EQ(AdmissionRate(app, {}), 10);
  EXPECT_EQ(AdmissionRate(app, FitOfRate(5, 100)), 10);
  EXPECT_EQ(AdmissionRate(app, FitOfRate(50, 19)), 10);
  const auto fit = FitOfRate(12, 400);
  EXPECT_DOUBLE_EQ(AdmissionRate(app, fit), UpperRateBound(fit.apps[0].rate));
}

TEST(AdmissionRate, MeasuredAloneWhenTheApplicationSaysSo) {
  const auto app = MakeApp("a", "m", {.rate_rps = 10, .rate_source = RateSource::kMeasured});
  EXPECT_EQ(AdmissionRate(app, {}), 10);
  const auto fit = FitOfRate(5, 400);
  EXPECT_DOUBLE_EQ(AdmissionRate(app, fit), UpperRateBound(fit.apps[0].rate));
  EXPECT_LT(AdmissionRate(app, fit), 10);
}

/// "r2" and "r1" on the first device, "s" on the second.
ClusterView ThreeResidents() {
  auto builder = OneDevice();
  builder.Device("n/e").Resident(MakeApp("r2", "m"), "n/d").Resident(MakeApp("r1", "m"), "n/d");
  return builder.Resident(MakeApp("s", "m"), "n/e").Build();
}

std::vector<std::string> NamesOn(const ResidentIndex& index, size_t device) {
  std::vector<std::string> names;
  for (const auto& [placement, app] : index.On(device)) {
    EXPECT_EQ(placement->app, app->name);
    names.push_back(app->name.str());
  }
  return names;
}

using Names = std::vector<std::string>;

TEST(ResidentIndex, HasEveryDevicesApplicationsInOrderOfName) {
  const auto view = ThreeResidents();
  const ResidentIndex index(view, AppId());
  EXPECT_EQ(NamesOn(index, 0), (Names{"r1", "r2"}));
  EXPECT_EQ(NamesOn(index, 1), (Names{"s"}));
}

TEST(ResidentIndex, LeavesOneOut) {
  const auto view = ThreeResidents();
  EXPECT_EQ(NamesOn(ResidentIndex(view, AppId("r1")), 0), (Names{"r2"}));
}

TEST(ResidentIndex, SkipsPlacementsWithoutApplicationOrDevice) {
  auto view = ThreeResidents();
  view.apps.erase(AppId("r1"));
  view.placements.at(AppId("s")).device = DeviceId("gone/x");
  const ResidentIndex index(view, AppId());
  EXPECT_EQ(NamesOn(index, 0), (Names{"r2"}));
  EXPECT_TRUE(NamesOn(index, 1).empty());
}

TEST(ResidentIndex, SkipsApplicationsThatAreNotPlaced) {
  auto view = ThreeResidents();
  view.placements.erase(AppId("r2"));
  view.apps[AppId("zz")] = MakeApp("zz", "m");
  EXPECT_EQ(NamesOn(ResidentIndex(view, AppId()), 0), (Names{"r1"}));
}

TEST(FindFit, FindsTheModelsOwn) {
  const auto fit = FitOfModel("m:1", {.mean = 0.02});
  ASSERT_NE(FindFit(fit, ModelId("m:1")), nullptr);
  EXPECT_EQ(FindFit(fit, ModelId("m:1"))->service.mean, 0.02);
  EXPECT_EQ(FindFit(fit, ModelId("m:2")), nullptr);
}

std::optional<ModelTiming> TimingOfM(const ClusterView& view) {
  return TimingOf(view, view.devices.begin()->second, ModelId("m:1"), ModelFormat::kEmulated);
}

TEST(TimingOf, IsUnknownWithoutProfileAndTrustedFit) {
  ViewBuilder builder;
  builder.Device("n/d").ModelWithoutProfile("m:1");
  EXPECT_FALSE(TimingOfM(builder.Build()));
  EXPECT_FALSE(TimingOfM(builder.Fit(FitOfModel("m:1", {.mean = 0.02, .weight = kTrustedWeight - 1})).Build()));
  const auto timing = TimingOfM(builder.Fit(FitOfModel("m:1", {.mean = 0.02, .weight = kTrustedWeight})).Build());
  ASSERT_TRUE(timing);
  EXPECT_EQ(timing->service.mean_s, 0.02);
  EXPECT_EQ(timing->switch_s, 0);
}

TEST(TimingOf, AProfileThatTheFitContradictsByThreeStandardErrorsGivesWay) {
  // 10 ms for certain, fitted with a standard error of 0.1 x mean: 13.3 ms is 2.5 errors away, 15 ms is 3.3.
  auto builder = OneDevice();
  const auto mean_at = [&](double fitted_s) {
    return TimingOfM(builder.Fit(FitOfModel("m:1", {.mean = fitted_s, .scv = 1, .weight = 100})).Build())
        ->service.mean_s;
  };
  EXPECT_DOUBLE_EQ(mean_at(0.0133), 0.010);
  EXPECT_DOUBLE_EQ(mean_at(0.0150), 0.015);
}

TEST(TimingOf, ASwitchIsNeverNegative) {
  auto builder = OneDevice();
  builder.Fit(FitOfModel("m:1", {.mean = 0.02, .weight = 50}, {.mean = 0.015, .weight = 50}));
  EXPECT_EQ(TimingOfM(builder.Build())->switch_s, 0);
}

TEST(TimingOf, AProfiledSwitchCountsUntilEnoughWereObserved) {
  ViewBuilder builder;
  builder.Device("n/d").Model("m:1", {.service_ms = 10, .switch_ms = 5});
  builder.Fit(FitOfModel("m:1", {.mean = 0.02, .weight = 50}, {.mean = 0.05, .weight = kTrustedWeight - 1}));
  EXPECT_DOUBLE_EQ(TimingOfM(builder.Build())->switch_s, 0.005);
}

uint64_t MebibytesOf(const ClusterView& view, const Profile* extra = nullptr) {
  std::vector<const Placement*> placements;
  for (const auto& [name, placement] : view.placements)
    placements.push_back(&placement);
  return MemoryOf(view, view.devices.begin()->second, placements, extra) / kMiB;
}

TEST(MemoryOf, CountsAModelOnceAndEveryApplicationsOwnShare) {
  ViewBuilder builder;
  builder.Device("n/d").Model("m:1", {.memory_mib = 80, .memory_per_app_mib = 5}).Model("o:1", {.memory_mib = 300});
  EXPECT_EQ(MebibytesOf(builder.Build()), 0U);
  builder.Resident(MakeApp("a", "m"), "n/d").Resident(MakeApp("b", "m"), "n/d").Resident(MakeApp("c", "o"), "n/d");
  EXPECT_EQ(MebibytesOf(builder.Build()), 80U + 2 * 5 + 300);
}

TEST(MemoryOf, AnotherOfALoadedModelAddsItsOwnShareAlone) {
  ViewBuilder builder;
  builder.Device("n/d").Model("m:1", {.memory_mib = 80, .memory_per_app_mib = 5}).Resident(MakeApp("a", "m"), "n/d");
  builder.Model("o:1", {.memory_mib = 300, .memory_per_app_mib = 7});
  const auto& view = builder.Build();
  const auto* same = view.FindProfile(ModelId("m:1"), ModelFormat::kEmulated, "test device");
  const auto* other = view.FindProfile(ModelId("o:1"), ModelFormat::kEmulated, "test device");
  EXPECT_EQ(MebibytesOf(view, same), 85U + 5);
  EXPECT_EQ(MebibytesOf(view, other), 85U + 307);
}

TEST(MemoryOf, UnprofiledModelsCountNothing) {
  ViewBuilder builder;
  builder.Device("n/d").ModelWithoutProfile("m:1").Resident(MakeApp("a", "m"), "n/d");
  EXPECT_EQ(MebibytesOf(builder.Build()), 0U);
}

} // namespace
} // namespace avocet
