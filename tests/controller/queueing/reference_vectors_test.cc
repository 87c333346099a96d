// Predictions against the reference vectors; each test prints the errors that docs/MODELS.md quotes.
#include "tests/controller/queueing/reference_vectors.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include <gtest/gtest.h>

#include "controller/queueing/fifo_model.h"
#include "controller/queueing/multi_server_model.h"
#include "controller/queueing/paper_model.h"

namespace avocet {
namespace {

/// Relative errors of one number over many cases.
class Errors {
public:
  void Add(double predicted, double expected, const std::string& id) {
    const double error = std::abs(predicted / expected - 1);
    sum_ += error;
    ++count_;
    if (error >= worst_) worst_ = error, worst_id_ = id;
  }
  void Add(double predicted, const std::optional<double>& expected, const std::string& id) {
    if (expected) Add(predicted, *expected, id);
  }
  double mean() const { return count_ == 0 ? 0 : sum_ / count_; }
  double worst() const { return worst_; }
  int count() const { return count_; }
  void Print(const char* what) const {
    std::printf("[ errors ] %-34s n=%-3d mean %.4f %%  worst %.4f %% (%s)\n", what, count_, 100 * mean(), 100 * worst_,
                worst_id_.c_str());
  }

private:
  double sum_ = 0, worst_ = 0;
  int count_ = 0;
  std::string worst_id_;
};

struct Errors4 {
  Errors mean, p50, p95, p99;

