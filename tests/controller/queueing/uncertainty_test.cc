#include "controller/queueing/uncertainty.h"

#include <random>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "controller/queueing/estimator.h"
#include "tests/controller/queueing/any_load.h"

namespace avocet {
namespace {

AppLoad Certain() {
  return MakeLoad(Discipline::kFifo, {{10, 0.02, 0.5, 0.03}}).apps.at(0);
}

TEST(AtUpperEndOfAnApplication, ChangesNothingThatIsCertain) {
  const auto app = Certain(), upper = AtUpperEnd(app);
  EXPECT_EQ(upper.rate_rps, app.rate_rps);
  EXPECT_EQ(upper.service.mean_s, app.service.mean_s);
  EXPECT_EQ(upper.switch_s, app.switch_s);
}

TEST(AtUpperEndOfAnApplication, RaisesAMeasuredRateToItsBound) {
  auto app = Certain();
  app.rate_observations = 16;
  const auto upper = AtUpperEnd(app);
  EXPECT_DOUBLE_EQ(upper.rate_rps, UpperRateBound({.mean = 10, .scv = 1, .weight = 16}));
  EXPECT_EQ(upper.rate_observations, 0);
  EXPECT_EQ(upper.service.mean_s, app.service.mean_s);
}

TEST(AtUpperEndOfAnApplication, RaisesAMeasuredServiceByItsError) {
  auto app = Certain();
  app.service.observations = 50; // standard error 0.02 sqrt(0.5 / 50) = 0.002
  EXPECT_NEAR(AtUpperEnd(app).service.mean_s, 0.02 + 0.002 * kZ95, 1e-15);
}

TEST(AtUpperEndOfAnApplication, RaisesAMeasuredSwitchByItsError) {
  auto app = Certain();
  app.switch_error_s = 0.01;
  const auto upper = AtUpperEnd(app);
  EXPECT_DOUBLE_EQ(upper.switch_s, 0.03 + 0.01 * kZ95);
  EXPECT_EQ(upper.switch_error_s, 0);
}

TEST(AtUpperEndOfAnApplication, KeepsTailAndArrivalScv) {
  auto app = Certain();
  app.rate_observations = 5;
  app.tail_s = 0.7;
  app.arrival_scv = 3;
  EXPECT_EQ(AtUpperEnd(app).tail_s, 0.7);
  EXPECT_EQ(AtUpperEnd(app).arrival_scv, 3);
}

DeviceLoad AnyMeasuredLoad() {
  auto load = AnyLoad(AnyDiscipline(), {.switches = true});
  for (auto& app : load.apps) {
    app.rate_observations = *rc::gen::element(0.0, 3.0, 100.0, 1e5);
    app.service.observations = *rc::gen::element(0.0, 3.0, 100.0, 1e5);
    app.switch_error_s = app.switch_s * *rc::gen::element(0.0, 0.01, 0.3);
  }
  return load;
}

RC_GTEST_PROP(AtUpperEndProperties, ASecondTimeChangesNothing, ()) {
  const auto once = AtUpperEnd(AnyMeasuredLoad()), twice = AtUpperEnd(once);
  for (size_t i = 0; i < once.apps.size(); ++i) {
    RC_ASSERT(twice.apps[i].rate_rps == once.apps[i].rate_rps);
    RC_ASSERT(twice.apps[i].service.mean_s == once.apps[i].service.mean_s);
    RC_ASSERT(twice.apps[i].switch_s == once.apps[i].switch_s);
  }
}

RC_GTEST_PROP(AtUpperEndProperties, IsNeverBelow, ()) {
  const auto load = AnyMeasuredLoad(), upper = AtUpperEnd(load);
  for (size_t i = 0; i < load.apps.size(); ++i) {
    RC_ASSERT(upper.apps[i].rate_rps >= load.apps[i].rate_rps);
    RC_ASSERT(upper.apps[i].service.mean_s >= load.apps[i].service.mean_s);
    RC_ASSERT(upper.apps[i].switch_s >= load.apps[i].switch_s);
  }
}

RC_GTEST_PROP(AtUpperEndProperties, MoreObservationsBringItNearer, ()) {
  auto few = AnyLoad(Discipline::kFifo, {.switches = true}), many = few;
  for (size_t i = 0; i < few.apps.size(); ++i) {
    few.apps[i].rate_observations = few.apps[i].service.observations = Between(2, 1e4);
    many.apps[i].rate_observations = many.apps[i].service.observations = 2 * few.apps[i].rate_observations;
  }
  RC_ASSERT(Utilization(AtUpperEnd(many)) <= Utilization(AtUpperEnd(few)) * (1 + 1e-12));
}

TEST(AtUpperEndOfAService, CoversTheTrueMeanNineteenTimesInTwenty) {
  std::mt19937_64 random(5);
  std::gamma_distribution<> service(4, 0.25); // mean 1, SCV 0.25
  constexpr int kRounds = 4000, kObservations = 400;
  int covered = 0;
  for (int round = 0; round < kRounds; ++round) {
    double sum = 0;
    for (int i = 0; i < kObservations; ++i)
      sum += service(random);
    const ServiceTime measured{.mean_s = sum / kObservations, .scv = 0.25, .observations = kObservations};
    covered += AtUpperEnd(measured).mean_s >= 1 ? 1 : 0;
  }
  EXPECT_NEAR(covered / double{kRounds}, 0.95, 0.015);
}

} // namespace
} // namespace avocet
