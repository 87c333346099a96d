// Capacity without a solver: what Decide places on a cluster, and the search from where a bound says. The search from
// real bounds is tested beside the command.
#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "controller/planning/capacity.h"
#include "tests/support/view_builder.h"

namespace avocet::testing {
namespace {

using ::testing::HasSubstr;

DeviceOffer Offer(const std::string& name, double price, int most) {
  DeviceSpec spec{.node = NodeId(name),
                  .name = "d",
                  .kind = DeviceKind::kCpu,
                  .discipline = Discipline::kFifo,
                  .engine = EngineKind::kEmulated,
                  .type = name,
                  .memory_bytes = 1000 * kMiB,
                  .cores = {}};
  return {
      .name = name, .node = {.id = NodeId(name), .boot = BootId("b"), .devices = {spec}}, .price = price, .most = most};
}

/// "m" takes 10 ms on a big device, 20 ms on a small one; each application is 0.2 or 0.4 of one.
CapacityQuestion Question(int count) {
  ViewBuilder builder;
  builder.ModelWithoutProfile("m:1");
  builder.Profile("m:1", {.device_type = "big", .service_ms = 10});
  builder.Profile("m:1", {.device_type = "small", .service_ms = 20});
  return {.catalogue = builder.Build(),
          .offers = {Offer("big", 300, 10), Offer("small", 100, 2)},
          .demands = {{MakeApp("a", "m", {.rate_rps = 20}), count}},
          .policy = {}};
}

LinearSolver StartsFrom(std::vector<double> devices) {
  return [devices](const LinearProgram& program) -> Result<std::optional<LinearOptimum>> {
    LinearOptimum optimum{.objective = 0, .columns = devices};
    optimum.columns.resize(program.columns().size());
    return std::optional(optimum);
  };
}

TEST(PlaceOn, CountsWhatHasAPlaceAndWhatHasNot) {
  PredictionCache cache;
  const auto placement = PlaceOn(Question(7), {1, 1}, cache);
  EXPECT_EQ(placement.hosted, (std::vector{6})) << "four of 0.2 on the big one, two of 0.4 on the small one";
  EXPECT_EQ(placement.missing, 1);
  EXPECT_EQ(placement.view.placements.size(), 6U);
  EXPECT_TRUE(placement.view.devices.contains(DeviceId("big-0000/d")));
}

TEST(PlaceOn, NothingHasAPlaceOnNothing) {
  PredictionCache cache;
  EXPECT_EQ(PlaceOn(Question(3), {0, 0}, cache).missing, 3);
}

TEST(HowManyMore, EndsAtTheUtilizationBound) {
  PredictionCache cache;
  const auto empty = PlaceOn(Question(1), {1, 0}, cache).view;
  const auto app = MakeApp("more", "m", {.rate_rps = 20});
  EXPECT_EQ(HowManyMore(empty, app, {}, 100), 3) << "0.92 of 0.2 each, one of which is there";
  EXPECT_EQ(HowManyMore(empty, app, {}, 2), 2);
  EXPECT_EQ(HowManyMore(empty, app, {}, 0), 0);
  EXPECT_EQ(HowManyMore(empty, MakeApp("more", "absent"), {}, 5), 0);
}

TEST(FindCheapest, AddsUntilAllHaveAPlaceAndOneDeviceFewerDoesNotDo) {
  const auto question = Question(9);
  const auto purchase = FindCheapest(question, {.solver = StartsFrom({0, 0})});
  ASSERT_TRUE(purchase.ok()) << purchase.status().message();
  EXPECT_EQ(purchase->placement.missing, 0);
  EXPECT_EQ(purchase->price, purchase->devices[0] * 300.0 + purchase->devices[1] * 100.0);
  for (size_t offer = 0; offer < 2; ++offer) {
    auto fewer = purchase->devices;
    if (--fewer[offer] < 0) continue;
    PredictionCache cache;
    EXPECT_GT(PlaceOn(question, fewer, cache).missing, 0) << question.offers[offer].name;
  }
}

TEST(FindCheapest, TakesAwayWhatABoundBoughtTooMuchOf) {
  const auto purchase = FindCheapest(Question(2), {.solver = StartsFrom({5, 2})});
  ASSERT_TRUE(purchase.ok());
  EXPECT_EQ(purchase->devices, (std::vector{0, 1})) << "two of 0.4 on a small one";
  EXPECT_EQ(purchase->price, 100);
}

TEST(FindCheapest, BuysNoMoreThanCanBeHad) {
  auto question = Question(30);
  question.offers[0].most = 1;
  const auto purchase = FindCheapest(question, {.solver = StartsFrom({0, 0})});
  ASSERT_EQ(purchase.status().code(), StatusCode::kRejected);
  EXPECT_THAT(purchase.status().message(), HasSubstr("8 of 30 applications 'a'"));
}

TEST(FindCheapest, EndsWhenItsTrialsAreSpent) {
  int trials = 0;
  const auto purchase = FindCheapest(
      Question(30),
      {.solver = StartsFrom({0, 0}), .most_trials = 3, .progress = [&](int number, double) { trials = number; }});
  EXPECT_EQ(purchase.status().code(), StatusCode::kRejected);
  EXPECT_EQ(trials, 3);
}

TEST(FindCheapest, PassesOnThatTheSolverGaveUp) {
  const LinearSolver broken = [](const LinearProgram&) -> Result<std::optional<LinearOptimum>> {
    return Internal("gave up");
  };
  EXPECT_EQ(FindCheapest(Question(1), {.solver = broken}).status().code(), StatusCode::kInternal);
}

TEST(FindCheapest, SaysWhatHasTheFewestPlacesWhereNoPurchaseIsPossible) {
  const LinearSolver infeasible = [](const LinearProgram&) -> Result<std::optional<LinearOptimum>> {
    return std::optional<LinearOptimum>();
  };
  auto question = Question(1);
  question.demands.push_back({MakeApp("never", "m", {.rate_rps = 1000}), 4});
  EXPECT_THAT(FindCheapest(question, {.solver = infeasible}).status().message(),
              HasSubstr("0 of 4 applications 'never'"));
}

} // namespace
} // namespace avocet::testing
