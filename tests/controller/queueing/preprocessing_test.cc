#include "controller/queueing/preprocessing.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "controller/planning/node_simulation.h"
#include "controller/queueing/latency_model.h"
#include "tests/controller/queueing/any_load.h"

namespace avocet {
namespace {

TEST(Preprocessing, OfIdleCoresTakesTheWork) {
  const auto time = Preprocessing{.cores = 4}.TimeOf(0.01);
  EXPECT_DOUBLE_EQ(time->mean_s, 0.01);
  EXPECT_EQ(time->spread_s, 0);
}

TEST(Preprocessing, OfOneCoreIsProcessorSharing) {
  EXPECT_NEAR((Preprocessing{.cores = 1, .busy = 0.6}.TimeOf(0.01)->mean_s), 0.01 / 0.4, 1e-12);
}

TEST(Preprocessing, OfTwoCoresHasItsClosedForm) {
  EXPECT_NEAR((Preprocessing{.cores = 2, .busy = 1.2}.TimeOf(0.01)->mean_s), 0.01 / (1 - 0.36), 1e-12);
}

TEST(Preprocessing, SpreadIsThatOfADelayExponentialWhereThereIsOne) {
  // One core at 0.6: a delay of mean 15 ms with probability 0.6, so E[delay^2] = 2 x 15^2 / 0.6.
  EXPECT_NEAR((Preprocessing{.cores = 1, .busy = 0.6}.TimeOf(0.01)->spread_s), 0.015 * std::sqrt(2 / 0.6 - 1), 1e-12);
}

TEST(Preprocessing, FasterCoresTakeLessAndAreLessBusy) {
  const Preprocessing twice{.cores = 1, .speed = 2, .busy = 0.8};
  EXPECT_DOUBLE_EQ(twice.share(), 0.4);
  EXPECT_NEAR(twice.TimeOf(0.01)->mean_s, 0.005 / 0.6, 1e-12);
}

TEST(Preprocessing, NoWorkTakesNoTimeEvenOnSaturatedCores) {
  const auto time = Preprocessing{.cores = 1, .busy = 2}.TimeOf(0);
  ASSERT_TRUE(time.has_value());
  EXPECT_EQ(time->mean_s, 0);
  EXPECT_EQ(time->spread_s, 0);
}

TEST(Preprocessing, HasNoTimeFromSaturationOn) {
  for (const int cores : {1, 4}) {
    EXPECT_TRUE((Preprocessing{.cores = cores, .busy = cores * (kStableUtilization - 1e-9)}.TimeOf(0.01))) << cores;
    EXPECT_FALSE((Preprocessing{.cores = cores, .busy = cores * kStableUtilization}.TimeOf(0.01))) << cores;
    EXPECT_FALSE((Preprocessing{.cores = cores, .busy = 2.0 * cores}.TimeOf(0.01))) << cores;
  }
}

TEST(Preprocessing, HasTheMeanOfASimulation) {
  // Three cores, two kinds of work; the device takes a microsecond.
  const NodeLoad node{
      .cores = 3, .devices = {MakeLoad(Discipline::kFifo, {{60, 1e-6}, {30, 1e-6}})}, .preprocess_s = {0.02, 0.04}};
  NodeSimulation simulation(node, 1, 100);
  simulation.Run(5000);
  const Preprocessing cores{.cores = 3, .busy = 60 * 0.02 + 30 * 0.04};
  for (size_t app = 0; app < 2; ++app) {
    double sum = 0;
    for (const double response : simulation.Responses(app))
      sum += response;
    const double mean = sum / static_cast<double>(simulation.Responses(app).size());
    EXPECT_NEAR(mean / cores.TimeOf(node.preprocess_s[app])->mean_s, 1, 0.02) << app;
  }
}

RC_GTEST_PROP(PreprocessingProperties, TimeGrowsWithWorkAndLoadAndFallsWithCores, ()) {
  Preprocessing cores{.cores = *rc::gen::inRange(1, 33), .speed = Between(0.2, 5)};
  cores.busy = cores.cores * cores.speed * Between(0.01, 0.95);
  const double work = Between(1e-4, 1), mean = cores.TimeOf(work)->mean_s;
  RC_ASSERT(mean >= work / cores.speed);
  RC_ASSERT(IsClose(cores.TimeOf(3 * work)->mean_s, 3 * mean, 1e-12));
  auto busier = cores, wider = cores;
  busier.busy *= 1.03;
  ++wider.cores;
  RC_ASSERT(busier.TimeOf(work)->mean_s >= mean);
  RC_ASSERT(wider.TimeOf(work)->mean_s <= mean);
}

} // namespace
} // namespace avocet
