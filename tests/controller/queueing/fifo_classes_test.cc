// Classes of a FIFO device, and the idle probabilities (fifo_idle.cc).
#include "controller/queueing/fifo_classes.h"

#include <numeric>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "controller/queueing/request_source.h"
#include "tests/controller/queueing/any_load.h"

namespace avocet {
namespace {

ShortList<FifoClass> ClassesOfLoad(const DeviceLoad& load) {
  return FifoClassesOf(load, GroupByModel(load));
}

std::vector<double> IdleOf(const DeviceLoad& load, Instructions instructions = BestInstructions()) {
  const auto classes = ClassesOfLoad(load);
  std::vector<double> idle(classes.size());
  IdleProbabilities(classes, instructions, idle);
  return idle;
}

TEST(GroupByModel, NumbersGroupsInOrderOfModel) {
  const auto groups = GroupByModel(MakeLoad(
      Discipline::kFifo, {{1, 0.1, 0, 0, "c"}, {1, 0.1, 0, 0, "a"}, {1, 0.1, 0, 0, "c"}, {1, 0.1, 0, 0, "b"}}));
  EXPECT_EQ(groups.count, 3);
  EXPECT_EQ(std::vector<size_t>(groups.group_of.begin(), groups.group_of.end()), (std::vector<size_t>{2, 0, 2, 1}));
}

TEST(GroupByModel, DistinguishesVersions) {
  auto load = MakeLoad(Discipline::kFifo, {{1, 0.1, 0, 0, "m"}, {1, 0.1, 0, 0, "m"}});
  load.apps[1].model = MakeModelId("m", "2");
  EXPECT_EQ(GroupByModel(load).count, 2);
}

TEST(GroupByModel, EmptyLoadHasNoGroups) {
  EXPECT_EQ(GroupByModel(MakeLoad(Discipline::kFifo, {})).count, 0);
}

TEST(FifoClasses, AddRatesOfTheApplicationsOfAModel) {
  const auto classes =
      ClassesOfLoad(MakeLoad(Discipline::kFifo, {{1, 0.1, 0, 0, "a"}, {2, 0.1, 0, 0, "b"}, {5, 0.1, 0, 0, "a"}}));
  ASSERT_EQ(classes.size(), 2);
  EXPECT_DOUBLE_EQ(classes[0].rate_rps, 6);
  EXPECT_DOUBLE_EQ(classes[0].share, 0.75);
  EXPECT_DOUBLE_EQ(TotalRate(classes), 8);
}

TEST(FifoClasses, WeighMomentsByRate) {
  // A quarter takes 4 s, three quarters 8 s, each half a second more after a switch.
  const auto classes =
      ClassesOfLoad(MakeLoad(Discipline::kFifo, {{1, 4, 0, 0.5, "a"}, {3, 8, 0, 0.5, "a"}, {4, 1, 0, 0, "b"}}));
  EXPECT_DOUBLE_EQ(classes[0].plain.first, 7);
  EXPECT_DOUBLE_EQ(classes[0].plain.second, (16 + 3 * 64) / 4.0);
  EXPECT_DOUBLE_EQ(classes[0].switched.first, 7.5);
  EXPECT_DOUBLE_EQ(classes[0].overhead_s(), 0.5);
  EXPECT_DOUBLE_EQ(classes[0].mean_s(), 7.25);
}

TEST(FifoClasses, EqualServiceTimesAreOnePart) {
  const auto classes = ClassesOfLoad(MakeLoad(
      Discipline::kFifo, {{1, 0.1, 0, 0.2, "a"}, {3, 0.1, 0, 0.2, "a"}, {4, 0.1, 0, 0.3, "a"}, {1, 1, 0, 0, "b"}}));
  ASSERT_EQ(classes[0].parts.size(), 2) << "the third has another switch time";
  EXPECT_DOUBLE_EQ(classes[0].parts[0].weight, 0.5);
  EXPECT_DOUBLE_EQ(classes[0].parts[1].weight, 0.5);
}

TEST(FifoClasses, MixturesKeepTheirParts) {
  auto load = MakeLoad(Discipline::kFifo, {{1, 1, 0, 0, "a"}, {1, 1, 0, 0, "b"}});
  load.apps[0].service = ServiceMixture({{0.25, 1, 0}, {0.75, 2, 1}});
  const auto classes = ClassesOfLoad(load);
  ASSERT_EQ(classes[0].parts.size(), 2);
  EXPECT_DOUBLE_EQ(classes[0].parts[1].weight, 0.75);
  EXPECT_DOUBLE_EQ(classes[0].parts[1].scv, 1);
  EXPECT_DOUBLE_EQ(classes[0].plain.first, 1.75);
}

TEST(FifoClasses, ASingleClassNeverSwitches) {
  const auto classes = ClassesOfLoad(MakeLoad(Discipline::kFifo, {{1, 0.1, 0, 5}}));
  EXPECT_EQ(classes[0].overhead_s(), 0);
  EXPECT_EQ(classes[0].parts[0].switch_s, 0);
}

RC_GTEST_PROP(FifoClassesProperties, OfferedLoadIsTheUtilization, ()) {
  const auto load = AnyLoad(Discipline::kFifo, {.switches = true});
  RC_ASSERT(IsClose(OfferedLoad(ClassesOfLoad(load)), Utilization(load), 1e-12));
}

TEST(IdleProbabilities, OfOneClassAreTheIdleShare) {
  EXPECT_DOUBLE_EQ(IdleOf(MakeLoad(Discipline::kFifo, {{4, 0.1, 1, 3}})).at(0), 0.6);
}

TEST(IdleProbabilities, WithoutSwitchesAreSharedByTheChanceThatNobodyComesDuringTheService) {
  const auto load = MakeLoad(Discipline::kFifo, {{1, 0.1, 0.5}, {4, 0.05}, {2, 0.1, 1}});
  std::vector<double> weights;
  for (const auto& app : load.apps)
    weights.push_back(app.rate_rps * Transform({1, app.service.mean_s, app.service.scv}, 7.0));
  const double sum = std::accumulate(weights.begin(), weights.end(), 0.0);
  const auto idle = IdleOf(load);
  for (size_t i = 0; i < 3; ++i)
    EXPECT_NEAR(idle[i], 0.5 * weights[i] / sum, 1e-12) << i;
}

TEST(IdleProbabilities, AreSharedByRateUnderLittleLoad) {
  const auto idle = IdleOf(MakeLoad(Discipline::kFifo, {{1e-6, 0.1, 0, 0.2}, {3e-6, 0.4, 1, 0.1}}));
  EXPECT_NEAR(idle[0], 0.25, 1e-5);
  EXPECT_NEAR(idle[1], 0.75, 1e-5);
}

/// Shares of arrivals that found the device idle, by the model served last.
std::vector<double> SimulatedIdle(const DeviceLoad& load, int requests) {
  RequestSource source(load.apps, 11);
  std::vector<double> found(load.apps.size(), 0);
  double free_at = 0;
  size_t last = 0;
  for (int i = 0; i < requests; ++i) {
    const auto request = source.Next();
    if (free_at <= request.arrival_s) found[last] += 1.0 / requests;
    const double switch_s = last == request.app ? 0 : load.apps[request.app].switch_s;
    free_at = std::max(free_at, request.arrival_s) + request.work_s + switch_s;
    last = request.app;
  }
  return found;
}

TEST(IdleProbabilities, AreWhatASimulationFinds) {
  const std::vector<std::vector<LoadRow>> cases = {
      {{2, 0.05, 0, 0.2}, {4, 0.02, 0, 0.01}},                       // one switch far longer than the other
      {{2, 0.05, 0, 0.1}, {2, 0.05, 0, 0.1}, {1, 0.1, 0, 0.05}},     // a tie
      {{3, 0.05, 1, 0.03}, {1, 0.1, 2, 0.1}, {0.2, 0.01, 0.3, 0.5}}, // varying service, a rare class
  };
  for (const auto& rows : cases) {
    const auto load = MakeLoad(Discipline::kFifo, rows);
    const auto idle = IdleOf(load), simulated = SimulatedIdle(load, 1000000);
    for (size_t i = 0; i < idle.size(); ++i)
      EXPECT_NEAR(idle[i], simulated[i], 0.003) << i; // five standard errors of so many requests
  }
}

RC_GTEST_PROP(IdleProbabilitiesProperties, AreNotNegativeAndSumToTheIdleShare, ()) {
  const auto load = AnyLoad(Discipline::kFifo, {.switches = true});
  const auto idle = IdleOf(load);
  for (const double c : idle)
    RC_ASSERT(c >= 0);
  RC_ASSERT(IsClose(std::accumulate(idle.begin(), idle.end(), 0.0), 1 - Utilization(load), 1e-9));
}

RC_GTEST_PROP(IdleProbabilitiesProperties, EveryInstructionSetHasTheSame, ()) {
  const auto load = AnyLoad(Discipline::kFifo, {.switches = true});
  const auto best = IdleOf(load), baseline = IdleOf(load, Instructions::kBaseline);
  for (size_t i = 0; i < best.size(); ++i)
    RC_ASSERT(std::abs(best[i] - baseline[i]) < 1e-9);
}

RC_GTEST_PROP(IdleProbabilitiesProperties, EqualClassesHaveEqualOnes, ()) {
  const size_t models = *rc::gen::inRange<size_t>(2, 20);
  const double service = Between(1e-3, 0.1), scv = *rc::gen::element(0.0, 0.5, 1.0);
  auto load = MakeLoad(Discipline::kFifo, std::vector<LoadRow>(models, {1, service, scv, Between(1e-3, 0.1)}));
  ScaleRates(load, Between(0.05, 0.97) / Utilization(load));
  const auto idle = IdleOf(load);
  for (const double c : idle)
    RC_ASSERT(IsClose(c, (1 - Utilization(load)) / static_cast<double>(models), 1e-6));
}

} // namespace
} // namespace avocet
