// Predictions against simulation where no reference vector exists: random service times. Seeds are
// fixed, so a run is a function of the code alone. Each test prints the errors that docs/MODELS.md quotes.
#include <cmath>
#include <cstdio>
#include <string>

#include <gtest/gtest.h>

#include "tests/controller/queueing/load_builder.h"
#include "tests/controller/queueing/queue_simulator.h"

namespace avocet {
namespace {

struct WorstErrors {
  double mean = 0, p95 = 0, p99 = 0;
};

WorstErrors Compare(const std::string& what, const DeviceLoad& load, int requests) {
  const auto simulated = SimulatedApps(load, {.seed = 20240607, .requests = requests});
  const auto prediction = Predict(load);
  WorstErrors worst;
  for (size_t i = 0; i < simulated.size(); ++i) {
    const auto& s = simulated[i];
    const auto& p = prediction.apps.at(i);
    worst.mean = std::max(worst.mean, std::abs(p.mean_s / s.mean_s - 1));
    worst.p95 = std::max(worst.p95, std::abs(p.p95_s / s.p95_s - 1));
    worst.p99 = std::max(worst.p99, std::abs(p.p99_s / s.p99_s - 1));
  }
  std::printf("[ errors ] %-34s rho %.2f worst mean %.1f %%  p95 %.1f %%  p99 %.1f %%\n", what.c_str(),
              prediction.utilization, 100 * worst.mean, 100 * worst.p95, 100 * worst.p99);
  return worst;
}

/// Three models; the last two applications share one. `scale` sets the load.
DeviceLoad ThreeModels(Discipline discipline, double scale, double scv) {
  return MakeLoad(discipline, {{6 * scale, 0.010, scv, 0.012, "x"},
                               {2 * scale, 0.040, scv, 0.020, "y"},
                               {4 * scale, 0.020, scv, 0.016, "z"},
                               {2 * scale, 0.030, scv / 2, 0.016, "z"}});
}

TEST(Simulation, FifoWithGammaServiceAgrees) {
  for (const double scv : {0.25, 1.0, 2.0}) {
    const auto worst = Compare("fifo, scv " + std::to_string(scv), ThreeModels(Discipline::kFifo, 1.3, scv), 1500000);
    EXPECT_LT(worst.mean, 0.015);
    EXPECT_LT(worst.p95, 0.02);
    EXPECT_LT(worst.p99, 0.04);
  }
}

TEST(Simulation, ProcessorSharingWithGammaServiceAgrees) {
  for (const double scv : {0.0, 0.25, 1.0}) {
    const auto worst = Compare("processor_sharing, scv " + std::to_string(scv),
                               ThreeModels(Discipline::kProcessorSharing, 2, scv), 750000);
    EXPECT_LT(worst.mean, 0.015);
    EXPECT_LT(worst.p95, scv == 0 ? 0.015 : 0.05);
    EXPECT_LT(worst.p99, scv == 0 ? 0.03 : 0.08);
  }
}

TEST(Simulation, TimeSharedWithGammaServiceIsClose) {
  for (const double scale : {1.0, 2.0}) {
    for (const double scv : {0.0, 0.25, 1.0}) {
      const auto worst =
          Compare("time_shared, scv " + std::to_string(scv), ThreeModels(Discipline::kTimeShared, scale, scv), 500000);
      EXPECT_LT(worst.mean, 0.08);
      EXPECT_LT(worst.p95, 0.25);
      EXPECT_LT(worst.p99, 0.30);
    }
  }
}

TEST(Simulation, TheSimulatorItselfKnowsMm1) {
  const auto one = SimulatedApps(MakeLoad(Discipline::kFifo, {{50, 0.01, 1}}), {.seed = 7, .requests = 200000}).at(0);
  EXPECT_NEAR(one.mean_s, 0.02, 0.02 * 0.02);
  EXPECT_NEAR(one.p95_s, -0.02 * std::log(0.05), 0.03 * 0.06);
}

TEST(Simulation, IsAFunctionOfTheSeed) {
  const auto load = ThreeModels(Discipline::kTimeShared, 2, 1);
  const auto a = SimulatedApps(load, {.seed = 3, .requests = 5000}),
             b = SimulatedApps(load, {.seed = 3, .requests = 5000});
  const auto c = SimulatedApps(load, {.seed = 4, .requests = 5000});
  EXPECT_EQ(a[0].mean_s, b[0].mean_s);
  EXPECT_NE(a[0].mean_s, c[0].mean_s);
}

} // namespace
} // namespace avocet
