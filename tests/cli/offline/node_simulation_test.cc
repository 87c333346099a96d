#include "controller/planning/node_simulation.h"

#include <cmath>

#include <gtest/gtest.h>

#include "cli/load/sample_statistics.h"
#include "controller/queueing/fifo_model.h"
#include "controller/queueing/multi_server_model.h"
#include "controller/queueing/processor_sharing_model.h"
#include "tests/controller/queueing/load_builder.h"
#include "tests/controller/queueing/reference_vectors.h"
#include "tests/support/view_builder.h"

namespace avocet {
namespace {

NodeLoad OneDevice(const DeviceLoad& load, double preprocess_s = 0, int cores = 4) {
  return {.cores = cores, .devices = {load}, .preprocess_s = std::vector<double>(load.apps.size(), preprocess_s)};
}

double TotalRate(const NodeLoad& load) {
  double rate = 0;
  for (const auto& device : load.devices) {
    for (const auto& app : device.apps)
      rate += app.rate_rps;
  }
  return rate;
}

NodeSimulation Played(const NodeLoad& load, double requests, uint64_t seed = 1) {
  NodeSimulation simulation(load, seed, 0.05 * requests / TotalRate(load));
  simulation.Run(requests / TotalRate(load));
  return simulation;
}

/// The truth lies within twice the 95 % interval (or 0.1 %, where the interval has no width).
void ExpectHolds(std::span<const double> responses, Statistic statistic, double truth, const std::string& what) {
  const auto interval = ConfidenceInterval(statistic, responses).value();
  ASSERT_TRUE(interval.high) << what;
  const double width = *interval.high - interval.low, slack = 1e-3 * truth;
  EXPECT_GE(truth, interval.low - width / 2 - slack) << what;
  EXPECT_LE(truth, *interval.high + width / 2 + slack) << what;
}

double MeanOf(std::span<const double> responses) {
  return Summarize(responses).mean_s;
}

// --- closed forms and vectors ----------------------------------------------------------------------

class ReferenceNodes : public ::testing::TestWithParam<const char*> {};

TEST_P(ReferenceNodes, AgreesWithTheReferenceVectors) {
  int checked = 0;
  for (const auto& one : ReferenceCases(GetParam())) {
    if (!one.stable) continue;
    const auto simulation = Played(OneDevice(one.load), 300000);
    for (size_t i = 0; i < one.rows.size(); ++i) {
      if (simulation.Responses(i).size() < 5000) continue; // too rare to be compared
      const auto& row = one.rows[i];
      const std::string what = one.id + " class " + std::to_string(i);
      ExpectHolds(simulation.Responses(i), Statistic::kMean, row.mean_s, what + " mean");
      if (row.p95_s) ExpectHolds(simulation.Responses(i), Statistic::kP95, *row.p95_s, what + " p95");
      if (row.p99_s) ExpectHolds(simulation.Responses(i), Statistic::kP99, *row.p99_s, what + " p99");
      ++checked;
    }
  }
  EXPECT_GT(checked, 3);
}

INSTANTIATE_TEST_SUITE_P(NodeSimulation, ReferenceNodes,
                         ::testing::Values("fcfs_switch", "mg1_ps", "hybrid_ps", "mmc_fcfs", "mgc_fcfs"),
                         [](const auto& param) { return std::string(param.param); });

// The cores are M/G/c under processor sharing; without anything to do on the device they are all there is.
TEST(NodeSimulation, TheCoresShareThemselvesAsTheVectorsSay) {
  for (const auto& one : ReferenceCases("mgc_ps")) {
    NodeLoad load = OneDevice(one.load, 0, one.load.cores);
    load.devices[0].discipline = Discipline::kProcessorSharing;
    for (size_t i = 0; i < one.load.apps.size(); ++i) {
      load.preprocess_s[i] = one.load.apps[i].service.mean_s;
      load.devices[0].apps[i].service.mean_s = 1e-9;
    }
    const auto simulation = Played(load, 300000);
    for (size_t i = 0; i < one.rows.size(); ++i) {
      ExpectHolds(simulation.Responses(i), Statistic::kMean, one.rows[i].mean_s, one.id + " mean");
      if (one.rows[i].p95_s) ExpectHolds(simulation.Responses(i), Statistic::kP95, *one.rows[i].p95_s, one.id + " p95");
    }
  }
}

// What leaves processor sharing is Poisson again, so the stages' means add up: two devices behind the same cores.
TEST(NodeSimulation, StagesAddUp) {
  NodeLoad load;
  load.cores = 4;
  load.devices = {MakeLoad(Discipline::kFifo, {{10, 0.01, 0, 0.012}, {6, 0.03, 0, 0.02}}),
                  MakeLoad(Discipline::kProcessorSharing, {{20, 0.02, 0}, {5, 0.04, 1}})};
  load.preprocess_s = {0.02, 0.02, 0.05, 0.05};
  const double factor = MultiServerSharingFactor(4, 16 * 0.02 + 25 * 0.05);
  const FifoModel fifo(load.devices[0]);
  const ProcessorSharingModel sharing(load.devices[1]);
  const auto simulation = Played(load, 600000);
  for (size_t i = 0; i < 4; ++i) {
    const double device = i < 2 ? fifo.Mean(i) : sharing.Mean(i - 2);
    ExpectHolds(simulation.Responses(i), Statistic::kMean, load.preprocess_s[i] * factor + device,
                "application " + std::to_string(i));
  }
}

// --- other properties ------------------------------------------------------------------------------

TEST(NodeSimulation, SwitchesAreNotPaidBetweenApplicationsOfOneModel) {
  const auto load = MakeLoad(Discipline::kFifo, {{10, 0.01, 0, 0.5, "m"}, {10, 0.01, 0, 0.5, "m"}});
  const auto simulation = Played(OneDevice(load), 100000);
  ExpectHolds(simulation.Responses(0), Statistic::kMean, 0.01 + 0.2 * 0.01 / (2 * 0.8), "M/D/1");
}

TEST(NodeSimulation, BurstyArrivalsWaitLongerAndPeriodicOnesNever) {
  auto load = MakeLoad(Discipline::kFifo, {{50, 0.01, 0}});
  const auto mean_at = [&](double scv) {
    load.apps[0].arrival_scv = scv;
    return MeanOf(Played(OneDevice(load), 200000).Responses(0));
  };
  EXPECT_NEAR(mean_at(0), 0.01, 1e-9);
  const double poisson = mean_at(1);
  EXPECT_NEAR(poisson, 0.015, 0.0002);
  EXPECT_GT(mean_at(4), 1.5 * poisson);
}

TEST(NodeSimulation, ArrivalsKeepTheirRateAndScv) {
  for (const double scv : {0.25, 1.0, 4.0}) {
    auto load = MakeLoad(Discipline::kFifo, {{50, 0.001, 0}, {1, 0.001, 0}});
    load.apps[0].arrival_scv = scv;
    RequestSource source(load.apps, 3);
    double last = 0, sum = 0, squares = 0;
    int count = 0;
    for (int i = 0; i < 200000; ++i) {
      const auto request = source.Next();
      if (request.app != 0) continue;
      const double gap = request.arrival_s - last;
      last = request.arrival_s;
      sum += gap, squares += gap * gap, ++count;
    }
    const double mean = sum / count;
    EXPECT_NEAR(mean, 0.02, 0.02 * 0.02);
    EXPECT_NEAR(squares / count / (mean * mean) - 1, scv, 0.06 * scv);
  }
}

TEST(NodeSimulation, DoesNotDependOnHowItWasCutIntoRuns) {
  const auto load = OneDevice(MakeLoad(Discipline::kTimeShared, {{20, 0.01, 1}, {10, 0.03, 0}}), 0.02);
  NodeSimulation whole(load, 5, 10), parts(load, 5, 10);
  whole.Run(300);
  for (const double until : {7.0, 100.0, 100.0, 250.0, 300.0})
    parts.Run(until);
  ASSERT_EQ(whole.Responses(0).size(), parts.Responses(0).size());
  EXPECT_EQ(whole.requests(), parts.requests());
  EXPECT_TRUE(std::equal(whole.Responses(1).begin(), whole.Responses(1).end(), parts.Responses(1).begin()));
}

TEST(NodeSimulation, IsAFunctionOfTheSeed) {
  const auto load = OneDevice(MakeLoad(Discipline::kFifo, {{20, 0.01, 1}}), 0.02);
  const auto a = Played(load, 1000, 1), b = Played(load, 1000, 1), c = Played(load, 1000, 2);
  EXPECT_EQ(a.Responses(0).back(), b.Responses(0).back());
  EXPECT_NE(a.Responses(0).back(), c.Responses(0).back());
}

TEST(NodeSimulation, ALoadTakesTheSpeedOfTheNodesCores) {
  ViewBuilder builder;
  builder.Node("n", {.cpu_cores = 2, .core_speed = 1.25})
      .Device("n/d", {.discipline = Discipline::kFifo})
      .Device("n/e")
      .Model("m:1", {.service_ms = 10, .switch_ms = 5})
      .Resident(MakeApp("a", "m", {.rate_rps = 3, .preprocess_ms = 50}), "n/d")
      .Resident(MakeApp("b", "m", {.rate_rps = 4}), "n/e");
  const auto load = NodeLoadOf(builder.Build(), NodeId("n"));
  EXPECT_EQ(load.cores, 2);
  ASSERT_EQ(load.devices.size(), 2U);
  EXPECT_EQ(load.devices[0].apps.at(0).rate_rps, 3);
  EXPECT_EQ(load.devices[1].apps.at(0).app, AppId("b"));
  EXPECT_DOUBLE_EQ(load.preprocess_s.at(0), 0.04);
  EXPECT_EQ(load.preprocess_s.at(1), 0);
}

} // namespace
} // namespace avocet
