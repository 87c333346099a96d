#include "controller/decide.h"

#include <algorithm>
#include <set>

#include "controller/candidate.h"
#include "controller/judge.h"
#include "messages/check.h"

namespace avocet {
namespace {

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

/// The least utilized devices that the fast models refuse only just, where they refuse all.
constexpr int kMaxAppeals = 4;

/// Verdicts while a decision is made: the fast models' first, then confirmed where it matters, so that
/// the simulations of one decision stay few.
class Deliberation {
public:
  explicit Deliberation(const Question& question) : question_(question) {
    for (const auto& [id, device] : question.view.devices)
      verdicts_.push_back(Judge(question, device));
  }

  const std::vector<Verdict>& verdicts() const { return verdicts_; }

  /// Until the least utilized device that passes has been confirmed, and the current one.
  void Confirm(const DeviceId& current) {
    while (Verdict* best = Mutable(Choose(verdicts_, DeviceId()))) {
      if (!Reopen(*best)) break;
    }
    Verdict* there = Mutable(Choose(verdicts_, current));
    if (there != nullptr && there->device == current) Reopen(*there);
    if (there == nullptr) Appeal();
  }

  /// The largest rate on any device, confirmed.
  double LargestRate() {
    std::set<DeviceId> sure;
    const auto smaller = [](const Verdict& a, const Verdict& b) { return a.max_rate_rps < b.max_rate_rps; };
    while (!verdicts_.empty()) {
      auto& best = *std::max_element(verdicts_.begin(), verdicts_.end(), smaller);
      if (!sure.insert(best.device).second || best.max_rate_rps <= 0) return best.max_rate_rps;
      best.max_rate_rps = ConfirmedRate(question_, DeviceOf(best), best);
    }
    return 0;
  }

private:
  const DeviceView& DeviceOf(const Verdict& verdict) const { return question_.view.devices.at(verdict.device); }
  Verdict* Mutable(const Verdict* verdict) {
    return verdict == nullptr ? nullptr : &verdicts_[static_cast<size_t>(verdict - verdicts_.data())];
  }

  /// Whether there was anything to reconsider.
  bool Reopen(Verdict& verdict) {
    if (!reopened_.insert(verdict.device).second) return false;
    auto again = Reconsider(question_, DeviceOf(verdict), verdict);
    if (!again) return false;
    verdict = std::move(*again);
    return true;
  }

  void Appeal() {
    std::vector<Verdict*> refused;
    for (auto& verdict : verdicts_) {
      if (verdict.filter == "objectives" && !reopened_.contains(verdict.device)) refused.push_back(&verdict);
    }
    std::stable_sort(refused.begin(), refused.end(),
                     [](const Verdict* a, const Verdict* b) { return a->utilization_after < b->utilization_after; });
    int left = kMaxAppeals;
    for (Verdict* verdict : refused) {
      if (left <= 0 || verdict->ok) return;
      if (Reopen(*verdict)) --left;
      if (verdict->ok) return;
    }
  }

  const Question& question_;
  std::vector<Verdict> verdicts_;
  std::set<DeviceId> reopened_;
};

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
  Deliberation deliberation(question);
  deliberation.Confirm(current);
  decision.max_rate_rps = deliberation.LargestRate();
  decision.verdicts = deliberation.verdicts();
  if (const Verdict* chosen = Choose(decision.verdicts, current)) {
    decision.kind = DecisionKind::kAdmit;
    decision.device = chosen->device;
  }
  return decision;
}

} // namespace avocet
