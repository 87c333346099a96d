#include "controller/planning/trace_replay.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "controller/queueing/estimator.h"
#include "controller/queueing/micro_simulation.h"
#include "controller/queueing/paper_model.h"

namespace avocet {
namespace {

/// Service times that vary less count as constant: their distribution has no density to invert.
constexpr double kConstantScv = 0.01;
constexpr double kLeastService = 1e-9; // seconds; the models want positive ones
constexpr int kTailRounds = 5;
/// One window, so that nothing is forgotten.
constexpr double kNoForgetting = 1e12;

std::vector<TraceRequest> Sorted(const TraceRun& run, double TraceRequest::*key) {
  auto requests = run.requests;
  std::stable_sort(requests.begin(), requests.end(),
                   [key](const TraceRequest& a, const TraceRequest& b) { return a.*key < b.*key; });
  return requests;
}

/// How long each request kept the device, in order of completion.
struct Served {
  size_t model = 0;
  double service_s = 0;
  bool switched = false;
  bool queued = false; ///< the device was busy when it came
};

std::vector<Served> ServedOf(const TraceRun& run, const std::vector<double>& tails) {
  std::vector<Served> served;
  const auto requests = Sorted(run, &TraceRequest::end_s);
  for (size_t n = 1; n < requests.size(); ++n) { // what went before the first is unknown
    const auto &before = requests[n - 1], &now = requests[n];
    const double free_at = before.end_s - tails[before.model];
    const double end = now.end_s - tails[now.model];
    served.push_back({.model = now.model,
                      .service_s = std::max(end - std::max(free_at, now.start_s), 0.0),
                      .switched = before.model != now.model,
                      .queued = free_at > now.start_s});
  }
  return served;
}

/// How much longer, by model, requests of their own kind's line take on an idle device than on a busy one.
std::vector<double> IdleExcess(const TraceRun& run, const std::vector<double>& tails) {
  std::vector<Moments> idle(run.models.size()), queued(run.models.size());
  for (const auto& one : ServedOf(run, tails)) {
    if (!one.switched) (one.queued ? queued : idle)[one.model].Add(one.service_s);
  }
  std::vector<double> excess;
  for (size_t m = 0; m < run.models.size(); ++m) {
    const bool known = idle[m].count > 0 && queued[m].count > 0;
    excess.push_back(known ? idle[m].mean() - queued[m].mean() : 0);
  }
  return excess;
}

/// The tails that leave no excess. Repeated, as they decide which requests found the device idle.
std::vector<double> TailsOf(const TraceRun& run) {
  std::vector<double> tails(run.models.size(), 0);
  for (int round = 0; round < kTailRounds; ++round) {
    const auto excess = IdleExcess(run, tails);
    for (size_t m = 0; m < tails.size(); ++m)
      tails[m] = std::max(tails[m] + excess[m], 0.0);
  }
  return tails;
}

DeviceFit FitOf(const TraceRun& run, const std::vector<double>& tails) {
  // The run is one long window of a device: the estimator fits it as it would fit live measurements.
  const DeviceId device = MakeDeviceId(NodeId("trace"), "fifo");
  MeasurementWindow window;
  window.device = device;
  window.sequence = 1;
  const double length = run.requests.empty() ? 1 : Sorted(run, &TraceRequest::end_s).back().end_s;
  window.length = FromSeconds(std::max(length, 1e-3));

  // Every model is an application of its own, so that their rates and times stay apart.
  for (const auto& name : run.models) {
    AppWindow app;
    app.app = AppId(name);
    app.model = MakeModelId(name, "1");
    window.apps.push_back(std::move(app));
  }

  // Arrivals count all requests; service times come only from those whose start is known.
  for (const auto& request : run.requests)
    ++window.apps[request.model].arrivals;
  for (const auto& one : ServedOf(run, tails))
    (one.switched ? window.apps[one.model].switched_service : window.apps[one.model].service).Add(one.service_s);

  // One window only: there is nothing older to forget.
  DeviceEstimator estimator(device, {.half_life_windows = kNoForgetting});
  estimator.Observe(window);
  return estimator.fit();
}

const TraceModel* Find(const std::vector<TraceModel>& models, const std::string& name) {
  const auto it = std::find_if(models.begin(), models.end(), [&](const TraceModel& m) { return m.name == name; });
  return it == models.end() ? nullptr : &*it;
}

/// The fitted models in the run's order; empty when one is unknown.
std::vector<TraceModel> ModelsOf(const TraceRun& run, const std::vector<TraceModel>& fitted) {
  std::vector<TraceModel> models;
  for (const auto& name : run.models) {
    const TraceModel* model = Find(fitted, name);
    if (model == nullptr) return {};
    models.push_back(*model);
  }
  return models;
}

DeviceLoad LoadOf(const TraceRun& run, const std::vector<TraceModel>& models) {
  DeviceLoad load{.discipline = Discipline::kFifo, .cores = 1, .apps = {}};
  for (size_t m = 0; m < models.size(); ++m) {
    const double scv = models[m].service_scv < kConstantScv ? 0 : models[m].service_scv;
    load.apps.push_back({.app = AppId(models[m].name),
                         .model = MakeModelId(models[m].name, "1"),
                         .rate_rps = run.nominal_rps[m],
                         .service = {std::max(models[m].service_s, kLeastService), scv},
                         .switch_s = models[m].switch_s});
  }
  return load;
}

TraceTimes TimesOf(const ResponseSample& sample, size_t m, double plus_s) {
  if (sample.Count(m) == 0) return {};
  return {sample.Mean(m) + plus_s, sample.Quantile(m, 0.95) + plus_s, sample.Quantile(m, 0.99) + plus_s};
}

ResponseSample Observed(const TraceRun& run) {
  std::vector<std::vector<double>> responses(run.models.size());
  for (const auto& request : run.requests)
    responses[request.model].push_back(request.end_s - request.start_s);
  return ResponseSample(std::move(responses));
}

/// Lindley's recursion on the true arrivals, with the fitted means.
ResponseSample Play(const TraceRun& run, const std::vector<TraceModel>& models) {
  std::vector<std::vector<double>> responses(run.models.size());
  double free_at = 0;
  std::optional<size_t> previous;
  for (const auto& request : Sorted(run, &TraceRequest::start_s)) {
    const auto& model = models[request.model];
    const bool switches = previous && *previous != request.model;
    const double begin = previous ? std::max(free_at, request.start_s) : request.start_s;
    free_at = begin + model.service_s + (switches ? model.switch_s : 0);
    previous = request.model;
    responses[request.model].push_back(free_at - request.start_s + model.tail_s);
  }
  return ResponseSample(std::move(responses));
}

std::optional<double> ErrorOf(const std::optional<double>& predicted, const std::optional<double>& observed) {
  if (!predicted || !observed || *observed <= 0) return std::nullopt;
  return std::abs(*predicted / *observed - 1);
}

class Average {
public:
  void Add(const std::optional<double>& value) {
    if (value) sum_ += *value, ++count_;
  }
  std::optional<double> value() const { return count_ == 0 ? std::nullopt : std::optional(sum_ / count_); }

private:
  double sum_ = 0;
  int count_ = 0;
};

struct AverageErrors {
  Average mean, p95, p99;

