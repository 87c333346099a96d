#include "controller/queueing/estimator.h"

#include <cmath>
#include <random>

#include <gtest/gtest.h>

namespace avocet {
namespace {

constexpr double kWindowSeconds = 0.2;

MeasurementWindow EmptyWindow(uint64_t sequence, const std::string& boot = "boot1") {
  return {.device = DeviceId("n/d"),
          .boot = BootId(boot),
          .sequence = sequence,
          .length = FromSeconds(kWindowSeconds),
          .busy = Duration::zero(),
          .apps = {}};
}

AppWindow& AddApp(MeasurementWindow& window, const std::string& app, const std::string& model, uint64_t arrivals) {
  AppWindow one;
  one.app = AppId(app);
  one.model = ModelId(model);
  one.arrivals = arrivals;
  one.completions = arrivals;
  return window.apps.emplace_back(std::move(one));
}

MeasurementWindow WindowWith(uint64_t sequence, uint64_t arrivals) {
  auto window = EmptyWindow(sequence);
  AddApp(window, "a", "m:1", arrivals);
  return window;
}

const Estimate& RateOf(const DeviceEstimator& estimator, const std::string& app) {
  for (const auto& one : estimator.fit().apps) {
    if (one.app == AppId(app)) return one.rate;
  }
  throw std::out_of_range(app);
}

const ModelFit& FitOf(const DeviceEstimator& estimator, const std::string& model) {
  for (const auto& one : estimator.fit().models) {
    if (one.model == ModelId(model)) return one;
  }
  throw std::out_of_range(model);
}

/// Windows of Poisson arrivals with gamma service, as a meter would close them.
class Workload {
public:
  Workload(double rate, double service_s, double scv, uint64_t seed)
      : gap_(rate), service_(1 / scv, service_s * scv), random_(seed) {}

