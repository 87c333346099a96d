#include "controller/placement/deliberation.h"

#include <algorithm>
#include <limits>
#include <map>

#include "controller/placement/filters.h"
#include "controller/placement/judge.h"

namespace avocet {
namespace {

/// The least utilized devices that the fast models refuse only just, where they refuse all.
constexpr int kMaxRefusedRetried = 4;
/// The devices whose largest rate is sought after a rejection.
constexpr size_t kMaxRatesSought = 32;
/// The devices that lose the least headroom, among which the least fragmenting one is found.
constexpr size_t kMaxScored = 32;
constexpr double kCostWeight = 1;

double Growth(const Verdict& verdict) {
  return verdict.utilization_after - verdict.utilization_before;
}

} // namespace

Deliberation::Deliberation(const Question& question) : question_(question) {
  verdicts_.reserve(question.occupancy.size());
  for (size_t d = 0; d < question.occupancy.size(); ++d)
    verdicts_.push_back(VerdictOf(candidates_.emplace_back(question, d)));
  preferences_.resize(verdicts_.size());
  scores_.resize(verdicts_.size());
}

std::optional<size_t> Deliberation::Choose(const DeviceId& current) {
  while (const auto best = BestAdmitted()) {
    if (!Confirm(*best)) break;
  }
  const auto there = IfAdmitted(current);
  if (there && (!Confirm(*there) || verdicts_[*there].ok)) return there;
  if (!BestAdmitted()) RetryRefused();
  return BestAdmitted();
}

void Deliberation::ShowFully(size_t device) {
  Candidate candidate(question_, device);
  Verdict& verdict = verdicts_[device];
  if (!simulated_.contains(device)) {
    candidate.ShowExactly();
    verdict = VerdictOf(candidate);
  }
  verdict.max_rate_rps = LargestRate(candidate, verdict.ok);
  verdict.max_rate_rps = std::max(LargestSimulatedRate(candidate, verdict.max_rate_rps), question_.newcomer.rate_rps);
  verdict.max_rate_sought = true;
}

double Deliberation::SeekRates() {
  for (size_t d = 0; d < verdicts_.size(); ++d)
    verdicts_[d].max_rate_sought = !PassesAtAnyRate(candidates_[d]); // 0 is the answer

  // By the fast models first: one search is many judgements.
  for (const size_t d : MostPromising()) {
    Candidate candidate(question_, d);
    verdicts_[d].max_rate_rps = LargestRate(candidate, false);
    verdicts_[d].max_rate_sought = true;
  }

  // Only the leader is simulated. A confirmed rate may be lower, and then another device leads; who leads twice is
  // the answer.
  std::set<size_t> simulated;
  const auto smaller = [](const Verdict& a, const Verdict& b) { return a.max_rate_rps < b.max_rate_rps; };
  while (!verdicts_.empty()) {
    const auto best = std::max_element(verdicts_.begin(), verdicts_.end(), smaller);
    const auto device = static_cast<size_t>(best - verdicts_.begin());
    if (!simulated.insert(device).second || best->max_rate_rps <= 0) return best->max_rate_rps;
    best->max_rate_rps = ConfirmedRate(device);
  }

  return 0;
}

double Deliberation::ConfirmedRate(size_t device) {
  Candidate candidate(question_, device);
  return LargestSimulatedRate(candidate, verdicts_[device].max_rate_rps);
}

/// Those where another rate could pass, the least utilized first.
std::vector<size_t> Deliberation::MostPromising() const {
  std::vector<size_t> devices;
  for (size_t d = 0; d < verdicts_.size(); ++d) {
    if (PassesAtAnyRate(candidates_[d])) devices.push_back(d);
  }
  std::stable_sort(devices.begin(), devices.end(), [&](size_t a, size_t b) {
    return verdicts_[a].utilization_before < verdicts_[b].utilization_before;
  });
  if (devices.size() > kMaxRatesSought) devices.resize(kMaxRatesSought);
  return devices;
}

const Preference& Deliberation::PreferenceOf(size_t device) {
  auto& preference = preferences_[device];
  if (!preference) preference = PreferenceFor(question_.policy.placement, candidates_[device]);
  return *preference;
}

/// At least `best` where it would not be better.
double Deliberation::ScoreOf(size_t device, double best) {
  if (scores_[device]) return *scores_[device];
  const double cost = kCostWeight * PreferenceOf(device).value;
  const double score = cost + fragmentation_->Loss(candidates_[device], device, best - cost);
  if (score < best) scores_[device] = score; // else it was not added up to its end
  return score;
}

std::optional<size_t> Deliberation::BestAdmitted() {
  return question_.policy.placement == PlacementPolicy::kFragmentation ? LeastFragmenting() : BestOfKinds();
}

std::optional<size_t> Deliberation::LeastFragmenting() {
  std::vector<size_t> devices;
  for (size_t d = 0; d < verdicts_.size(); ++d) {
    if (verdicts_[d].ok) devices.push_back(d);
  }

  if (devices.size() <= 1) return devices.empty() ? std::nullopt : std::optional(devices.front());

  // The cheapest first: their scores are likely the best, and later ones stop adding up at the best so far.
  std::stable_sort(devices.begin(), devices.end(),
                   [&](size_t a, size_t b) { return PreferenceOf(a) < PreferenceOf(b); });
  if (devices.size() > kMaxScored) devices.resize(kMaxScored);

  if (!fragmentation_) fragmentation_.emplace(question_);

  // The loss is expensive; it is skipped as soon as the cost alone is no better than the best score.
  std::optional<size_t> chosen;
  double best = std::numeric_limits<double>::infinity();
  for (const size_t d : devices) {
    if (kCostWeight * PreferenceOf(d).value >= best) break; // no loss is negative
    const double score = ScoreOf(d, best);
    if (score < best) chosen = d, best = score;
  }
  return chosen;
}

/// The best of all, or of each kind of device and then the kind whose utilization grows least.
std::optional<size_t> Deliberation::BestOfKinds() {
  const bool by_kind = ChoosesByKind(question_.policy.placement);

  std::map<DeviceKind, size_t> best;
  for (size_t d = 0; d < verdicts_.size(); ++d) {
    if (!verdicts_[d].ok) continue;
    // Tiers of different kinds say nothing about each other, so each kind has its own best.
    const auto kind = by_kind ? candidates_[d].device().spec.kind : DeviceKind();
    const auto [held, is_first] = best.try_emplace(kind, d);
    if (!is_first && PreferenceOf(d) < PreferenceOf(held->second)) held->second = d;
  }

  const auto chosen = std::min_element(best.begin(), best.end(), [&](const auto& a, const auto& b) {
    return Growth(verdicts_[a.second]) < Growth(verdicts_[b.second]);
  });

  return chosen == best.end() ? std::nullopt : std::optional(chosen->second);
}

std::optional<size_t> Deliberation::IfAdmitted(const DeviceId& device) const {
  for (size_t d = 0; d < verdicts_.size(); ++d) {
    if (verdicts_[d].ok && verdicts_[d].device == device) return d;
  }
  return std::nullopt;
}

/// Judges again with a simulation where a limit is too near for the fast models. Whether there was anything to
/// reconsider.
bool Deliberation::Confirm(size_t device) {
  if (RulesOf(question_.policy.placement) != Rules::kOurs || !candidates_[device].IsUnsure()) return false;
  if (!simulated_.insert(device).second) return false;
  candidates_[device].Simulate();
  verdicts_[device] = VerdictOf(candidates_[device]);
  return true;
}

// Only `objectives` may be too strict by the fast models' error; what other filters say is certain.
void Deliberation::RetryRefused() {
  std::vector<size_t> refused;
  for (size_t d = 0; d < verdicts_.size(); ++d) {
    if (verdicts_[d].filter == FilterKind::kObjectives && !simulated_.contains(d)) refused.push_back(d);
  }

  std::stable_sort(refused.begin(), refused.end(),
                   [&](size_t a, size_t b) { return verdicts_[a].utilization_after < verdicts_[b].utilization_after; });

  int left = kMaxRefusedRetried;
  for (const size_t d : refused) {
    if (left <= 0) return;
    // A device whose verdict no simulation could change costs nothing and does not count.
    if (Confirm(d)) --left;
    if (verdicts_[d].ok) return;
  }
}

} // namespace avocet
