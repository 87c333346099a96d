#include "controller/queueing/latency_model.h"

#include <algorithm>
#include <optional>

#include "controller/queueing/fifo_model.h"
#include "controller/queueing/micro_simulation.h"
#include "controller/queueing/multi_server_model.h"
#include "controller/queueing/processor_sharing_model.h"
#include "controller/queueing/service_classes.h"
#include "controller/queueing/time_shared_model.h"
#include "messages/invariant.h"

namespace avocet {
namespace {

/// A limit so near, as a factor, is for a simulation: the worst errors of kTimeShared on random mixes (bench/models).
constexpr double kRoughMean = 1.4;
constexpr double kRoughPercentile = 2;
/// Fewer requests of an application say nothing about a p99.
constexpr size_t kLeastSample = 200;

bool SeveralModels(const DeviceLoad& load) {
  return std::any_of(load.apps.begin(), load.apps.end(),
                     [&](const AppLoad& app) { return app.model != load.apps.front().model; });
}

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
    // The FIFO model is kept: its percentiles cost an inversion each, and are computed only when asked for.
    response.exact = std::make_shared<const FifoModel>(load);
    for (size_t i = 0; i < apps; ++i)
      response.apps.push_back({response.exact->Mean(i), {}});
    return;
  case Discipline::kTimeShared:
    response.apps = Answer(TimeSharedModel(load), apps);
    // With one model the answer is that of the FIFO model; coupled queues have only an approximation.
    response.rough = SeveralModels(load);
    return;
  case Discipline::kProcessorSharing:
    response.apps = Answer(ProcessorSharingModel(load), apps);
    return;
  case Discipline::kMultiServer:
    response.apps = Answer(MultiServerModel(load), apps);
    return;
  }
}

/// Whether two applications of a kFifo device have the same response time: it depends on nothing else of their own.
bool RespondAlike(const AppLoad& a, const AppLoad& b) {
  const bool same_service = a.service.mean_s == b.service.mean_s && a.service.scv == b.service.scv &&
                            a.service.parts.empty() && b.service.parts.empty();
  return same_service && a.switch_s == b.switch_s && a.tail_s == b.tail_s && a.model == b.model;
}

/// By application: the first one that responds like it, where a percentile costs an inversion; else itself.
std::vector<size_t> Representatives(const DeviceLoad& load, const DeviceResponse& response) {
  std::vector<size_t> representatives, distinct;
  for (size_t i = 0; i < response.apps.size(); ++i) {
    const auto alike = std::find_if(distinct.begin(), distinct.end(),
                                    [&](size_t one) { return RespondAlike(load.apps[one], load.apps[i]); });
    representatives.push_back(alike == distinct.end() ? i : *alike);
    if (response.exact && alike == distinct.end()) distinct.push_back(i);
  }
  return representatives;
}

/// What the exact moments say of P(response <= limit) >= p; nullopt where they do not tell.
std::optional<bool> MeetsByBound(const FifoModel& model, const ResponseLimit& limit, double p) {
  if (!model.IsExact()) return std::nullopt;
  const auto survival = model.SurvivalBounds(limit.app, limit.limit_s);
  if (survival.most <= 1 - p) return true;
  if (survival.least > 1 - p) return false;
  return std::nullopt;
}

/// Goals that only the inversion can decide: side by side, which is cheaper than one after the other.
class UndecidedGoals {
public:
  void Add(size_t app, const ResponseGoal& goal) {
    limits_.push_back({app, goal.limit_s});
    needed_.push_back(ProbabilityOf(goal.statistic));
  }
  const ShortList<ResponseLimit>& limits() const { return limits_; }

  /// 1 where the limit is met.
  ShortList<char> Decide(const DeviceResponse& response) const {
    ShortList<double> within(limits_.size());
    if (!limits_.empty()) response.Within({limits_.data(), limits_.size()}, {within.data(), within.size()});
    ShortList<char> met;
    for (size_t n = 0; n < within.size(); ++n)
      met.push_back(within[n] >= needed_[n] ? 1 : 0);
    return met;
  }

private:
  ShortList<ResponseLimit> limits_;
  ShortList<double> needed_;
};

/// As in FifoClass::mean_s, of all classes, without building them.
double FifoLoad(const DeviceLoad& load) {
  const auto groups = GroupByModel(load);
  // Without the moments of FifoClassesOf: the utilization is asked for more often than the model is solved.
  ShortList<double> rates(groups.count, 0.0);
  double total = 0;
  for (size_t i = 0; i < load.apps.size(); ++i) {
    rates[groups.group_of[i]] += load.apps[i].rate_rps;
    total += load.apps[i].rate_rps;
  }

  // docs/models/fifo.md, eq. (F1) and (F2), by application.
  double sum = 0;
  for (size_t i = 0; i < load.apps.size(); ++i) {
    const auto& app = load.apps[i];
    const double switches = groups.count > 1 ? 1 - rates[groups.group_of[i]] / total : 0;
    sum += app.rate_rps * (app.service.mean_s + switches * app.switch_s);
  }

  return sum;
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
  AVOCET_CHECK(statistic != Statistic::kMean);
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
  if (statistic == Statistic::kMean) return simulated ? simulated->Mean(app) : apps[app].mean_s;
  const double p = ProbabilityOf(statistic);
  if (simulated) return simulated->Quantile(app, p);
  return exact ? exact->Quantile(app, p) : apps[app].distribution.Quantile(p);
}