  MeasurementWindow Next() {
    auto window = EmptyWindow(++sequence_);
    auto& app = AddApp(window, "a", "m:1", 0);
    const double end = static_cast<double>(sequence_) * kWindowSeconds;
    while (next_ < end) {
      ++app.arrivals;
      app.interarrival.Add(next_ - previous_);
      auto& moments = std::bernoulli_distribution(0.25)(random_) ? app.switched_service : app.service;
      moments.Add(service_(random_) + (&moments == &app.switched_service ? 0.02 : 0));
      previous_ = next_;
      next_ += gap_(random_);
    }
    return window;
  }

private:
  std::exponential_distribution<> gap_;
  std::gamma_distribution<> service_;
  std::mt19937_64 random_;
  uint64_t sequence_ = 0;
  double next_ = 0, previous_ = 0;
};

TEST(DeviceEstimator, FindsRateAndServiceOfASyntheticWorkload) {
  Workload workload(80, 0.008, 0.3, 11);
  DeviceEstimator estimator{DeviceId("n/d")};
  for (int i = 0; i < 2000; ++i)
    ASSERT_TRUE(estimator.Observe(workload.Next()));
  EXPECT_NEAR(RateOf(estimator, "a").mean, 80, 80 * 0.05);
  EXPECT_NEAR(RateOf(estimator, "a").scv, 1, 0.15);
  const auto& fit = FitOf(estimator, "m:1");
  EXPECT_NEAR(fit.service.mean, 0.008, 0.008 * 0.05);
  EXPECT_NEAR(fit.service.scv, 0.3, 0.05);
  EXPECT_NEAR(fit.switched_service.mean, 0.028, 0.028 * 0.03);
  EXPECT_TRUE(Validate(estimator.fit()).ok());
}

TEST(DeviceEstimator, WeightIsTheFadedNumberOfArrivals) {
  DeviceEstimator estimator{DeviceId("n/d"), {.half_life_windows = 10}};
  for (uint64_t i = 1; i <= 500; ++i)
    (void)estimator.Observe(WindowWith(i, 4));
  EXPECT_NEAR(RateOf(estimator, "a").weight, 4 / (1 - std::exp2(-0.1)), 1e-6);
  EXPECT_NEAR(RateOf(estimator, "a").mean, 20, 1e-9);
}

TEST(DeviceEstimator, FollowsAChangeOfRateWithinHalfLives) {
  DeviceEstimator estimator{DeviceId("n/d"), {.half_life_windows = 10}};
  uint64_t sequence = 0;
  for (int i = 0; i < 200; ++i)
    (void)estimator.Observe(WindowWith(++sequence, 2));
  for (int i = 0; i < 10; ++i)
    (void)estimator.Observe(WindowWith(++sequence, 6));
  EXPECT_NEAR(RateOf(estimator, "a").mean, 20, 0.1); // half way from 10 to 30
}

TEST(DeviceEstimator, WindowsWithoutArrivalsLowerTheRate) {
  DeviceEstimator estimator{DeviceId("n/d"), {.half_life_windows = 10}};
  (void)estimator.Observe(WindowWith(1, 4));
  for (uint64_t i = 2; i <= 11; ++i)
    ASSERT_TRUE(estimator.Observe(EmptyWindow(i)));
  EXPECT_LT(RateOf(estimator, "a").mean, 20 * 0.1);
  EXPECT_GT(RateOf(estimator, "a").mean, 0);
}

TEST(DeviceEstimator, IdleApplicationsFadeToZero) {
  DeviceEstimator estimator{DeviceId("n/d"), {.half_life_windows = 1}};
  (void)estimator.Observe(WindowWith(1, 4));
  for (uint64_t i = 2; i <= 100; ++i)
    (void)estimator.Observe(EmptyWindow(i));
  EXPECT_EQ(RateOf(estimator, "a").mean, 0);
  EXPECT_TRUE(Validate(estimator.fit()).ok());
}

TEST(DeviceEstimator, IdleModelsKeepTheirServiceTime) {
  DeviceEstimator estimator{DeviceId("n/d"), {.half_life_windows = 1}};
  auto window = EmptyWindow(1);
  AddApp(window, "a", "m:1", 1).service.Add(0.03);
  (void)estimator.Observe(window);
  for (uint64_t i = 2; i <= 100; ++i)
    (void)estimator.Observe(WindowWith(i, 0));
  EXPECT_DOUBLE_EQ(FitOf(estimator, "m:1").service.mean, 0.03);
  EXPECT_DOUBLE_EQ(FitOf(estimator, "m:1").service.weight, 1);
}

TEST(DeviceEstimator, ApplicationsThatShareAModelFitItTogether) {
  DeviceEstimator estimator{DeviceId("n/d")};
  auto window = EmptyWindow(1);
  AddApp(window, "a", "m:1", 1).service.Add(0.01);
  AddApp(window, "b", "m:1", 1).service.Add(0.03);
  (void)estimator.Observe(window);
  ASSERT_EQ(estimator.fit().models.size(), 1u);
  EXPECT_DOUBLE_EQ(FitOf(estimator, "m:1").service.mean, 0.02);
  EXPECT_NEAR(FitOf(estimator, "m:1").service.scv, 0.25, 1e-12);
}

TEST(DeviceEstimator, DuplicatesAreIgnored) {
  DeviceEstimator estimator{DeviceId("n/d")};
  EXPECT_TRUE(estimator.Observe(WindowWith(1, 4)));
  EXPECT_TRUE(estimator.Observe(WindowWith(3, 4)));
  const DeviceFit before = estimator.fit();
  EXPECT_FALSE(estimator.Observe(WindowWith(3, 400)));
  EXPECT_FALSE(estimator.Observe(WindowWith(2, 400)));
  EXPECT_EQ(estimator.fit(), before);
}

TEST(DeviceEstimator, OtherDevicesAreIgnored) {
  DeviceEstimator estimator{DeviceId("n/d")};
  auto window = WindowWith(1, 4);
  window.device = DeviceId("n/other");
  EXPECT_FALSE(estimator.Observe(window));
  EXPECT_EQ(estimator.fit().covered_sequence, 0u);
}

TEST(DeviceEstimator, NewBootStartsANewSequenceAndKeepsTheFit) {
  DeviceEstimator estimator{DeviceId("n/d")};
  for (uint64_t i = 1; i <= 9; ++i)
    (void)estimator.Observe(WindowWith(i, 4));
  const double weight = RateOf(estimator, "a").weight;
  auto window = EmptyWindow(1, "boot2");
  AddApp(window, "a", "m:1", 4);
  EXPECT_TRUE(estimator.Observe(window));
  EXPECT_EQ(estimator.fit().boot, BootId("boot2"));
  EXPECT_EQ(estimator.fit().covered_sequence, 1u);
  EXPECT_GT(RateOf(estimator, "a").weight, weight);
  EXPECT_FALSE(estimator.Observe(window));
}

TEST(DeviceEstimator, ContinuesFromAPersistedFit) {
  Workload workload(50, 0.01, 0.5, 5);
  DeviceEstimator whole{DeviceId("n/d")};
  for (int i = 0; i < 100; ++i)
    (void)whole.Observe(workload.Next());
  DeviceEstimator resumed(whole.fit());
  for (int i = 0; i < 100; ++i) {
    const auto window = workload.Next();
    (void)whole.Observe(window);
    (void)resumed.Observe(window);
  }
  EXPECT_NEAR(RateOf(resumed, "a").mean, RateOf(whole, "a").mean, 1e-9);
  EXPECT_NEAR(RateOf(resumed, "a").scv, RateOf(whole, "a").scv, 0.02);
  EXPECT_NEAR(FitOf(resumed, "m:1").service.mean, FitOf(whole, "m:1").service.mean, 1e-12);
}

TEST(DeviceEstimator, ForgetsApplicationsThatLeft) {
  DeviceEstimator estimator{DeviceId("n/d")};
  auto window = EmptyWindow(1);
  AddApp(window, "a", "m:1", 2).service.Add(0.01);
  AddApp(window, "b", "m:1", 2).service.Add(0.01);
  (void)estimator.Observe(window);
  estimator.Forget(AppId("a"));
  ASSERT_EQ(estimator.fit().apps.size(), 1u);
  EXPECT_EQ(estimator.fit().apps[0].app, AppId("b"));
  EXPECT_EQ(estimator.fit().models.size(), 1u);
}

/// Windows with a resident "cam" and, each, one application and model that no other window lists.
void ObservePassersBy(DeviceEstimator& estimator, size_t count) {
  for (uint64_t sequence = 1; sequence <= count; ++sequence) {
    auto window = EmptyWindow(sequence);
    AddApp(window, "cam", "pose:1", 2).service.Add(0.01);
    AddApp(window, "app" + std::to_string(sequence), "passing:" + std::to_string(sequence), 2).service.Add(0.01);
    ASSERT_TRUE(estimator.Observe(window));
  }
}

TEST(DeviceEstimator, KeepsAsManyApplicationsAndModelsAsARecordMayList) {
  DeviceEstimator estimator{DeviceId("n/d")};
  ObservePassersBy(estimator, kMaxAppsPerDevice - 1);
  EXPECT_EQ(estimator.fit().apps.size(), kMaxAppsPerDevice);
  EXPECT_EQ(estimator.fit().models.size(), kMaxAppsPerDevice);
  EXPECT_NO_THROW((void)FitOf(estimator, "passing:1")) << "at the bound nothing is forgotten";
  EXPECT_EQ(Validate(estimator.fit()), Status());
}

TEST(DeviceEstimator, ForgetsBeyondTheBoundWhatWasNotSeenForLongest) {
  DeviceEstimator estimator{DeviceId("n/d")};
  ObservePassersBy(estimator, kMaxAppsPerDevice + 9);
  EXPECT_EQ(estimator.fit().apps.size(), kMaxAppsPerDevice);
  EXPECT_EQ(estimator.fit().models.size(), kMaxAppsPerDevice);
  EXPECT_EQ(Validate(estimator.fit()), Status());
  for (const int gone : {1, 10}) {
    EXPECT_THROW((void)RateOf(estimator, "app" + std::to_string(gone)), std::out_of_range);
    EXPECT_THROW((void)FitOf(estimator, "passing:" + std::to_string(gone)), std::out_of_range);
  }
  EXPECT_GT(RateOf(estimator, "app11").weight, 0);
  EXPECT_GT(RateOf(estimator, "cam").mean, 0) << "a resident is in every window";
  EXPECT_GT(FitOf(estimator, "pose:1").service.weight, 0);
}

/// Sums that fade for hours become so small that their quotients are not numbers; such a fit could not be read again.
TEST(DeviceEstimator, AnApplicationThatIsIdleForDaysHasAFitThatCanBeRead) {
  DeviceEstimator estimator{DeviceId("n/d"), {.half_life_windows = 1}};
  auto first = EmptyWindow(1);
  auto& app = AddApp(first, "a", "m:1", 3);
  app.interarrival.Add(0.01);
  app.interarrival.Add(0.05);
  ASSERT_TRUE(estimator.Observe(first));
  for (uint64_t sequence = 2; sequence < 3000; ++sequence) {
    ASSERT_TRUE(estimator.Observe(WindowWith(sequence, 0)));
    ASSERT_EQ(Validate(estimator.fit()), Status()) << sequence;
  }
  EXPECT_EQ(RateOf(estimator, "a"), Estimate());
}

TEST(DeviceEstimator, AnnouncesASignificantChangeOnce) {
  DeviceEstimator estimator{DeviceId("n/d"), {.half_life_windows = 100}};
  EXPECT_FALSE(estimator.TakeSignificantChange());
  uint64_t sequence = 0;
  for (int i = 0; i < 500; ++i)
    (void)estimator.Observe(WindowWith(++sequence, 20));
  EXPECT_TRUE(estimator.TakeSignificantChange());
  EXPECT_FALSE(estimator.TakeSignificantChange());
  for (int i = 0; i < 50; ++i)
    (void)estimator.Observe(WindowWith(++sequence, 20));
  EXPECT_FALSE(estimator.TakeSignificantChange());
  for (int i = 0; i < 50; ++i)
    (void)estimator.Observe(WindowWith(++sequence, 40));
  EXPECT_TRUE(estimator.TakeSignificantChange());
}

/// What is decided by rests on the fit as it was announced.
TEST(DeviceEstimator, AnnouncesAFitThatGrowsSurer) {
  for (const uint64_t arrivals : {1, 4, 5, 19, 50}) {
    DeviceEstimator estimator{DeviceId("n/d")};
    DeviceFit announced;
    int times = 0;
    for (uint64_t window = 1; window <= 1000; ++window) {
      auto measured = EmptyWindow(window);
      auto& app = AddApp(measured, "a", "m:1", arrivals);
      for (uint64_t i = 0; i < arrivals; ++i)
        app.service.Add(i % 2 == 0 ? 0.01 : 0.02);
      (void)estimator.Observe(measured);
      if (!estimator.TakeSignificantChange()) continue;
      announced = estimator.fit();
      ++times;
    }
    ASSERT_EQ(announced.apps.size(), 1u);
    ASSERT_EQ(announced.models.size(), 1u);
    EXPECT_GE(announced.apps[0].rate.weight, estimator.fit().apps[0].rate.weight / 2) << arrivals;
    EXPECT_GE(announced.models[0].service.weight, estimator.fit().models[0].service.weight / 2) << arrivals;
    EXPECT_LE(times, 10) << arrivals << ": a doubling is announced, not each window";
  }
}

TEST(DeviceEstimator, NoiseIsNotAChange) {
  Workload workload(40, 0.01, 1, 99);
  DeviceEstimator estimator{DeviceId("n/d")};
  for (int i = 0; i < 3000; ++i)
    (void)estimator.Observe(workload.Next());
  (void)estimator.TakeSignificantChange();
  int announced = 0;
  for (int i = 0; i < 1000; ++i) {
    (void)estimator.Observe(workload.Next());
    announced += estimator.TakeSignificantChange() ? 1 : 0;
  }
  EXPECT_LE(announced, 3);
}

TEST(DeviceEstimator, OrderOfApplicationsInAWindowDoesNotMatter) {
  auto window = EmptyWindow(1), reversed = EmptyWindow(1);
  AddApp(window, "a", "m:1", 3).service.Add(0.01);
  AddApp(window, "b", "n:1", 5).service.Add(0.02);
  reversed.apps = {window.apps[1], window.apps[0]};
  DeviceEstimator estimator{DeviceId("n/d")}, other{DeviceId("n/d")};
  (void)estimator.Observe(window);
  (void)other.Observe(reversed);
  for (const char* app : {"a", "b"})
    EXPECT_EQ(RateOf(estimator, app), RateOf(other, app)) << app;
  for (const char* model : {"m:1", "n:1"})
    EXPECT_EQ(FitOf(estimator, model), FitOf(other, model)) << model;
}

TEST(DeviceEstimator, KeepsSwitchedServiceApart) {
  DeviceEstimator estimator{DeviceId("n/d")};
  auto window = EmptyWindow(1);
  auto& app = AddApp(window, "a", "m:1", 3);
  app.service.Add(0.01);
  app.switched_service.Add(0.05);
  app.switched_service.Add(0.07);
  (void)estimator.Observe(window);
  EXPECT_DOUBLE_EQ(FitOf(estimator, "m:1").service.mean, 0.01);
  EXPECT_DOUBLE_EQ(FitOf(estimator, "m:1").switched_service.mean, 0.06);
  EXPECT_DOUBLE_EQ(FitOf(estimator, "m:1").switched_service.weight, 2);
}

TEST(DeviceEstimator, OldServiceTimesCountHalfAfterAHalfLife) {
  DeviceEstimator estimator{DeviceId("n/d"), {.half_life_windows = 1}};
  for (const auto& [sequence, service_s] : {std::pair(1, 0.03), std::pair(2, 0.06)}) {
    auto window = EmptyWindow(static_cast<uint64_t>(sequence));
    AddApp(window, "a", "m:1", 1).service.Add(service_s);
    (void)estimator.Observe(window);
  }
  EXPECT_NEAR(FitOf(estimator, "m:1").service.mean, (0.03 / 2 + 0.06) / 1.5, 1e-12);
  EXPECT_NEAR(FitOf(estimator, "m:1").service.weight, 1.5, 1e-12);
}

TEST(DeviceEstimator, AForgottenApplicationStartsAnew) {
  DeviceEstimator estimator{DeviceId("n/d")};
  for (uint64_t i = 1; i <= 100; ++i)
    (void)estimator.Observe(WindowWith(i, 4));
  estimator.Forget(AppId("a"));
  (void)estimator.Observe(WindowWith(101, 1));
  EXPECT_DOUBLE_EQ(RateOf(estimator, "a").weight, 1);
  EXPECT_DOUBLE_EQ(RateOf(estimator, "a").mean, 1 / kWindowSeconds);
}

} // namespace
} // namespace avocet
