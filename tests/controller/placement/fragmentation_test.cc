#include "controller/placement/fragmentation.h"

#include <cmath>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "controller/cluster/cluster_changes.h"
#include "controller/placement/fits.h"
#include "tests/controller/placement/any_view.h"
#include "tests/controller/placement/asked.h"

namespace avocet::testing {
namespace {

constexpr double kAll = std::numeric_limits<double>::infinity();

TEST(Fragmentation, KeepsADeviceForThoseThatNeedIt) {
  // Only the first device has memory for "big", which was asked for before. "small" fits on both.
  ViewBuilder builder;
  builder.Device("a/gpu", {.memory_mib = 1000}).Device("b/gpu", {.memory_mib = 600});
  builder.Model("big:1", {.memory_mib = 900}).Model("small:1", {.memory_mib = 200});
  ClusterView view = builder.Build();
  const auto small = MakeApp("s", "small");
  RefuseApp(view, MakeApp("b", "big"));
  EXPECT_EQ(Decide(view, small, {.max_moves = 0}).device, DeviceId("b/gpu"));
}

std::vector<double> FrequenciesOf(const ClusterView& view, const Application& app, size_t most = 100) {
  const Asked asked(view, app);
  std::vector<double> frequencies;
  for (const auto& type : SeenTypes(asked.question, most))
    frequencies.push_back(type.frequency);
  return frequencies;
}

/// Admitted: "a" and "b" alike, "c" of twice the rate.
ClusterView ThreeAdmitted() {
  ViewBuilder builder;
  builder.Device("n/d").Model("m:1", {.service_ms = 10});
  builder.Resident(MakeApp("a", "m", {.rate_rps = 1}), "n/d").Resident(MakeApp("b", "m", {.rate_rps = 1}), "n/d");
  return builder.Resident(MakeApp("c", "m", {.rate_rps = 2}), "n/d").Build();
}

TEST(SeenTypes, AreSharesOfAllThatWereSeenTheMostFrequentFirst) {
  auto view = ThreeAdmitted();
  view.refused.push_back(MakeApp("refused", "m", {.rate_rps = 2}));
  EXPECT_EQ(FrequenciesOf(view, MakeApp("new", "m", {.rate_rps = 2})), (std::vector{0.6, 0.4}));
}

TEST(SeenTypes, TheNewcomerCountsOnceWhereverItIsKnownFrom) {
  auto view = ThreeAdmitted();
  view.refused.push_back(MakeApp("c", "m", {.rate_rps = 5}));
  EXPECT_EQ(FrequenciesOf(view, MakeApp("c", "m", {.rate_rps = 1})), (std::vector{1.0}));
}

TEST(SeenTypes, TheRarestAreLeftOutButStillCounted) {
  EXPECT_EQ(FrequenciesOf(ThreeAdmitted(), MakeApp("new", "m", {.rate_rps = 3}), 1), (std::vector{0.5}));
}

TEST(SeenTypes, DifferInAllThatPlacementLooksAt) {
  const auto app = MakeApp("a", "m", {.rate_rps = 1, .latency_ms = 50});
  const std::vector<std::pair<std::string, std::function<void(Application&)>>> changes = {
      {"model", [](auto& other) { other.model = "o"; }},
      {"rate", [](auto& other) { other.rate_rps = 2; }},
      {"arrivals", [](auto& other) { other.arrival.scv = 0; }},
      {"statistic", [](auto& other) { other.objective.statistic = Statistic::kP99; }},
      {"latency", [](auto& other) { other.objective.latency = FromMillis(51); }},
      {"allowance", [](auto& other) { other.network_allowance = FromMillis(1); }},
      {"pre-processing", [](auto& other) { other.preprocess = FromMillis(1); }},
      {"kinds", [](auto& other) { other.device_kinds = {DeviceKind::kGpu}; }},
  };
  for (const auto& [what, change] : changes) {
    ClusterView view;
    auto other = app;
    other.name = AppId("b");
    view.refused = {other};
    EXPECT_EQ(FrequenciesOf(view, app).size(), 1U) << "names do not count";
    change(view.refused[0]);
    EXPECT_EQ(FrequenciesOf(view, app).size(), 2U) << what;
  }
}

std::vector<std::optional<size_t>> GroupsOf(const ClusterView& view) {
  const Asked asked(view, MakeApp("new", "m"));
  return GroupDevices(asked.occupancy).group_of;
}

using Groups = std::vector<std::optional<size_t>>;

TEST(GroupDevices, DevicesOfATypeAreOneGroup) {
  ViewBuilder builder;
  builder.Device("n/a", {.type = "x"}).Device("n/b", {.type = "y"}).Device("n/c", {.type = "x"});
  EXPECT_EQ(GroupsOf(builder.Build()), (Groups{0, 1, 0}));
  EXPECT_EQ(GroupDevices(Asked(builder.Build(), MakeApp("new", "m")).occupancy).representatives,
            (std::vector<size_t>{0, 1}));
}

TEST(GroupDevices, WhatIsNotHealthyHasNone) {
  ViewBuilder builder;
  builder.Device("n/a", {.health = DeviceHealth::kAway})
      .Device("n/b")
      .Device("n/c", {.health = DeviceHealth::kDraining});
  EXPECT_EQ(GroupsOf(builder.Build()), (Groups{std::nullopt, 0, std::nullopt}));
}

TEST(GroupDevices, ADeviceThatWasMeasuredItselfIsAlone) {
  ViewBuilder builder;
  builder.Device("n/a").Device("n/b").Device("n/c");
  builder.Fit({.device = DeviceId("n/b"), .models = {{ModelId("m:1"), {.mean = 0.01, .weight = 1}, {}}}});
  EXPECT_EQ(GroupsOf(builder.Build()), (Groups{0, 1, 0}));
}

TEST(GroupDevices, KindAndEngineTellDevicesOfATypeApart) {
  ViewBuilder builder;
  builder.Device("n/a").Device("n/b", {.kind = DeviceKind::kCpu}).Device("n/c", {.engine = EngineKind::kOnnx});
  EXPECT_EQ(GroupsOf(builder.Build()), (Groups{0, 1, 2}));
}

/// Two devices; "small" fits on both, "big" on the first alone.
ViewBuilder BigAndSmall() {
  ViewBuilder builder;
  builder.Device("a/gpu", {.memory_mib = 1000}).Device("b/gpu", {.memory_mib = 600});
  builder.Model("big:1", {.memory_mib = 900}).Model("small:1", {.memory_mib = 200});
  return builder;
}

TEST(Fragmentation, LossIsTheFrequencyOfTheTypesThatNoLongerFitOverTheDevicesThatTheyHad) {
  auto view = BigAndSmall().Build();
  for (const std::string name : {"b1", "b2", "b3"})
    view.refused.push_back(MakeApp(name, "big"));
  const Asked asked(view, MakeApp("s", "small"));
  const Fragmentation fragmentation(asked.question);
  EXPECT_NEAR(fragmentation.Room(), 0.75 * 1 + 0.25 * 2, 1e-12);
  EXPECT_NEAR(fragmentation.Loss(Candidate(asked.question, 0), 0, kAll), 0.75, 1e-12);
  EXPECT_EQ(fragmentation.Loss(Candidate(asked.question, 1), 1, kAll), 0);
}

TEST(Fragmentation, AddingStopsOnceItIsEnough) {
  auto view = BigAndSmall().Model("vast:1", {.memory_mib = 950}).Build();
  for (const std::string model : {"big", "vast"})
    view.refused.push_back(MakeApp("r-" + model, model));
  const Asked asked(view, MakeApp("s", "small"));
  const Fragmentation fragmentation(asked.question);
  EXPECT_NEAR(fragmentation.Loss(Candidate(asked.question, 0), 0, kAll), 2.0 / 3, 1e-12);
  EXPECT_NEAR(fragmentation.Loss(Candidate(asked.question, 0), 0, 0.1), 1.0 / 3, 1e-12);
}

TEST(Fragmentation, TypesKeepToTheirKinds) {
  auto view = BigAndSmall().Build();
  view.refused.push_back(MakeApp("r", "small", {.rate_rps = 2, .device_kinds = {DeviceKind::kEdgeTpu}}));
  const Asked asked(view, MakeApp("s", "small"));
  EXPECT_NEAR(Fragmentation(asked.question).Room(), 0.5 * 2, 1e-12);
}

TEST(Fragmentation, DevicesThatAreAwayAreNoRoom) {
  auto view = BigAndSmall().Build();
  view.devices.at(DeviceId("b/gpu")).health = DeviceHealth::kAway;
  const Asked asked(view, MakeApp("s", "small"));
  EXPECT_NEAR(Fragmentation(asked.question).Room(), 1, 1e-12);
}

/// Devices without switches, where one more application helps nobody.
ClusterView AnyPlainView() {
  auto view = AnyView();
  for (auto& [key, profile] : view.profiles)
    profile.switch_overhead = Duration::zero();
  for (auto& [id, device] : view.devices)
    device.spec.discipline = Discipline::kFifo;
  for (int i = 0; i < 6; ++i) {
    view.refused.push_back(AnyApp("refused" + std::to_string(i)));
    view.refused.back().rate_rps *= 2;
  }
  return view;
}

RC_GTEST_PROP(FragmentationProperties, WhatComesTakesRoomExactlyWhereThereIsALoss, ()) {
  auto app = AnyApp("new");
  app.preprocess = Duration::zero(); // else the node's other devices lose room, which Loss does not look at
  Asked asked(AnyPlainView(), app);
  const auto device = *rc::gen::inRange<size_t>(0, asked.occupancy.size());
  const auto demand = asked.occupancy.DemandOn(device, asked.question.newcomer);
  RC_PRE(demand.has_value()); // apart from what asks for its value: within RC_PRE, && evaluates both sides
  RC_PRE(Fits(asked.occupancy[device], asked.policy, asked.cache).With(*demand));
  const Fragmentation before(asked.question);
  const double loss = before.Loss(Candidate(asked.question, device), device, kAll);
  Occupancy occupancy = asked.occupancy;
  occupancy.Add(device, *demand);
  const Question later{asked.view, asked.policy, occupancy, asked.cache, asked.question.newcomer};
  const double taken = before.Room() - Fragmentation(later).Room();
  RC_CLASSIFY(loss > 0, "with a loss");
  RC_ASSERT(taken > -1e-12);
  RC_ASSERT(loss <= taken + 1e-12);
  RC_ASSERT((loss > 1e-12) == (taken > 1e-12));
}

} // namespace
} // namespace avocet::testing
