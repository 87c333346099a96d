#include "controller/placement/judge.h"

#include <algorithm>
#include <cmath>

#include "controller/placement/filters.h"

namespace avocet {
namespace {

// Bounds of the search for the largest rate.
constexpr double kLeastRate = 1e-3;      // rps; a device that cannot take this takes nothing
constexpr double kMostRate = 1e6;        // rps, as Validate(Application)
constexpr double kRateTolerance = 1.005; // the answer is at most this factor too small
constexpr int kMaxRateSteps = 32;
constexpr double kSimulatedStep = 0.9; // simulations are expensive: their answer is coarser
constexpr int kMaxSimulatedSteps = 16;

/// The filters that this policy asks and that depend on the rate, or that do not.
bool Passes(const Candidate& candidate, bool depends_on_rate) {
  return std::all_of(Filters().begin(), Filters().end(), [&](const Filter& filter) {
    const bool asked = filter.depends_on_rate == depends_on_rate && IsAsked(filter, candidate.question().policy);
    return !asked || filter.passes(candidate);
  });
}

bool PassesNow(const Candidate& candidate) {
  return Passes(candidate, true);
}

bool PassesAtRate(Candidate& candidate, double rate_rps) {
  candidate.SetRate(rate_rps);
  return PassesNow(candidate);
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

/// As the filters say, with a simulation where the fast models are unsure.
bool SurelyPassesAtRate(Candidate& candidate, double rate_rps) {
  if (!PassesAtRate(candidate, rate_rps)) return false;
  if (!candidate.IsUnsure()) return true;
  candidate.Simulate();
  return PassesNow(candidate);
}

void FillNumbers(const Candidate& c, Verdict& verdict) {
  verdict.device = c.device().spec.id();
  verdict.node = c.device().spec.node;
  verdict.emulated = c.device().spec.emulated();
  verdict.utilization_before = c.assessed_before().utilization;
  verdict.utilization_after = c.assessed_after().utilization;
  verdict.memory_before_bytes = c.before().memory_bytes;
  verdict.memory_after_bytes = c.memory_after();
  verdict.memory_capacity_bytes = c.device().spec.memory_bytes;
}

std::optional<Duration> Shown(const GoalAnswer& answer) {
  if (!answer.bounded) return std::nullopt;
  return FromSeconds(answer.latency_s);
}

AppLatency RowOf(const Tenant& tenant, const GoalAnswer& after) {
  const Application& app = *tenant.app;
  return {.app = app.name,
          .statistic = app.objective.statistic,
          .objective = app.objective.latency - app.network_allowance,
          .before = std::nullopt,
          .after = Shown(after),
          .fast = after.fast};
}

/// The residents stand first in both, in the same order; the newcomer last.
void FillLatencies(const Candidate& c, Verdict& verdict) {
  const auto& before = c.assessed_before().answers;
  const auto& after = c.assessed_after().answers;
  verdict.apps.reserve(after.size());
  for (size_t i = 0; i < after.size(); ++i) {
    AppLatency& row = verdict.apps.emplace_back(RowOf(c.tenant(i), after[i]));
    if (i >= before.size()) break;
    row.before = Shown(before[i]);
    row.fast |= before[i].fast;
  }
  std::sort(verdict.apps.begin(), verdict.apps.end(),
            [](const AppLatency& a, const AppLatency& b) { return a.app < b.app; });
}

void Refuse(Verdict& verdict, const Filter& filter, Refusal refusal) {
  verdict.filter = filter.kind;
  verdict.needed = refusal.needed;
  verdict.found = refusal.found;
  verdict.unit = refusal.unit;
  verdict.detail = std::move(refusal.detail);
}

} // namespace

Verdict VerdictOf(const Candidate& candidate) {
  Verdict verdict;
  FillNumbers(candidate, verdict);
  FillLatencies(candidate, verdict);
  for (const auto& filter : Filters()) {
    if (!IsAsked(filter, candidate.question().policy) || filter.passes(candidate)) continue;
    Refuse(verdict, filter, filter.explain(candidate));
    break;
  }
  verdict.ok = !verdict.filter.has_value();
  verdict.max_rate_sought = false;
  return verdict;
}

bool PassesAtAnyRate(const Candidate& candidate) {
  return Passes(candidate, false);
}

/// Bisection with the same filters. A higher rate is taken to be no easier: with switches that need
/// not hold for a very rare newcomer, so the rate asked for counts as well.
double LargestRate(Candidate& candidate, bool passes_now) {
  const double now = candidate.question().newcomer.rate_rps;
  if (!passes_now) {
    if (now <= kLeastRate || !PassesAtRate(candidate, kLeastRate)) return 0;
    return LargestBetween(candidate, {kLeastRate, now});
  }
  double passes = now, fails = 2 * now;
  while (passes < kMostRate && PassesAtRate(candidate, fails))
    passes = fails, fails *= 2;
  return std::min(LargestBetween(candidate, {passes, fails}), kMostRate);
}

double LargestSimulatedRate(Candidate& candidate, double rate_rps) {
  for (int step = 0; step < kMaxSimulatedSteps && rate_rps > kLeastRate; ++step, rate_rps *= kSimulatedStep) {
    if (SurelyPassesAtRate(candidate, rate_rps)) return rate_rps;
  }
  return 0;
}

} // namespace avocet