/// Whether the goal is met, where the answer costs little; nullopt where only the inversion can tell.
std::optional<bool> DeviceResponse::MeetsCheaply(size_t app, const ResponseGoal& goal) const {
  if (goal.statistic == Statistic::kMean) return At(app, goal.statistic) <= goal.limit_s;
  const double p = ProbabilityOf(goal.statistic);
  if (exact && !simulated) return MeetsByBound(*exact, {app, goal.limit_s}, p);
  return Within(app, goal.limit_s) >= p;
}

bool DeviceResponse::Meets(size_t app, Statistic statistic, double limit_s) const {
  if (const auto meets = MeetsCheaply(app, {statistic, limit_s})) return *meets;
  return Within(app, limit_s) >= ProbabilityOf(statistic);
}

bool DeviceResponse::MeetsAll(const ResponseGoals& goals) const {
  if (!stable) return false;
  AVOCET_CHECK(goals.size() == apps.size());

  UndecidedGoals undecided;
  // The cheap answers first: one goal that is missed saves the inversions of all others.
  for (size_t i = 0; i < goals.size(); ++i) {
    const auto meets = goals[i] ? MeetsCheaply(i, *goals[i]) : true;
    if (meets == false) return false;
    if (!meets) undecided.Add(i, *goals[i]);
  }

  // The rest in one call: inversions that are computed side by side share their nodes.
  const auto met = undecided.Decide(*this);
  return std::find(met.begin(), met.end(), 0) == met.end();
}

std::vector<char> DeviceResponse::MeetsEach(const ResponseGoals& goals) const {
  std::vector<char> meets_each(goals.size(), 0);
  if (!stable) return meets_each;

  UndecidedGoals undecided;
  for (size_t i = 0; i < goals.size(); ++i) {
    const auto meets = goals[i] ? MeetsCheaply(i, *goals[i]) : true;
    meets_each[i] = meets.value_or(false) ? 1 : 0;
    if (!meets) undecided.Add(i, *goals[i]);
  }

  const auto met = undecided.Decide(*this);
  for (size_t n = 0; n < met.size(); ++n)
    meets_each[undecided.limits()[n].app] = met[n];
  return meets_each;
}

double DeviceResponse::Within(size_t app, double limit_s) const {
  if (simulated) return simulated->Cdf(app, limit_s);
  return exact ? exact->Cdf(app, limit_s) : apps[app].distribution.Cdf(limit_s);
}

void DeviceResponse::Within(std::span<const ResponseLimit> limits, std::span<double> probabilities) const {
  if (exact && !simulated) return exact->Cdf(limits, probabilities);
  for (size_t n = 0; n < limits.size(); ++n)
    probabilities[n] = Within(limits[n].app, limits[n].limit_s);
}

bool DeviceResponse::IsUnsure(size_t app, Statistic statistic, double limit_s) const {
  if (!rough || simulated) return false;
  const double band = statistic == Statistic::kMean ? kRoughMean : kRoughPercentile;
  return Meets(app, statistic, limit_s * band) && !Meets(app, statistic, limit_s / band);
}

double Utilization(const DeviceLoad& load) {
  switch (load.discipline) {
  case Discipline::kFifo:
    return FifoLoad(load);
  case Discipline::kTimeShared:
  case Discipline::kProcessorSharing:
    return PlainLoad(load);
  case Discipline::kMultiServer:
    return PlainLoad(load) / std::max(load.cores, 1);
  }
  return 0;
}

DeviceResponse Solve(const DeviceLoad& load) {
  DeviceResponse response{.stable = false,
                          .utilization = Utilization(load),
                          .apps = {},
                          .exact = nullptr,
                          .rough = false,
                          .simulated = nullptr};
  response.stable = response.utilization < kStableUtilization;
  if (response.stable && !load.apps.empty()) AnswerBy(load, response);
  return response;
}

void Refine(const DeviceLoad& load, DeviceResponse& response, int requests) {
  if (!response.stable || !response.rough) return;
  DeviceLoad promised = load;
  for (auto& app : promised.apps) // as in the formulas: phases that happen to fit together are no promise
    app.arrival_scv = std::max(app.arrival_scv, 1.0);
  auto sample = Simulate(promised, {.requests = requests});
  for (size_t i = 0; i < load.apps.size(); ++i) {
    if (sample.Count(i) < kLeastSample) return; // too rare to be seen: the approximation knows more
  }
  response.simulated = std::make_shared<const ResponseSample>(std::move(sample));
}

DevicePrediction PredictionOf(const DeviceLoad& load, const DeviceResponse& response) {
  DevicePrediction prediction{response.stable, response.utilization, {}};
  const auto representatives = Representatives(load, response);
  for (size_t i = 0; i < response.apps.size(); ++i) {
    if (const size_t known = representatives[i]; known < i) {
      prediction.apps.push_back(prediction.apps[known]);
      prediction.apps.back().app = load.apps[i].app;
      continue;
    }
    prediction.apps.push_back({load.apps[i].app, response.At(i, Statistic::kMean), response.At(i, Statistic::kP50),
                               response.At(i, Statistic::kP95), response.At(i, Statistic::kP99)});
  }
  return prediction;
}

DevicePrediction Predict(const DeviceLoad& load) {
  return PredictionOf(load, Solve(load));
}

} // namespace avocet