  void Add(const TraceTimes& predicted, const TraceTimes& observed) {
    mean.Add(ErrorOf(predicted.mean_s, observed.mean_s));
    p95.Add(ErrorOf(predicted.p95_s, observed.p95_s));
    p99.Add(ErrorOf(predicted.p99_s, observed.p99_s));
  }
  TraceErrors value() const { return {mean.value(), p95.value(), p99.value()}; }
};

/// Runs of the given length simulated from the model.
std::vector<ResponseSample> Replications(const DeviceLoad& load, size_t requests, int count) {
  std::vector<ResponseSample> samples;
  samples.reserve(static_cast<size_t>(count));
  for (int i = 0; i < count; ++i)
    samples.push_back(Simulate(load, {.seed = static_cast<uint64_t>(i) + 1, .requests = static_cast<int>(requests)}));
  return samples;
}

/// What a perfect model would seem to err about model `m`: the truth against such runs.
TraceTimes NoiseOf(const TraceTimes& truth, const std::vector<ResponseSample>& samples, size_t m) {
  AverageErrors errors;
  for (const auto& sample : samples)
    errors.Add(truth, TimesOf(sample, m, 0));
  return {errors.mean.value(), errors.p95.value(), errors.p99.value()};
}

class Replay {
public:
  Replay(const std::vector<TraceRun>& runs, size_t fit, int replications)
      : runs_(runs), fit_(fit), replications_(replications), plain_(FitTrace(runs[fit], false)) {
    report_.fitted_run = runs[fit].name;
    report_.models = FitTrace(runs[fit]);
  }

