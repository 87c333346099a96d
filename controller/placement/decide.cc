#include "controller/placement/decide.h"

#include "controller/placement/deliberation.h"
#include "controller/placement/filters.h"
#include "controller/placement/moves.h"

namespace avocet {
namespace {

DeviceId CurrentDevice(const ClusterView& view, const AppId& app) {
  const auto it = view.placements.find(app);
  return it == view.placements.end() ? DeviceId() : it->second.device;
}

double NewcomerRate(const ClusterView& view, const Application& request, const DeviceId& current) {
  const auto device = view.devices.find(current);
  return AdmissionRate(request, device == view.devices.end() ? DeviceFit() : device->second.fit);
}

/// The decision as far as it does not depend on where the newcomer goes.
Decision Draft(const ClusterView& view, const Application& request, const Policy& policy, const Model* model) {
  Decision decision;
  decision.app = request;
  decision.view_version = view.version;
  decision.policy = policy.placement;
  if (model != nullptr) decision.model = model->id();
  return decision;
}

/// Admits on the chosen device, if there is one.
bool Conclude(Deliberation& deliberation, std::optional<size_t> chosen, Decision& decision) {
  if (!chosen) return false;
  deliberation.ShowFully(*chosen);
  decision.device = deliberation.verdicts()[*chosen].device;
  decision.max_rate_rps = deliberation.verdicts()[*chosen].max_rate_rps;
  decision.verdicts = deliberation.TakeVerdicts();
  return true;
}

/// Admits with moves, if some make room. Its verdicts are those of the cluster after the moves.
bool ConcludeWithMoves(const Question& question, Decision& decision) {
  if (question.policy.max_moves < 1 || RulesOf(question.policy.placement) != Rules::kOurs) return false;
  const auto plan = FindMoves(question);
  if (!plan) return false;
  const Question after{question.view, question.policy, plan->occupancy, question.cache, question.newcomer};
  Deliberation deliberation(after);
  if (!Conclude(deliberation, deliberation.Choose(DeviceId()), decision)) return false;
  decision.kind = DecisionKind::kAdmitWithMoves;
  decision.moves = plan->moves;
  return true;
}

} // namespace

Decision Decide(const ClusterView& view, const Application& request, const Policy& policy) {
  PredictionCache cache;
  return Decide(view, request, policy, cache);
}

Decision Decide(const ClusterView& view, const Application& request, const Policy& policy, PredictionCache& cache) {
  cache.fits.StartDecision();
  const DeviceId current = CurrentDevice(view, request.name);

  // The newcomer's own placement is left out, so that a changed application does not compete with itself.
  const Occupancy occupancy(view, policy, request.name);
  const Model* model = view.FindModel(request.model);
  const Question question{view, policy, occupancy, cache, {&request, model, NewcomerRate(view, request, current)}};
  Decision decision = Draft(view, request, policy, model);

  // One device is preferred to moves: a move costs its application a reload, and clients notice between nodes.
  Deliberation deliberation(question);

  if (Conclude(deliberation, deliberation.Choose(current), decision)) {
    decision.kind = DecisionKind::kAdmit;
    return decision;
  }

  if (ConcludeWithMoves(question, decision)) return decision;

  // Rates last: only a refusal shows them, and the search for them is the expensive part.
  decision.max_rate_rps = deliberation.SeekRates();
  decision.verdicts = deliberation.TakeVerdicts();
  return decision;
}

} // namespace avocet
