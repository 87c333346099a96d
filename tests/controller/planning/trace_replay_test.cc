#include "controller/planning/trace_replay.h"

#include <algorithm>
#include <numeric>
#include <random>

#include <gtest/gtest.h>

#include "controller/queueing/paper_model.h"
#include "tests/controller/queueing/load_builder.h"

namespace avocet {
namespace {

struct MadeModel {
  double rate_rps, service_s, switch_s, tail_s;
};

/// What a client sees of a FIFO device with these constants.
TraceRun MakeRun(const std::string& name, const std::vector<MadeModel>& models, int requests, uint64_t seed) {
  TraceRun run{.name = name, .models = {}, .nominal_rps = {}, .requests = {}};
  std::vector<double> rates;
  for (size_t m = 0; m < models.size(); ++m) {
    run.models.push_back("m" + std::to_string(m));
    run.nominal_rps.push_back(models[m].rate_rps);
    rates.push_back(models[m].rate_rps);
  }
  std::mt19937_64 random(seed);
  std::discrete_distribution<size_t> pick(rates.begin(), rates.end());
  std::exponential_distribution<> gap(std::accumulate(rates.begin(), rates.end(), 0.0));
  double now = 0, free_at = 0;
  size_t previous = models.size();
  for (int i = 0; i < requests; ++i) {
    now += gap(random);
    const size_t m = pick(random);
    const double change = previous < models.size() && previous != m ? models[m].switch_s : 0;
    free_at = std::max(free_at, now) + models[m].service_s + change;
    previous = m;
    run.requests.push_back({m, now, free_at + models[m].tail_s});
  }
  return run;
}

const std::vector<MadeModel> kModels = {{10, 0.018, 0.022, 0.005}, {4, 0.063, 0.019, 0}};

TEST(FitTrace, FindsServiceSwitchAndTail) {
  const auto models = FitTrace(MakeRun("r", kModels, 4000, 1));
  ASSERT_EQ(models.size(), 2);
  for (size_t m = 0; m < models.size(); ++m) {
    EXPECT_NEAR(models[m].service_s, kModels[m].service_s, 1e-4);
    EXPECT_NEAR(models[m].switch_s, kModels[m].switch_s, 1e-4);
    EXPECT_NEAR(models[m].tail_s, kModels[m].tail_s, 1e-4);
  }
}

TEST(FitTrace, WithoutTailsTakesThemForService) {
  const auto models = FitTrace(MakeRun("r", kModels, 4000, 1), false);
  EXPECT_EQ(models[0].tail_s, 0);
  EXPECT_GT(models[0].service_s, kModels[0].service_s + 0.0005);
}

TEST(ReplayTrace, RepeatsADeviceThatIsAsTheModelAssumes) {
  const std::vector<TraceRun> runs{MakeRun("low", kModels, 3000, 1),
                                   MakeRun("high", {{15, 0.018, 0.022, 0.005}, {5, 0.063, 0.019, 0}}, 20000, 2)};
  const auto report = ReplayTrace(runs, 0, 20);
  EXPECT_EQ(report.fitted_run, "low");
  ASSERT_EQ(report.rows.size(), 4);
  EXPECT_TRUE(report.rows[0].fitted);
  EXPECT_FALSE(report.rows[2].fitted);
  EXPECT_LT(*report.trace_driven.mean, 0.001);
  EXPECT_LT(*report.trace_driven.p99, 0.002);
  EXPECT_LT(*report.analytic.mean, 3 * *report.noise_floor.mean + 0.01);
  EXPECT_GT(*report.noise_floor.p99, *report.noise_floor.mean);
}

TEST(ReplayTrace, LeavesOutWhatTheFittedRunDoesNotKnow) {
  auto other = MakeRun("other", kModels, 100, 2);
  other.models[1] = "unknown";
  const auto report = ReplayTrace({MakeRun("first", kModels, 100, 1), other}, 0, 2);
  EXPECT_TRUE(report.rows[2].observed.mean_s.has_value());
  EXPECT_FALSE(report.rows[2].trace_driven.mean_s.has_value());
  EXPECT_FALSE(report.trace_driven.mean.has_value());
}

TEST(ReplayTrace, KnowsNoSteadyStateOfAnOverloadedRun) {
  const auto report = ReplayTrace(
      {MakeRun("low", kModels, 1000, 1), MakeRun("over", {{40, 0.018, 0.022, 0.005}, {10, 0.063, 0.019, 0}}, 1000, 2)},
      0, 2);
  EXPECT_TRUE(report.rows[2].trace_driven.mean_s.has_value());
  EXPECT_FALSE(report.rows[2].analytic.mean_s.has_value());
  EXPECT_FALSE(report.rows[2].paper.mean_s.has_value());
}

TEST(ReplayTrace, TakesASingleRequest) {
  const auto report = ReplayTrace({MakeRun("one", {{1, 0.1, 0, 0}}, 1, 1)}, 0, 2);
  EXPECT_EQ(report.rows.at(0).requests, 1);
  EXPECT_FALSE(report.rows[0].trace_driven.mean_s.has_value());
}

TEST(PaperModel, IsPollaczekKhinchineForOneConstantClass) {
  EXPECT_NEAR(PaperMeans(MakeLoad(Discipline::kFifo, {{10, 0.05}})).at(0), 0.075, 1e-12);
}

TEST(PaperModel, SharingAddsTheSameToEveryClass) {
  // rho 0.7, E[S] = 0.7 / 15: the wait is E[S] rho / (1 - rho) = 49/450 s.
  const auto means = PaperMeans(MakeLoad(Discipline::kTimeShared, {{10, 0.03}, {5, 0.08}}));
  EXPECT_NEAR(means.at(0), 0.03 + 49.0 / 450, 1e-12);
  EXPECT_NEAR(means.at(1), 0.08 + 49.0 / 450, 1e-12);
}

TEST(PaperModel, HasNothingToSayWithoutSteadyState) {
  EXPECT_TRUE(PaperMeans(MakeLoad(Discipline::kFifo, {{30, 0.05}})).empty());
}

TEST(FitTrace, OfOneModelFindsNoSwitch) {
  const auto models = FitTrace(MakeRun("r", {{10, 0.02, 0.5, 0}}, 2000, 3));
  ASSERT_EQ(models.size(), 1);
  EXPECT_EQ(models[0].switch_s, 0);
  EXPECT_NEAR(models[0].service_s, 0.02, 1e-9);
}

TEST(FitTrace, OrderOfTheRecordsDoesNotMatter) {
  auto run = MakeRun("r", kModels, 500, 4);
  const auto models = FitTrace(run);
  std::reverse(run.requests.begin(), run.requests.end());
  const auto reversed = FitTrace(run);
  for (size_t m = 0; m < models.size(); ++m) {
    EXPECT_NEAR(reversed[m].service_s, models[m].service_s, 1e-12);
    EXPECT_NEAR(reversed[m].tail_s, models[m].tail_s, 1e-12);
  }
}

TEST(FitTrace, LeavesOutModelsWithoutARequest) {
  auto run = MakeRun("r", kModels, 500, 4);
  run.models.push_back("silent");
  run.nominal_rps.push_back(1);
  EXPECT_EQ(FitTrace(run).size(), 2);
}

TEST(ReplayTrace, ObservesEveryRequest) {
  const auto run = MakeRun("r", kModels, 700, 5);
  const auto report = ReplayTrace({run}, 0, 2);
  EXPECT_EQ(report.rows.at(0).requests + report.rows.at(1).requests, 700);
  double sum = 0;
  for (const auto& request : run.requests)
    sum += request.model == 0 ? request.end_s - request.start_s : 0;
  EXPECT_NEAR(*report.rows[0].observed.mean_s, sum / static_cast<double>(report.rows[0].requests), 1e-12);
}

TEST(ReplayTrace, HasNoErrorsOfTheFittedRunAlone) {
  const auto report = ReplayTrace({MakeRun("r", kModels, 700, 5)}, 0, 2);
  EXPECT_FALSE(report.trace_driven.mean.has_value());
  EXPECT_FALSE(report.noise_floor.p99.has_value());
}

} // namespace
} // namespace avocet