  TraceReport Run() {
    for (size_t r = 0; r < runs_.size(); ++r)
      AddRun(runs_[r], r == fit_);

    // The run that the models were fitted to does not count: it would flatter them.
    AverageErrors trace_driven, analytic, paper;
    AverageErrors noise;
    for (const auto& row : report_.rows) {
      if (row.fitted) continue;

      trace_driven.Add(row.trace_driven, row.observed);
      analytic.Add(row.analytic, row.observed);
      paper.Add(row.paper, row.observed);
      noise.mean.Add(row.noise.mean_s);
      noise.p95.Add(row.noise.p95_s);
      noise.p99.Add(row.noise.p99_s);
    }

    report_.trace_driven = trace_driven.value();
    report_.analytic = analytic.value();
    report_.paper = paper.value();
    report_.noise_floor = noise.value();

    return std::move(report_);
  }

private:
  void AddRun(const TraceRun& run, bool fitted) {
    const auto observed = Observed(run);
    const size_t first = report_.rows.size();
    for (size_t m = 0; m < run.models.size(); ++m) {
      report_.rows.push_back({.run = run.name,
                              .model = run.models[m],
                              .requests = observed.Count(m),
                              .fitted = fitted,
                              .observed = TimesOf(observed, m, 0)});
    }
    const auto models = ModelsOf(run, report_.models);
    if (!models.empty()) Predict(run, models, &report_.rows[first]);
  }

  void Predict(const TraceRun& run, const std::vector<TraceModel>& models, TraceRow* rows) {
    // Played with the observed arrivals: what remains is the error of the service model alone.
    const auto played = Play(run, models);
    for (size_t m = 0; m < models.size(); ++m)
      rows[m].trace_driven = TimesOf(played, m, 0);
    PredictPaper(run, rows);

    // The formulas need a steady state; an overloaded run has only the replay above.
    const DeviceLoad load = LoadOf(run, models);
    const auto response = Solve(load);
    if (!response.stable) return;

    // The noise is what a perfect model would seem to err with as many requests.
    const auto samples = Replications(load, run.requests.size(), replications_);
    for (size_t m = 0; m < models.size(); ++m) {
      const double mean = response.At(m, Statistic::kMean), p95 = response.At(m, Statistic::kP95),
                   p99 = response.At(m, Statistic::kP99), tail = models[m].tail_s;
      rows[m].analytic = {mean + tail, p95 + tail, p99 + tail};
      rows[m].noise = NoiseOf({mean, p95, p99}, samples, m);
    }
  }

  void PredictPaper(const TraceRun& run, TraceRow* rows) const {
    const auto means = PaperMeans(LoadOf(run, ModelsOf(run, plain_)));
    for (size_t m = 0; m < means.size(); ++m)
      rows[m].paper.mean_s = means[m];
  }

  const std::vector<TraceRun>& runs_;
  size_t fit_;
  int replications_;
  std::vector<TraceModel> plain_; ///< fitted without tails, as the paper has none
  TraceReport report_;
};

} // namespace

std::vector<TraceModel> FitTrace(const TraceRun& run, bool with_tails) {
  // Tails are taken off before the fit: they delay the client, not the next request.
  const auto tails = with_tails ? TailsOf(run) : std::vector<double>(run.models.size(), 0);
  const DeviceFit fit = FitOf(run, tails);

  std::vector<TraceModel> models;
  for (size_t m = 0; m < run.models.size(); ++m) {
    const ModelId id = MakeModelId(run.models[m], "1");
    for (const auto& one : fit.models) {
      if (one.model != id) continue;
      // Without a request after one of its own kind, the switch cannot be separated from the service.
      const auto& service = one.service.weight > 0 ? one.service : one.switched_service;
      const double switched = one.switched_service.weight > 0 ? one.switched_service.mean : service.mean;

      models.push_back({run.models[m], service.mean, service.scv, std::max(switched - service.mean, 0.0), tails[m]});
    }
  }

  return models;
}

TraceReport ReplayTrace(const std::vector<TraceRun>& runs, size_t fit, int replications) {
  return Replay(runs, fit, replications).Run();
}

} // namespace avocet
