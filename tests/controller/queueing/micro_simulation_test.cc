#include "controller/queueing/micro_simulation.h"

#include <cmath>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "tests/controller/queueing/any_load.h"

namespace avocet {
namespace {

/// Of one application.
ResponseSample SampleOf(std::vector<double> responses) {
  return ResponseSample(std::vector<std::vector<double>>{std::move(responses)});
}

TEST(ResponseSample, MeanIsThatOfTheApplication) {
  const ResponseSample sample(std::vector<std::vector<double>>{{1, 2, 6}, {10}});
  EXPECT_EQ(sample.Mean(0), 3);
  EXPECT_EQ(sample.Mean(1), 10);
  EXPECT_EQ(sample.Count(0), 3);
}

TEST(ResponseSample, QuantileIsTheSmallestResponseWithTheShare) {
  const auto sample = SampleOf({4, 1, 3, 2}); // in any order
  EXPECT_EQ(sample.Quantile(0, 0), 1);
  EXPECT_EQ(sample.Quantile(0, 0.25), 1);
  EXPECT_EQ(sample.Quantile(0, 0.26), 2);
  EXPECT_EQ(sample.Quantile(0, 0.75), 3);
  EXPECT_EQ(sample.Quantile(0, 1), 4);
}

TEST(ResponseSample, CdfIsTheShareUpToTheLimit) {
  const auto sample = SampleOf({1, 2, 3, 4});
  EXPECT_EQ(sample.Cdf(0, 0.99), 0);
  EXPECT_EQ(sample.Cdf(0, 2), 0.5);
  EXPECT_EQ(sample.Cdf(0, 4), 1);
}

TEST(ResponseSample, CdfForgivesRounding) {
  const auto sample = SampleOf({0.1 + 0.2});
  EXPECT_EQ(sample.Cdf(0, 0.3), 1);
  EXPECT_EQ(sample.Cdf(0, 0.3 * (1 - 1e-8)), 0);
}

TEST(ResponseSample, WithoutRequestsIsZero) {
  const auto sample = SampleOf({});
  EXPECT_EQ(sample.Mean(0), 0);
  EXPECT_EQ(sample.Quantile(0, 0.95), 0);
  EXPECT_EQ(sample.Cdf(0, 1), 0);
}

TEST(Simulate, CountsAsManyRequestsAsAsked) {
  for (const int requests : {1, 9, 10, 1000}) {
    for (const auto discipline : {Discipline::kFifo, Discipline::kMultiServer}) {
      const auto sample = Simulate(MakeLoad(discipline, {{10, 0.03}, {20, 0.02}}), {.requests = requests});
      EXPECT_EQ(sample.Count(0) + sample.Count(1), static_cast<size_t>(requests)) << ToString(discipline);
    }
  }
}

TEST(Simulate, SharingCountsThoseThatEndBeforeTheSameArrivalToo) {
  for (const auto discipline : {Discipline::kTimeShared, Discipline::kProcessorSharing}) {
    const auto sample = Simulate(MakeLoad(discipline, {{10, 0.03}, {20, 0.02}}), {.requests = 1000});
    EXPECT_GE(sample.Count(0) + sample.Count(1), 1000) << ToString(discipline);
    EXPECT_LE(sample.Count(0) + sample.Count(1), 1030) << ToString(discipline);
  }
}

TEST(Simulate, SharesRequestsByRate) {
  const auto sample = Simulate(MakeLoad(Discipline::kFifo, {{1, 0.01}, {9, 0.01}}), {.requests = 100000});
  EXPECT_NEAR(static_cast<double>(sample.Count(0)) / 100000, 0.1, 0.005);
}

TEST(Simulate, IsAFunctionOfSeedAndLoad) {
  for (const auto discipline :
       {Discipline::kFifo, Discipline::kTimeShared, Discipline::kProcessorSharing, Discipline::kMultiServer}) {
    const auto load = MakeLoad(discipline, {{10, 0.03, 1}, {20, 0.02}}, 2);
    const auto mean = [&](uint64_t seed) { return Simulate(load, {.seed = seed, .requests = 2000}).Mean(0); };
    EXPECT_EQ(mean(1), mean(1)) << ToString(discipline);
    EXPECT_NE(mean(1), mean(2)) << ToString(discipline);
  }
}

TEST(SimulateFifo, HasThePollaczekKhinchineMean) {
  for (const double scv : {0.0, 0.5, 1.0, 3.0}) {
    const auto sample = Simulate(MakeLoad(Discipline::kFifo, {{7, 0.1, scv}}), {.seed = 2, .requests = 500000});
    EXPECT_NEAR(sample.Mean(0) / (0.1 + 0.07 * (1 + scv) / 2 / 0.3), 1, 0.03) << scv;
  }
}

TEST(SimulateFifo, PaysTheSwitchWhereTheModelChanges) {
  // Next to no waiting: half of the requests follow one of the other model.
  const auto sample =
      Simulate(MakeLoad(Discipline::kFifo, {{0.001, 0.1, 0, 0.4}, {0.001, 0.1, 0, 0.2}}), {.requests = 100000});
  EXPECT_NEAR(sample.Mean(0), 0.3, 0.004);
  EXPECT_NEAR(sample.Mean(1), 0.2, 0.002);
}

TEST(SimulateFifo, AddsTheTailToTheResponseAlone) {
  auto load = MakeLoad(Discipline::kFifo, {{7, 0.1}, {1, 0.1}});
  const auto without = Simulate(load, {.requests = 20000});
  load.apps[0].tail_s = 0.5;
  const auto with = Simulate(load, {.requests = 20000});
  EXPECT_NEAR(with.Mean(0), without.Mean(0) + 0.5, 1e-9);
  EXPECT_EQ(with.Mean(1), without.Mean(1));
}

TEST(SimulateProcessorSharing, IsInsensitiveToTheDistribution) {
  for (const double scv : {0.0, 1.0, 4.0}) {
    const auto load = MakeLoad(Discipline::kProcessorSharing, {{10, 0.03, scv}, {5, 0.06}});
    const auto sample = Simulate(load, {.seed = 6, .requests = 500000});
    EXPECT_NEAR(sample.Mean(0) / (0.03 / 0.4), 1, 0.03) << scv;
    EXPECT_NEAR(sample.Mean(1) / (0.06 / 0.4), 1, 0.03) << scv;
  }
}

TEST(SimulateTimeShared, OfOneModelIsTheFifoQueue) {
  const std::vector<LoadRow> rows = {{7, 0.05, 1, 0, "m"}, {7, 0.04, 0, 0, "m"}};
  const auto shared = Simulate(MakeLoad(Discipline::kTimeShared, rows), {.requests = 20000});
  const auto fifo = Simulate(MakeLoad(Discipline::kFifo, rows), {.requests = 20000});
  for (size_t app = 0; app < 2; ++app)
    EXPECT_NEAR(shared.Mean(app) / fifo.Mean(app), 1, 1e-3) << app; // the last requests differ: order of the ends
}

TEST(SimulateMultiServer, HasTheMeanOfMm2) {
  const auto load = MakeLoad(Discipline::kMultiServer, {{8, 0.2, 1}}, 2);
  double sum = 0;
  for (uint64_t seed = 1; seed <= 8; ++seed)
    sum += Simulate(load, {.seed = seed, .requests = 200000}).Mean(0) / 8;
  EXPECT_NEAR(sum / (0.2 / (1 - 0.64)), 1, 0.02);
}

TEST(SimulateMultiServer, SharedCoresAreInsensitive) {
  // M/G/2 processor sharing has the mean of M/M/2, whatever the distribution.
  const auto load = MakeLoad(Discipline::kMultiServer, {{8, 0.2}}, 2);
  EXPECT_NEAR(Simulate(load, {.requests = 500000, .shared_cores = true}).Mean(0) / (0.2 / (1 - 0.64)), 1, 0.02);
}

TEST(SimulateMultiServer, OfOneCoreIsTheFifoQueue) {
  const std::vector<LoadRow> rows = {{7, 0.05, 1}, {7, 0.04}};
  EXPECT_EQ(Simulate(MakeLoad(Discipline::kMultiServer, rows, 1), {.requests = 5000}).Mean(0),
            Simulate(MakeLoad(Discipline::kFifo, rows), {.requests = 5000}).Mean(0));
}

RC_GTEST_PROP(SimulateProperties, NoRequestOfConstantServiceIsFasterThanAlone, ()) {
  const auto load = AnyLoad(AnyDiscipline(), {.switches = true, .constant = true});
  const auto sample = Simulate(load, {.requests = 500});
  for (size_t i = 0; i < load.apps.size(); ++i) {
    if (sample.Count(i) > 0) RC_ASSERT(sample.Quantile(i, 0) >= load.apps[i].service.mean_s * (1 - 1e-6));
  }
}

RC_GTEST_PROP(SimulateProperties, TimeScalesOut, ()) {
  const auto load = AnyLoad(AnyDiscipline(), {.switches = true});
  auto slow = load;
  ScaleRates(slow, 1 / 64.0);
  for (auto& app : slow.apps) {
    app.service.mean_s *= 64;
    app.switch_s *= 64;
  }
  const auto a = Simulate(load, {.requests = 300}), b = Simulate(slow, {.requests = 300});
  for (size_t i = 0; i < load.apps.size(); ++i)
    RC_ASSERT(IsClose(64 * a.Mean(i), b.Mean(i), 1e-6));
}

RC_GTEST_PROP(SimulateProperties, ProcessorSharingOnManyCoresDelaysNobody, ()) {
  auto load = AnyLoad(Discipline::kMultiServer, {.constant = true});
  load.cores = 10000;
  const auto sample = Simulate(load, {.requests = 200, .shared_cores = *rc::gen::arbitrary<bool>()});
  for (size_t i = 0; i < load.apps.size(); ++i) {
    if (sample.Count(i) > 0) RC_ASSERT(IsClose(sample.Quantile(i, 1), load.apps[i].service.mean_s, 1e-6));
  }
}

} // namespace
} // namespace avocet
