#include "actors/placement_steps.h"

#include <caf/typed_event_based_actor.hpp>
#include <spdlog/spdlog.h>

#include "actors/errors.h"
#include "controller/cluster_changes.h"
#include "controller/decide.h"
#include "controller/describe.h"
#include "controller/rebalance.h"
#include "messages/text.h"
#include "storage/records.h"

namespace avocet {
namespace {

using Self = PlacementSelf;
using DecisionPromise = caf::typed_response_promise<Decision>;

Decision DecideNow(Self self, const Application& app, const PlacementOptions& options) {
  auto& state = self->state;
  Decision decision = Decide(state.records.view, app, WithOptions(state.options.policy, options), state.predictions);
  decision.decided_at = std::chrono::system_clock::now();
  return decision;
}

void RecordMoves(Self self, WriteBatch& batch, const std::vector<Move>& moves) {
  for (const auto& move : moves)
    AddEvent(self, batch, "app_moved", move.app.str(), "from " + move.from.str() + " to " + move.to.str());
}

void Record(Self self, WriteBatch& batch, const Decision& decision) {
  const std::string app = decision.app.name.str();
  Put(batch, kDecisions, decision);
  self->state.records.decisions[decision.app.name] = decision;
  const bool admitted = decision.kind != DecisionKind::kReject;
  AddEvent(self, batch, admitted ? "app_admitted" : "app_rejected", app,
           admitted ? "on " + decision.device->str()
                    : std::to_string(decision.verdicts.size()) + " devices considered");
  RecordMoves(self, batch, decision.moves);
}

void CommitReject(Self self, const Decision& decision, DecisionPromise promise) {
  if (!self->state.records.view.apps.contains(decision.app.name)) RefuseApp(self->state.records.view, decision.app);
  WriteBatch batch;
  Record(self, batch, decision);
  Persist(self, std::move(batch), [decision, promise](const Status& status) mutable {
    if (status.ok())
      promise.deliver(decision);
    else
      Refuse(promise, status);
  });
}

/// What an application was before a decision, to go back to when the disk refuses it.
struct Before {
  std::optional<Application> app;
  std::optional<Placement> placement;
};

Before Remember(const ClusterView& view, const AppId& name) {
  Before before;
  if (const auto it = view.apps.find(name); it != view.apps.end()) before.app = it->second;
  if (const auto it = view.placements.find(name); it != view.placements.end()) before.placement = it->second;
  return before;
}

void GoBack(ClusterView& view, const AppId& name, const Before& before) {
  (void)ForgetPlacement(view, name);
  if (before.app) view.apps[name] = *before.app;
  if (before.placement) view.placements[name] = *before.placement;
}

/// A placement that a decision changed.
struct Change {
  Placement placement;
  Before before;
};

void GoBack(ClusterView& view, const std::vector<Change>& changes) {
  for (auto change = changes.rbegin(); change != changes.rend(); ++change)
    GoBack(view, change->placement.app, change->before);
}

/// In the view.
std::vector<Change> MakeMoves(Self self, const std::vector<Move>& moves) {
  auto& view = self->state.records.view;
  std::vector<Change> changes;
  for (const auto& move : moves) {
    Before before = Remember(view, move.app);
    changes.push_back({MoveApp(view, move, NextEpoch(self)), std::move(before)});
  }
  return changes;
}

/// In the view: the moves, then the newcomer.
std::vector<Change> MakeChanges(Self self, const Decision& decision) {
  auto& view = self->state.records.view;
  std::vector<Change> changes = MakeMoves(self, decision.moves);
  Before before = Remember(view, decision.app.name);
  changes.push_back({AdmitApp(view, decision, NextEpoch(self)), std::move(before)});
  return changes;
}

/// Make before break: the old copy is stopped when the new one serves.
void CommandAgent(Self self, const Change& change) {
  auto& state = self->state;
  const auto& old = change.before.placement;
  if (old && old->epoch == change.placement.epoch) return; // it stays where it runs
  // If it is moved again before it arrived, the copy that serves is the one from before.
  if (old && old->device != change.placement.device) state.retiring.try_emplace(change.placement.app, *old);
  SendCommand(self, StartCommand(change.placement));
}

/// Movers first; the newcomer when they have made room.
void CommandAgents(Self self, const Decision& decision, const std::vector<Change>& changes) {
  const Change& newcomer = changes.back();
  self->state.waiting.erase(newcomer.placement.app);
  if (!decision.moves.empty()) {
    auto& waiting = self->state.waiting[newcomer.placement.app];
    waiting.placement = newcomer.placement;
    for (const auto& move : decision.moves)
      waiting.moving.insert(move.app);
    for (size_t i = 0; i + 1 < changes.size(); ++i)
      CommandAgent(self, changes[i]);
    return;
  }
  CommandAgent(self, newcomer);
}

void PutPlacements(Self self, WriteBatch& batch, const std::vector<Change>& changes) {
  for (const auto& change : changes)
    Put(batch, kPlacements, change.placement);
  Put(batch, kLastEpoch, self->state.records.last_epoch);
}

void CommitAdmit(Self self, const Decision& decision, DecisionPromise promise) {
  const auto changes = MakeChanges(self, decision);
  WriteBatch batch;
  Put(batch, kApplications, decision.app);
  PutPlacements(self, batch, changes);
  Record(self, batch, decision);
  Persist(self, std::move(batch), [self, decision, promise, changes](const Status& status) mutable {
    if (!status.ok()) {
      GoBack(self->state.records.view, changes);
      return Refuse(promise, status);
    }
    promise.deliver(decision);
    CommandAgents(self, decision, changes);
  });
}

void Commit(Self self, const ApplyApp& apply, DecisionPromise promise) {
  const Decision decision = DecideNow(self, apply.app, apply.options);
  if (decision.kind == DecisionKind::kReject)
    CommitReject(self, decision, std::move(promise));
  else
    CommitAdmit(self, decision, std::move(promise));
}

/// The devices whose profile an application misses, when that is why it is refused.
std::vector<DeviceId> MissingProfiles(Self self, const Application& app, const Decision& decision) {
  const auto& view = self->state.records.view;
  const Model* model = view.FindModel(app.model);
  if (decision.kind != DecisionKind::kReject || model == nullptr) return {};
  return DevicesToProfile(view, *model, true);
}

Status CheckRequest(const Application& app, const PlacementOptions& options) {
  const Status status = Validate(app);
  return status.ok() ? Validate(options) : status;
}

} // namespace

void FinishMove(Self self, const AppId& app) {
  auto& state = self->state;
  auto node = state.retiring.extract(app);
  if (!node.empty()) SendCommand(self, StopCommand(node.mapped(), node.mapped().epoch + 1));
  for (auto it = state.waiting.begin(); it != state.waiting.end();) {
    it->second.moving.erase(app);
    if (!it->second.moving.empty()) {
      ++it;
      continue;
    }
    SendCommand(self, StartCommand(it->second.placement));
    it = state.waiting.erase(it);
  }
}

bool RevertMove(Self self, const AppId& app, const std::string& why) {
  auto& state = self->state;
  auto& view = state.records.view;
  auto node = state.retiring.extract(app);
  if (node.empty()) return false;
  WriteBatch batch;
  view.placements[app] = node.mapped();
  ++view.version;
  Put(batch, kPlacements, node.mapped());
  AddEvent(self, batch, "move_failed", app.str(), why);
  for (auto it = state.waiting.begin(); it != state.waiting.end();) {
    if (!it->second.moving.contains(app)) {
      ++it;
      continue;
    }
    auto& placement = view.placements[it->first];
    placement.phase = PlacementPhase::kFailed;
    placement.reason = ToText("application '" + app.str() + "' could not make room: " + why);
    AddEvent(self, batch, "app_failed", it->first.str(), placement.reason);
    it = state.waiting.erase(it);
  }
  Persist(self, std::move(batch), LogFailure("move_failed"));
  return true;
}

caf::result<Decision> Plan(Self self, const PlanApp& plan) {
  if (auto status = CheckRequest(plan.app, plan.options); !status.ok()) return MakeError(status);
  return DecideNow(self, plan.app, plan.options);
}

caf::result<Decision> Apply(Self self, const ApplyApp& apply) {
  if (auto status = CheckRequest(apply.app, apply.options); !status.ok()) return MakeError(status);
  auto promise = self->make_response_promise<Decision>();
  auto devices = MissingProfiles(self, apply.app, DecideNow(self, apply.app, apply.options));
  if (devices.empty()) {
    Commit(self, apply, promise);
    return promise;
  }
  const Model model = *self->state.records.view.FindModel(apply.app.model);
  RunProfiles(self, model, devices, [self, apply, promise](const ProfileOutcome& outcome) {
    if (!outcome.first_error.ok()) spdlog::warn("profile failed reason=\"{}\"", outcome.first_error.message());
    Commit(self, apply, promise);
  });
  return promise;
}

caf::result<RebalancePlan> RunRebalance(Self self, const Rebalance& rebalance) {
  auto& records = self->state.records;
  if (rebalance.max_moves < 0 || rebalance.max_moves > kMaxRebalanceMoves)
    return MakeError(InvalidArgument("max_moves must be 0 to " + std::to_string(kMaxRebalanceMoves)));
  RebalancePlan plan =
      PlanRebalance(records.view, self->state.options.policy, rebalance.max_moves, self->state.predictions);
  if (!rebalance.execute || plan.moves.empty()) return plan;
  std::vector<Move> moves;
  for (const auto& one : plan.moves)
    moves.push_back(one.move);
  const auto changes = MakeMoves(self, moves);
  WriteBatch batch;
  PutPlacements(self, batch, changes);
  RecordMoves(self, batch, moves);
  plan.executed = true;
  auto promise = self->make_response_promise<RebalancePlan>();
  Persist(self, std::move(batch), [self, plan, promise, changes](const Status& status) mutable {
    if (!status.ok()) {
      GoBack(self->state.records.view, changes);
      return Refuse(promise, status);
    }
    promise.deliver(plan);
    for (const auto& change : changes)
      CommandAgent(self, change);
  });
  return promise;
}

caf::result<RemovedApp> Remove(Self self, const AppId& app) {
  auto& view = self->state.records.view;
  if (!view.apps.contains(app)) return MakeError(NotFound("application '" + app.str() + "' does not exist"));
  const Before before = Remember(view, app);
  const auto placement = ForgetPlacement(view, app);
  const uint64_t epoch = NextEpoch(self);
  WriteBatch batch;
  Delete(batch, kApplications, app.str());
  Delete(batch, kPlacements, app.str());
  Put(batch, kLastEpoch, epoch);
  AddEvent(self, batch, "app_removed", app.str(), placement ? "from " + placement->device.str() : "not placed");
  auto promise = self->make_response_promise<RemovedApp>();
  Persist(self, std::move(batch), [self, app, placement, epoch, before, promise](const Status& status) mutable {
    if (!status.ok()) {
      GoBack(self->state.records.view, app, before);
      return Refuse(promise, status);
    }
    promise.deliver(RemovedApp{app});
    self->state.waiting.erase(app);
    FinishMove(self, app);
    if (!placement) return;
    SendCommand(self, StopCommand(*placement, epoch));
    if (const auto device = self->state.devices.find(placement->device); device != self->state.devices.end())
      self->send(device->second, ForgetApp{app});
  });
  return promise;
}

} // namespace avocet
