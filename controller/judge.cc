#include "controller/judge.h"

#include <algorithm>
#include <cmath>

#include "controller/filters.h"

namespace avocet {
namespace {

// Bounds of the search for the largest rate.
constexpr double kLeastRate = 1e-3;      // rps; a device that cannot take this takes nothing
constexpr double kMostRate = 1e6;        // rps, as Validate(Application)
constexpr double kRateTolerance = 1.005; // the answer is at most this factor too small
constexpr int kMaxRateSteps = 32;
constexpr double kSimulatedStep = 0.9; // simulations are dear: their answer is coarser
constexpr int kMaxSimulatedSteps = 16;

bool PassesNow(const Candidate& candidate) {
  return std::all_of(Filters().begin(), Filters().end(),
                     [&](const Filter& filter) { return !filter.depends_on_rate || filter.passes(candidate); });
}

bool PassesAtRate(Candidate& candidate, double rate_rps) {
  candidate.SetRate(rate_rps);
  return PassesNow(candidate);
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

/// As the filters say, with a simulation where the fast models are unsure.
bool SurelyPassesAtRate(Candidate& candidate, double rate_rps) {
  if (!PassesAtRate(candidate, rate_rps)) return false;
  if (!candidate.IsUnsure()) return true;
  candidate.Simulate();
  return PassesNow(candidate);
}

double LargestSimulatedRate(Candidate& candidate, double rate_rps) {
  for (int step = 0; step < kMaxSimulatedSteps && rate_rps > kLeastRate; ++step, rate_rps *= kSimulatedStep) {
    if (SurelyPassesAtRate(candidate, rate_rps)) return rate_rps;
  }
  return 0;
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

Verdict VerdictOf(const Candidate& candidate) {
  Verdict verdict;
  FillNumbers(candidate, verdict);
  FillLatencies(candidate, verdict);
  for (const auto& filter : Filters()) {
    if (filter.passes(candidate)) continue;
    Refuse(verdict, filter, filter.explain(candidate));
    break;
  }
  verdict.ok = verdict.filter.empty();
  return verdict;
}

} // namespace

Verdict Judge(const Question& question, const DeviceView& device) {
  Candidate candidate(question, device);
  Verdict verdict = VerdictOf(candidate);
  if (verdict.ok || PassesAtAnyRate(candidate)) verdict.max_rate_rps = LargestRate(candidate, verdict.ok);
  return verdict;
}

std::optional<Verdict> Reconsider(const Question& question, const DeviceView& device, const Verdict& fast) {
  Candidate candidate(question, device);
  if (!candidate.IsUnsure()) return std::nullopt;
  candidate.Simulate();
  Verdict verdict = VerdictOf(candidate);
  const double now = question.rate_rps;
  if (verdict.ok)
    verdict.max_rate_rps = std::max(fast.max_rate_rps, now);
  else if (PassesAtAnyRate(candidate))
    verdict.max_rate_rps = LargestSimulatedRate(candidate, std::min(fast.max_rate_rps, now * kSimulatedStep));
  return verdict;
}

double ConfirmedRate(const Question& question, const DeviceView& device, const Verdict& verdict) {
  if (verdict.max_rate_rps <= 0) return 0;
  Candidate candidate(question, device);
  const double rate = LargestSimulatedRate(candidate, verdict.max_rate_rps);
  return verdict.ok ? std::max(rate, question.rate_rps) : rate;
}

} // namespace avocet
