#include "controller/decide.h"

#include <algorithm>
#include <cmath>

#include "controller/candidate.h"
#include "controller/filters.h"
#include "messages/check.h"

namespace avocet {
namespace {

// Bounds of the search for the largest rate.
constexpr double kLeastRate = 1e-3;      // rps; a device that cannot take this takes nothing
constexpr double kMostRate = 1e6;        // rps, as Validate(Application)
constexpr double kRateTolerance = 1.005; // the answer is at most this factor too small
constexpr int kMaxRateSteps = 32;

bool PassesAtRate(Candidate& candidate, double rate_rps) {
  candidate.SetRate(rate_rps);
  return std::all_of(Filters().begin(), Filters().end(),
                     [&](const Filter& filter) { return !filter.depends_on_rate || filter.passes(candidate); });
}

bool PassesAtAnyRate(const Candidate& candidate) {
  return std::all_of(Filters().begin(), Filters().end(),
                     [&](const Filter& filter) { return filter.depends_on_rate || filter.passes(candidate); });
}

struct RateInterval {
  double passes = 0;
  double fails = 0;
};

double LargestBetween(Candidate& candidate, RateInterval rate) {
  for (int step = 0; step < kMaxRateSteps && rate.fails > rate.passes * kRateTolerance; ++step) {
    const double middle = std::sqrt(rate.passes * rate.fails);
    (PassesAtRate(candidate, middle) ? rate.passes : rate.fails) = middle;
  }
  return rate.passes;
}

/// Bisection with the same filters. A higher rate is taken to be no easier: with switches that need
/// not hold for a very rare newcomer, so the rate asked for counts as well.
double LargestRate(Candidate& candidate, bool passes_now) {
  const double now = candidate.question().rate_rps;
  if (!passes_now) {
    if (now <= kLeastRate || !PassesAtRate(candidate, kLeastRate)) return 0;
    return LargestBetween(candidate, {kLeastRate, now});
  }
  double passes = now, fails = 2 * now;
  while (passes < kMostRate && PassesAtRate(candidate, fails))
    passes = fails, fails *= 2;
  return std::min(LargestBetween(candidate, {passes, fails}), kMostRate);
}

void FillNumbers(const Candidate& c, Verdict& verdict) {
  verdict.device = c.device().spec.id();
  verdict.node = c.device().spec.node;
  verdict.emulated = c.device().spec.emulated();
  verdict.utilization_before = c.before().response.utilization;
  verdict.utilization_after = c.after().response.utilization;
  verdict.memory_before_bytes = c.memory_before();
  verdict.memory_after_bytes = c.memory_after();
  verdict.memory_capacity_bytes = c.device().spec.memory_bytes;
}

void FillLatencies(const Candidate& c, Verdict& verdict) {
  const auto& before = c.before().load.apps;
  size_t old = 0; // both lists are in order of name
  for (size_t i = 0; i < c.after().load.apps.size(); ++i) {
    const Application& app = c.AppOf(c.after().load.apps[i]);
    AppLatency row{.app = app.name,
                   .statistic = app.objective.statistic,
                   .objective = app.objective.latency - app.network_allowance,
                   .before = std::nullopt,
                   .after = PredictedLatency(c.after(), i, app, c.preprocessing())};
    if (old < before.size() && before[old].app == app.name)
      row.before = PredictedLatency(c.before(), old++, app, c.preprocessing_before());
    verdict.apps.push_back(std::move(row));
  }
}

void Refuse(Verdict& verdict, const Filter& filter, Refusal refusal) {
  verdict.filter = filter.name;
  verdict.needed = refusal.needed;
  verdict.found = refusal.found;
  verdict.unit = std::move(refusal.unit);
  verdict.detail = std::move(refusal.detail);
}

Verdict Judge(const Question& question, const DeviceView& device) {
  Candidate candidate(question, device);
  Verdict verdict;
  FillNumbers(candidate, verdict);
  FillLatencies(candidate, verdict);
  for (const auto& filter : Filters()) {
    if (filter.passes(candidate)) continue;
    Refuse(verdict, filter, filter.explain(candidate));
    break;
  }
  verdict.ok = verdict.filter.empty();
  if (verdict.ok || PassesAtAnyRate(candidate)) verdict.max_rate_rps = LargestRate(candidate, verdict.ok);
  return verdict;
}

/// Where the newcomer goes: it stays where it is if it may; else the least utilized device. Of equal
/// ones the first by id.
const Verdict* Choose(const std::vector<Verdict>& verdicts, const DeviceId& current) {
  const Verdict* best = nullptr;
  for (const auto& verdict : verdicts) {
    if (!verdict.ok) continue;
    if (verdict.device == current) return &verdict;
    if (best == nullptr || verdict.utilization_after < best->utilization_after) best = &verdict;
  }
  return best;
}

DeviceId CurrentDevice(const ClusterView& view, const AppId& app) {
  const auto it = view.placements.find(app);
  return it == view.placements.end() ? DeviceId() : it->second.device;
}

double NewcomerRate(const ClusterView& view, const Application& request, const DeviceId& current) {
  const auto device = view.devices.find(current);
  return AdmissionRate(request, device == view.devices.end() ? DeviceFit() : device->second.fit);
}

} // namespace

Status Validate(const Policy& policy) {
  const auto is_fraction = [](double x) { return x > 0 && x <= 1; };
  const auto rule = "> 0 and at most 1";
  return Check("policy", std::string_view("admission"))
      .That(is_fraction(policy.mean_tolerance), "mean_tolerance", policy.mean_tolerance, rule)
      .That(is_fraction(policy.percentile_tolerance), "percentile_tolerance", policy.percentile_tolerance, rule)
      .That(is_fraction(policy.max_utilization), "max_utilization", policy.max_utilization, rule)
      .That(is_fraction(policy.max_preprocess_cpu), "max_preprocess_cpu", policy.max_preprocess_cpu, rule)
      .That(is_fraction(policy.memory_fraction), "memory_fraction", policy.memory_fraction, rule)
      .status();
}

Decision Decide(const ClusterView& view, const Application& request, const Policy& policy) {
  const DeviceId current = CurrentDevice(view, request.name);
  const ResidentIndex residents = IndexResidents(view, request.name);
  const Question question{.view = view,
                          .request = request,
                          .policy = policy,
                          .model = view.FindModel(request.model),
                          .rate_rps = NewcomerRate(view, request, current),
                          .residents = residents};
  Decision decision;
  decision.app = request;
  decision.view_version = view.version;
  if (question.model != nullptr) decision.model = question.model->id();
  for (const auto& [id, device] : view.devices) {
    decision.verdicts.push_back(Judge(question, device));
    decision.max_rate_rps = std::max(decision.max_rate_rps, decision.verdicts.back().max_rate_rps);
  }
  if (const Verdict* chosen = Choose(decision.verdicts, current)) {
    decision.kind = DecisionKind::kAdmit;
    decision.device = chosen->device;
  }
  return decision;
}

} // namespace avocet
