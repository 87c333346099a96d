// Properties over random loads. rapidcheck prints the seed of a failure; RC_PARAMS="seed=..." repeats it.
#include <algorithm>
#include <cmath>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "controller/queueing/fifo_model.h"
#include "tests/controller/queueing/any_load.h"

namespace avocet {
namespace {

RC_GTEST_PROP(LatencyProperties, EveryNumberIsFiniteAndInOrder, ()) {
  const auto load = AnyLoad(AnyDiscipline(), {.switches = true});
  const auto prediction = Predict(load);
  RC_ASSERT(prediction.stable);
  for (size_t i = 0; i < load.apps.size(); ++i) {
    const auto& p = prediction.apps[i];
    RC_ASSERT(std::isfinite(p.p99_s));
    RC_ASSERT(p.mean_s >= load.apps[i].service.mean_s * (1 - 1e-12));
    RC_ASSERT(p.p50_s <= p.p95_s * (1 + 1e-9));
    RC_ASSERT(p.p95_s <= p.p99_s * (1 + 1e-9));
  }
}

/// Up to 64 models, any time scale, any utilization short of 1; some equal, some without switch.
DeviceLoad AnyExtremeLoad() {
  std::vector<LoadRow> rows;
  const int models = *rc::gen::element(1, 2, 3, 8, 20, 64);
  const bool ties = *rc::gen::arbitrary<bool>();
  for (int i = 0; i < models; ++i) {
    if (ties && i % 2 == 1) {
      rows.push_back(rows.back());
      continue;
    }
    const double switch_s = *rc::gen::element(0.0, 1e-6, 1.0) * Between(1e-3, 100);
    rows.push_back({Between(1e-6, 1e6), Between(1e-6, 100), *rc::gen::element(0.0, 0.0, 0.3, 1.0, 20.0), switch_s});
  }
  auto load = MakeLoad(AnyDiscipline(), rows, *rc::gen::inRange(1, 33));
  const double scale = *rc::gen::element(1e-9, 0.01, 0.5, 0.9, 0.999, 0.999999, 1 - 1e-8) / Utilization(load);
  for (auto& app : load.apps)
    app.rate_rps *= scale;
  return load;
}

RC_GTEST_PROP(LatencyProperties, ExtremeLoadsHaveFiniteAnswers, ()) {
  const auto load = AnyExtremeLoad();
  const auto prediction = Predict(load);
  RC_PRE(prediction.stable);
  for (size_t i = 0; i < load.apps.size(); ++i) {
    const auto& p = prediction.apps[i];
    for (const double value : {p.mean_s, p.p50_s, p.p95_s, p.p99_s})
      RC_ASSERT(std::isfinite(value) && value >= 0);
    RC_ASSERT(p.mean_s >= load.apps[i].service.mean_s * (1 - 1e-9));
    RC_ASSERT(p.p50_s <= p.p99_s * (1 + 1e-6));
  }
}

RC_GTEST_PROP(LatencyProperties, OrderOfApplicationsDoesNotMatter, ()) {
  const auto load = AnyLoad(AnyDiscipline(), {.switches = true});
  auto reversed = load;
  std::reverse(reversed.apps.begin(), reversed.apps.end());
  const auto a = Predict(load), b = Predict(reversed);
  for (size_t i = 0; i < load.apps.size(); ++i) {
    const auto& other = b.apps[load.apps.size() - 1 - i];
    RC_ASSERT(a.apps[i].app == other.app);
    RC_ASSERT(IsClose(a.apps[i].mean_s, other.mean_s, 1e-9));
    RC_ASSERT(IsClose(a.apps[i].p95_s, other.p95_s, 1e-3));
  }
}

RC_GTEST_PROP(LatencyProperties, NamesOfModelsDoNotMatter, ()) {
  const auto load = AnyLoad(AnyDiscipline(), {.switches = true});
  auto renamed = load;
  for (size_t i = 0; i < renamed.apps.size(); ++i) {
    renamed.apps[i].model = MakeModelId("z" + std::to_string(renamed.apps.size() - i), "1");
  }
  const auto a = Predict(load), b = Predict(renamed);
  for (size_t i = 0; i < load.apps.size(); ++i)
    RC_ASSERT(IsClose(a.apps[i].mean_s, b.apps[i].mean_s, 1e-8));
}

RC_GTEST_PROP(LatencyProperties, HalvesOfAnApplicationAreTheWhole, ()) {
  const auto load = AnyLoad(AnyDiscipline(), {.switches = true});
  auto split = load;
  const size_t which = *rc::gen::inRange<size_t>(0, load.apps.size());
  split.apps[which].rate_rps /= 2;
  split.apps.push_back(split.apps[which]);
  split.apps.back().app = AppId("other-half");
  const auto a = Predict(load), b = Predict(split);
  for (size_t i = 0; i < load.apps.size(); ++i) {
    RC_ASSERT(IsClose(a.apps[i].mean_s, b.apps[i].mean_s, 1e-8));
    RC_ASSERT(IsClose(a.apps[i].p95_s, b.apps[i].p95_s, 1e-3));
  }
  RC_ASSERT(IsClose(b.apps[which].mean_s, b.apps.back().mean_s, 1e-12));
}

RC_GTEST_PROP(LatencyProperties, MoreLoadNeverLowersAMeanWhereNothingSwitches, ()) {
  const auto load = AnyLoad(*rc::gen::element(Discipline::kFifo, Discipline::kProcessorSharing), {});
  auto more = load;
  more.apps[*rc::gen::inRange<size_t>(0, load.apps.size())].rate_rps *= 1 + Between(1e-3, 0.5);
  const auto a = Solve(load), b = Solve(more);
  RC_PRE(b.stable);
  for (size_t i = 0; i < load.apps.size(); ++i)
    RC_ASSERT(b.apps[i].mean_s > a.apps[i].mean_s);
}

RC_GTEST_PROP(LatencyProperties, AllRatesUpNeverLowersAPercentile, ()) {
  const auto load = AnyLoad(*rc::gen::element(Discipline::kFifo, Discipline::kProcessorSharing),
                            {.switches = true, .constant = true});
  auto more = load;
  for (auto& app : more.apps)
    app.rate_rps *= 1.02;
  const auto a = Predict(load), b = Predict(more);
  RC_PRE(b.stable);
  for (size_t i = 0; i < load.apps.size(); ++i) {
    RC_ASSERT(b.apps[i].mean_s >= a.apps[i].mean_s * (1 - 1e-9));
    RC_ASSERT(b.apps[i].p95_s >= a.apps[i].p95_s * (1 - 1e-3));
  }
}

RC_GTEST_PROP(LatencyProperties, MoreLoadNeverLowersUtilization, ()) {
  const auto load = AnyLoad(AnyDiscipline(), {.switches = true});
  auto more = load;
  more.apps[*rc::gen::inRange<size_t>(0, load.apps.size())].rate_rps *= 1 + Between(1e-3, 10);
  RC_ASSERT(Utilization(more) >= Utilization(load) * (1 - 1e-12));
}

RC_GTEST_PROP(LatencyProperties, EveryInstructionSetHasTheSameAnswers, ()) {
  // And none of them stops short: a quantile has its probability.
  const auto load = AnyLoad(Discipline::kFifo, {.switches = true});
  const FifoModel baseline(load, Instructions::kBaseline), best(load);
  for (size_t i = 0; i < load.apps.size(); ++i) {
    RC_ASSERT(IsClose(baseline.Mean(i), best.Mean(i), 1e-9));
    const double t = 2 * best.Mean(i);
    RC_ASSERT(std::abs(baseline.Cdf(i, t) - best.Cdf(i, t)) < 1e-6);
  }
}

RC_GTEST_PROP(LatencyProperties, PercentilesOfLittleLoadAreTheService, ()) {
  auto load = AnyLoad(Discipline::kFifo, {.switches = false, .constant = true});
  for (auto& app : load.apps)
    app.rate_rps *= 1e-7;
  const auto prediction = Predict(load);
  for (size_t i = 0; i < load.apps.size(); ++i)
    RC_ASSERT(IsClose(prediction.apps[i].p99_s, load.apps[i].service.mean_s, 1e-4));
}

RC_GTEST_PROP(LatencyProperties, TimeScalesOut, ()) {
  // Twice as slow at half the rate: the same queue on another clock.
  const auto load = AnyLoad(AnyDiscipline(), {.switches = true});
  auto slow = load;
  for (auto& app : slow.apps) {
    app.rate_rps /= 1000;
    app.service.mean_s *= 1000;
    app.switch_s *= 1000;
  }
  const auto a = Predict(load), b = Predict(slow);
  for (size_t i = 0; i < load.apps.size(); ++i) {
    RC_ASSERT(IsClose(1000 * a.apps[i].mean_s, b.apps[i].mean_s, 1e-8));
    RC_ASSERT(IsClose(1000 * a.apps[i].p99_s, b.apps[i].p99_s, 1e-3));
  }
}

} // namespace
} // namespace avocet
