#include "controller/latency_model.h"

#include <algorithm>
#include <cassert>

#include "controller/fifo_model.h"
#include "controller/multi_server_model.h"
#include "controller/processor_sharing_model.h"
#include "controller/service_classes.h"
#include "controller/time_shared_model.h"

namespace avocet {
namespace {

/// The fast percentiles of kFifo decide when they are this far from the limit, as a factor. Where one
/// class is rare and slow they are off by up to two thirds.
constexpr double kSurelyBelow = 0.4;
constexpr double kSurelyAbove = 2.5;

template <class Model> std::vector<AppResponse> Answer(const Model& model, size_t apps) {
  std::vector<AppResponse> answers;
  answers.reserve(apps);
  for (size_t i = 0; i < apps; ++i)
    answers.push_back({model.Mean(i), model.Approximate(i)});
  return answers;
}

void AnswerBy(const DeviceLoad& load, DeviceResponse& response) {
  const size_t apps = load.apps.size();
  switch (load.discipline) {
  case Discipline::kFifo:
    response.exact = std::make_shared<const FifoModel>(load);
    response.apps = Answer(*response.exact, apps);
    return;
  case Discipline::kTimeShared:
    response.apps = Answer(TimeSharedModel(load), apps);
    return;
  case Discipline::kProcessorSharing:
    response.apps = Answer(ProcessorSharingModel(load), apps);
    return;
  case Discipline::kMultiServer:
    response.apps = Answer(MultiServerModel(load), apps);
    return;
  }
}

double PlainLoad(const DeviceLoad& load) {
  double sum = 0;
  for (const auto& app : load.apps)
    sum += app.rate_rps * app.service.mean_s;
  return sum;
}

} // namespace

double ProbabilityOf(Statistic statistic) {
  switch (statistic) {
  case Statistic::kMean:
    break;
  case Statistic::kP50:
    return 0.50;
  case Statistic::kP95:
    return 0.95;
  case Statistic::kP99:
    return 0.99;
  }
  assert(false && "the mean is no percentile");
  return 0;
}

double AppPrediction::at(Statistic statistic) const {
  switch (statistic) {
  case Statistic::kMean:
    return mean_s;
  case Statistic::kP50:
    return p50_s;
  case Statistic::kP95:
    return p95_s;
  case Statistic::kP99:
    return p99_s;
  }
  return mean_s;
}

double DeviceResponse::At(size_t app, Statistic statistic) const {
  if (statistic == Statistic::kMean) return apps[app].mean_s;
  const double p = ProbabilityOf(statistic);
  return exact ? exact->Quantile(app, p) : apps[app].distribution.Quantile(p);
}

bool DeviceResponse::Meets(size_t app, Statistic statistic, double limit_s) const {
  if (statistic == Statistic::kMean) return apps[app].mean_s <= limit_s;
  const double p = ProbabilityOf(statistic);
  const auto& fast = apps[app].distribution;
  if (!exact) return fast.Cdf(limit_s) >= p;
  if (fast.Cdf(kSurelyBelow * limit_s) >= p) return true;
  if (fast.Cdf(kSurelyAbove * limit_s) < p) return false;
  return exact->Cdf(app, limit_s) >= p;
}

double Utilization(const DeviceLoad& load) {
  switch (load.discipline) {
  case Discipline::kFifo:
    return OfferedLoad(FifoClassesOf(load, ClassesOf(load)));
  case Discipline::kTimeShared:
  case Discipline::kProcessorSharing:
    return PlainLoad(load);
  case Discipline::kMultiServer:
    return PlainLoad(load) / std::max(load.cores, 1);
  }
  return 0;
}

DeviceResponse Solve(const DeviceLoad& load) {
  DeviceResponse response{.stable = false, .utilization = Utilization(load), .apps = {}, .exact = nullptr};
  response.stable = response.utilization < kStableUtilization;
  if (response.stable && !load.apps.empty()) AnswerBy(load, response);
  return response;
}

DevicePrediction Predict(const DeviceLoad& load) {
  const DeviceResponse response = Solve(load);
  DevicePrediction prediction{response.stable, response.utilization, {}};
  for (size_t i = 0; i < response.apps.size(); ++i) {
    prediction.apps.push_back({load.apps[i].app, response.At(i, Statistic::kMean), response.At(i, Statistic::kP50),
                               response.At(i, Statistic::kP95), response.At(i, Statistic::kP99)});
  }
  return prediction;
}

} // namespace avocet
