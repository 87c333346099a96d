#include "controller/queueing/service_classes.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "controller/queueing/micro_simulation.h"
#include "tests/controller/queueing/any_load.h"

namespace avocet {
namespace {

DeviceLoad FourApps() {
  return MakeLoad(Discipline::kTimeShared,
                  {{1, 2, 0, 0, "b"}, {3, 1, 1, 0, "a"}, {2, 5, 0, 0, "b"}, {4, 1, 0, 0, "c"}});
}

TEST(ServiceClasses, AreTheModelsInOrder) {
  const auto classes = ClassesOf(FourApps());
  ASSERT_EQ(classes.size(), 3);
  EXPECT_EQ(classes[0].members, (std::vector<size_t>{1}));
  EXPECT_EQ(classes[1].members, (std::vector<size_t>{0, 2}));
  EXPECT_EQ(classes[2].members, (std::vector<size_t>{3}));
}

TEST(ServiceClasses, AddRatesAndWeighMomentsByThem) {
  const auto shared = ClassesOf(FourApps()).at(1);
  EXPECT_DOUBLE_EQ(shared.rate_rps, 3);
  EXPECT_DOUBLE_EQ(shared.service.first, (1 * 2 + 2 * 5) / 3.0);
  EXPECT_DOUBLE_EQ(shared.service.second, (1 * 4 + 2 * 25) / 3.0);
  EXPECT_DOUBLE_EQ(shared.service.third, (1 * 8 + 2 * 125) / 3.0);
}

TEST(ServiceClasses, EmptyLoadHasNone) {
  EXPECT_TRUE(ClassesOf(MakeLoad(Discipline::kFifo, {})).empty());
}

TEST(ClassOfApp, FindsTheClassOfEachApplication) {
  EXPECT_EQ(ClassOfApp(ClassesOf(FourApps()), 4), (std::vector<size_t>{1, 0, 1, 2}));
}

RC_GTEST_PROP(ServiceClassesProperties, KeepTheOfferedLoad, ()) {
  auto load = AnyLoad(Discipline::kTimeShared, {});
  for (auto& app : load.apps)
    app.model = MakeModelId(*rc::gen::element<std::string>("x", "y", "z"), "1");
  double sum = 0;
  for (const auto& one : ClassesOf(load))
    sum += one.rate_rps * one.service.first;
  RC_ASSERT(IsClose(sum, Utilization(load), 1e-12));
}

DeviceLoad Bursty(double arrival_scv) {
  auto load = MakeLoad(Discipline::kFifo, {{2, 0.1, 1}, {10, 0.03}});
  load.apps[0].arrival_scv = arrival_scv;
  return load;
}

TEST(BurstinessShare, OfPoissonArrivalsIsZero) {
  EXPECT_EQ(BurstinessShare(Bursty(1)), 0);
}

TEST(BurstinessShare, SmootherThanPoissonCountsAsPoisson) {
  EXPECT_EQ(BurstinessShare(Bursty(0)), 0);
  EXPECT_EQ(BurstinessShare(Bursty(0.999)), 0);
}

TEST(BurstinessShare, WeighsTheExcessByTheSquareOfTheService) {
  // 2 (4 - 1) 0.1^2 over 2 E[S1^2] + 10 E[S2^2], E[S1^2] = 2 x 0.1^2 as it is exponential.
  EXPECT_DOUBLE_EQ(BurstinessShare(Bursty(4)), 0.06 / (0.04 + 0.009));
}

TEST(BurstinessShare, OfAnEmptyDeviceIsZero) {
  EXPECT_EQ(BurstinessShare(MakeLoad(Discipline::kFifo, {})), 0);
}

TEST(BurstinessShare, IsThatOfASimulationInHeavyTraffic) {
  auto load = MakeLoad(Discipline::kFifo, {{4.5, 0.1}, {4.5, 0.1}});
  load.apps[0].arrival_scv = 4; // share 1.5: the wait is 2.5 times that of Poisson arrivals
  ASSERT_DOUBLE_EQ(BurstinessShare(load), 1.5);
  const double poisson_wait = 0.1 * 0.9 / 2 / (1 - 0.9);
  const double wait = Simulate(load, {.seed = 3, .requests = 1000000}).Mean(1) - 0.1;
  EXPECT_NEAR(wait / poisson_wait, 2.5, 0.25);
}

} // namespace
} // namespace avocet