  void Add(const AppPrediction& p, const ReferenceRow& row, const std::string& id) {
    mean.Add(p.mean_s, row.mean_s, id);
    p50.Add(p.p50_s, row.p50_s, id);
    p95.Add(p.p95_s, row.p95_s, id);
    p99.Add(p.p99_s, row.p99_s, id);
  }
  void Print(const std::string& what) const {
    mean.Print((what + " mean").c_str());
    p50.Print((what + " p50").c_str());
    p95.Print((what + " p95").c_str());
    p99.Print((what + " p99").c_str());
  }
};

/// Errors of Predict over the cases with rho in (above, up_to].
Errors4 PredictionErrors(const std::string& model, double above, double up_to, int simulated_requests = 0) {
  Errors4 errors;
  for (const auto& one : ReferenceCases(model)) {
    if (!one.stable || one.rho <= above || one.rho > up_to) continue;
    auto response = Solve(one.load);
    if (simulated_requests > 0) Refine(one.load, response, simulated_requests);
    const auto prediction = PredictionOf(one.load, response);
    EXPECT_TRUE(prediction.stable) << one.id;
    EXPECT_NEAR(prediction.utilization, one.rho, 1e-5) << one.id;
    for (size_t i = 0; i < one.rows.size(); ++i)
      errors.Add(prediction.apps.at(i), one.rows[i], one.id);
  }
  return errors;
}

TEST(ReferenceVectors, FifoIsExact) {
  const auto errors = PredictionErrors("fcfs_switch", 0, 1);
  errors.Print("fifo");
  EXPECT_EQ(errors.mean.count(), 78);
  EXPECT_LT(errors.mean.worst(), 1e-6);
  EXPECT_LT(errors.p50.worst(), 1e-4);
  EXPECT_LT(errors.p95.worst(), 1e-4);
  EXPECT_LT(errors.p99.worst(), 1e-4);
}

TEST(ReferenceVectors, FifoWithoutSteadyStateIsUnstable) {
  int unstable = 0;
  for (const auto& one : ReferenceCases("fcfs_switch")) {
    if (one.stable) continue;
    ++unstable;
    const auto prediction = Predict(one.load);
    EXPECT_FALSE(prediction.stable) << one.id;
    EXPECT_TRUE(prediction.apps.empty()) << one.id;
  }
  EXPECT_EQ(unstable, 1);
}

TEST(ReferenceVectors, FifoFastPercentiles) {
  Errors4 errors;
  for (const auto& one : ReferenceCases("fcfs_switch")) {
    if (!one.stable) continue;
    const FifoModel model(one.load);
    for (size_t i = 0; i < one.rows.size(); ++i) {
      const auto fast = model.Approximate(i);
      errors.Add({{}, fast.Mean(), fast.Quantile(0.5), fast.Quantile(0.95), fast.Quantile(0.99)}, one.rows[i], one.id);
    }
  }
  errors.Print("fifo, fast");
  EXPECT_LT(errors.mean.worst(), 1e-6);
  EXPECT_LT(errors.p95.mean(), 0.02);
}

TEST(ReferenceVectors, ProcessorSharing) {
  const auto errors = PredictionErrors("mg1_ps", 0, 0.85), high = PredictionErrors("mg1_ps", 0.85, 1);
  errors.Print("processor_sharing, rho <= 0.8");
  high.Print("processor_sharing, rho 0.9");
  EXPECT_LT(std::max(errors.mean.worst(), high.mean.worst()), 1e-8);
  EXPECT_LT(errors.p95.worst(), 0.01);
  EXPECT_LT(errors.p99.worst(), 0.015);
  EXPECT_LT(high.p95.worst(), 0.01);
  EXPECT_LT(high.p99.worst(), 0.015);
}

TEST(ReferenceVectors, TimeShared) {
  const auto errors = PredictionErrors("hybrid_ps", 0, 0.85), high = PredictionErrors("hybrid_ps", 0.85, 1);
  errors.Print("time_shared, rho <= 0.8");
  high.Print("time_shared, rho 0.9");
  EXPECT_LT(errors.mean.mean(), 0.02);
  EXPECT_LT(errors.mean.worst(), 0.12);
  EXPECT_LT(high.mean.mean(), 0.03);
  EXPECT_LT(errors.p95.mean(), 0.08);
  EXPECT_LT(errors.p99.mean(), 0.10);
}

TEST(ReferenceVectors, TimeSharedBySimulation) {
  const auto errors = PredictionErrors("hybrid_ps", 0, 0.85, 400000);
  const auto high = PredictionErrors("hybrid_ps", 0.85, 1, 400000);
  errors.Print("time_shared, simulated, rho <= 0.8");
  high.Print("time_shared, simulated, rho 0.9");
  EXPECT_LT(errors.mean.mean(), 0.01);
  EXPECT_LT(errors.p95.worst(), 0.04);
  EXPECT_LT(errors.p95.mean(), 0.015);
  EXPECT_LT(high.p95.worst(), 0.10);
}

TEST(ReferenceVectors, MultiServerExponential) {
  const auto errors = PredictionErrors("mmc_fcfs", 0, 1);
  errors.Print("multi_server, exponential");
  EXPECT_EQ(errors.mean.count(), 4);
  for (const auto* one : {&errors.mean, &errors.p50, &errors.p95, &errors.p99})
    EXPECT_LT(one->worst(), 1e-7);
}

TEST(ReferenceVectors, MultiServerGeneral) {
  const auto errors = PredictionErrors("mgc_fcfs", 0, 1);
  errors.Print("multi_server, general");
  EXPECT_LT(errors.mean.worst(), 0.01);
  EXPECT_LT(errors.p95.worst(), 0.07);
  EXPECT_LT(errors.p99.worst(), 0.07);
}

TEST(ReferenceVectors, MultiServerSharingMean) {
  Errors errors;
  for (const auto& one : ReferenceCases("mgc_ps")) {
    double offered = 0;
    for (const auto& app : one.load.apps)
      offered += app.rate_rps * app.service.mean_s;
    const double factor = MultiServerSharingFactor(one.load.cores, offered);
    for (size_t i = 0; i < one.rows.size(); ++i) {
      errors.Add(one.load.apps[i].service.mean_s * factor, one.rows[i].mean_s, one.id);
    }
  }
  errors.Print("processor sharing on c cores, mean");
  EXPECT_GT(errors.count(), 0);
  EXPECT_LT(errors.worst(), 1e-8);
}

TEST(ReferenceVectors, PaperFormulasAreTheBaselineTheyClaimToBe) {
  int compared = 0;
  for (const char* model : {"fcfs_switch", "mg1_ps", "hybrid_ps"}) {
    Errors reproduced, truth;
    for (const auto& one : ReferenceCases(model)) {
      if (one.paper_mean_s.empty() || !one.stable) continue;
      const auto means = PaperMeans(one.load);
      ASSERT_EQ(means.size(), one.paper_mean_s.size()) << one.id;
      for (size_t i = 0; i < means.size(); ++i) {
        reproduced.Add(means[i], one.paper_mean_s[i], one.id);
        truth.Add(means[i], one.rows[i].mean_s, one.id);
      }
    }
    truth.Print((std::string("paper's formula, ") + model + " mean").c_str());
    EXPECT_LT(reproduced.worst(), 1e-6) << model;
    compared += reproduced.count();
  }
  EXPECT_GT(compared, 150);
}

} // namespace
} // namespace avocet
