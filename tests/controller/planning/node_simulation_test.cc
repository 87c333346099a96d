#include "controller/planning/node_simulation.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include <gtest/gtest.h>

#include "controller/queueing/micro_simulation.h"
#include "tests/controller/queueing/load_builder.h"
#include "tests/support/view_builder.h"

namespace avocet {
namespace {

double Mean(std::span<const double> values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

std::vector<double> Played(const NodeLoad& node, size_t app, const std::vector<double>& ends, double warm_up_s = 0) {
  NodeSimulation simulation(node, 3, warm_up_s);
  for (const double end : ends)
    simulation.Run(end);
  const auto responses = simulation.Responses(app);
  return {responses.begin(), responses.end()};
}

/// Two devices and three applications; the second one pre-processes nothing.
NodeLoad TwoDevices() {
  return {.cores = 2,
          .devices = {MakeLoad(Discipline::kFifo, {{10, 0.02, 0.5, 0.01}, {5, 0.03, 0, 0.01}}),
                      MakeLoad(Discipline::kProcessorSharing, {{20, 0.02}})},
          .preprocess_s = {0.03, 0, 0.02}};
}

TEST(NodeSimulation, HowItIsCutDoesNotMatter) {
  for (size_t app = 0; app < 3; ++app)
    EXPECT_EQ(Played(TwoDevices(), app, {100}), Played(TwoDevices(), app, {0.1, 0.1, 7, 50, 99.99, 100})) << app;
}

TEST(NodeSimulation, IsAFunctionOfTheSeed) {
  NodeSimulation a(TwoDevices(), 1, 0), b(TwoDevices(), 1, 0), other(TwoDevices(), 2, 0);
  for (auto* one : {&a, &b, &other})
    one->Run(50);
  EXPECT_EQ(Mean(a.Responses(0)), Mean(b.Responses(0)));
  EXPECT_NE(Mean(a.Responses(0)), Mean(other.Responses(0)));
}

TEST(NodeSimulation, CountsTheRequestsPlayed) {
  NodeSimulation simulation(TwoDevices(), 3, 0);
  EXPECT_EQ(simulation.requests(), 0);
  simulation.Run(1000);
  EXPECT_NEAR(static_cast<double>(simulation.requests()), 35000, 5 * std::sqrt(35000));
}

TEST(NodeSimulation, LeavesOutWhatArrivesDuringTheWarmUp) {
  const auto all = Played(TwoDevices(), 1, {100}), late = Played(TwoDevices(), 1, {100}, 60);
  ASSERT_GT(late.size(), 0);
  ASSERT_LT(late.size(), all.size());
  EXPECT_EQ(late, std::vector<double>(all.end() - static_cast<std::ptrdiff_t>(late.size()), all.end()));
}

TEST(NodeSimulation, WithoutPreprocessingIsTheDeviceAlone) {
  const auto device = MakeLoad(Discipline::kFifo, {{10, 0.02, 0.5, 0.01}, {5, 0.03, 0, 0.01}});
  const auto responses = Played({.cores = 1, .devices = {device}, .preprocess_s = {0, 0}}, 0, {20000});
  EXPECT_NEAR(Mean(responses) / Simulate(device, {.requests = 300000}).Mean(0), 1, 0.02);
}

TEST(NodeSimulation, DevicesDoNotDisturbEachOther) {
  // A second device that is never idle, next to one whose application pre-processes nothing.
  const auto device = MakeLoad(Discipline::kFifo, {{7, 0.1}}), busy = MakeLoad(Discipline::kFifo, {{50, 0.1}});
  const auto responses = Played({.cores = 1, .devices = {device, busy}, .preprocess_s = {0, 0}}, 0, {30000});
  EXPECT_NEAR(Mean(responses) / (0.1 + 0.07 / 2 / 0.3), 1, 0.03);
}

TEST(NodeSimulation, AllDevicesShareTheCores) {
  // Processor sharing of one core at 0.3 + 0.4, before devices that take next to nothing.
  const auto device = MakeLoad(Discipline::kProcessorSharing, {{10, 1e-6}});
  const NodeLoad node{.cores = 1, .devices = {device, device}, .preprocess_s = {0.03, 0.04}};
  EXPECT_NEAR(Mean(Played(node, 0, {20000})) / (0.03 / 0.3), 1, 0.03);
  EXPECT_NEAR(Mean(Played(node, 1, {20000})) / (0.04 / 0.3), 1, 0.03);
}

TEST(NodeSimulation, ResponseHoldsBothStages) {
  const NodeLoad node{.cores = 4, .devices = {MakeLoad(Discipline::kFifo, {{0.01, 0.5}})}, .preprocess_s = {0.25}};
  const auto responses = Played(node, 0, {10000});
  ASSERT_FALSE(responses.empty());
  EXPECT_NEAR(*std::min_element(responses.begin(), responses.end()), 0.75, 1e-9);
}

TEST(NodeLoadOf, HoldsTheDevicesOfTheNodeAlone) {
  ViewBuilder builder;
  builder.Node("n1", {.cpu_cores = 6}).Device("n1/gpu0").Device("n2/gpu0").Device("n1/gpu1").Model("pose:1");
  builder.Resident(MakeApp("a", "pose", {.rate_rps = 3}), "n1/gpu0");
  builder.Resident(MakeApp("b", "pose", {.rate_rps = 4}), "n2/gpu0");
  const auto load = NodeLoadOf(builder.Build(), NodeId("n1"));
  EXPECT_EQ(load.cores, 6);
  ASSERT_EQ(load.devices.size(), 2);
  ASSERT_EQ(load.devices[0].apps.size(), 1);
  EXPECT_EQ(load.devices[0].apps[0].app, AppId("a"));
  EXPECT_EQ(load.devices[0].apps[0].rate_rps, 3);
  EXPECT_TRUE(load.devices[1].apps.empty());
}

TEST(NodeLoadOf, FasterCoresPreprocessInLessTime) {
  ViewBuilder builder;
  builder.Node("n1", {.core_speed = 2}).Device("n1/gpu0").Model("pose:1");
  builder.Resident(MakeApp("a", "pose", {.preprocess_ms = 30}), "n1/gpu0");
  const auto load = NodeLoadOf(builder.Build(), NodeId("n1"));
  ASSERT_EQ(load.preprocess_s.size(), 1);
  EXPECT_DOUBLE_EQ(load.preprocess_s[0], 0.015);
}

TEST(NodeLoadOf, UnknownNodeHasNoDevices) {
  const auto load = NodeLoadOf(ViewBuilder().Device("n1/gpu0").Build(), NodeId("other"));
  EXPECT_TRUE(load.devices.empty());
  EXPECT_EQ(load.cores, 1);
}

} // namespace
} // namespace avocet
