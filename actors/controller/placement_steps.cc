#include "actors/controller/placement_steps.h"

#include <set>

#include <caf/typed_event_based_actor.hpp>
#include <spdlog/spdlog.h>

#include "actors/errors.h"
#include "controller/cluster/cluster_changes.h"
#include "controller/placement/decide.h"
#include "controller/placement/describe.h"
#include "controller/placement/kept_decision.h"
#include "controller/placement/rebalance.h"
#include "messages/suggest.h"
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
  Put(batch, kDecisions, KeptDecision(decision));
  const bool admitted = decision.kind != DecisionKind::kReject;
  AddEvent(self, batch, admitted ? "app_admitted" : "app_rejected", app,
           admitted ? "on " + decision.device->str()
                    : std::to_string(decision.verdicts.size()) + " devices considered");
  RecordMoves(self, batch, decision.moves);
}

void CommitReject(Self self, const Decision& decision, DecisionPromise promise) {
  auto& records = self->state.records;
  WriteBatch batch;
  Record(self, batch, decision);
  if (!records.view.apps.contains(decision.app.name)) {
    RefuseApp(records.view, decision.app);
    KeepPastDecision(self, batch, decision.app.name);
  }
  Persist(self, std::move(batch), [self, decision, promise](const Status& status) mutable {
    if (status.ok())
      Answer(self, promise, decision);
    else
      Refuse(promise, status);
  });
}

/// A placement that a decision changed.
struct Change {
  Placement placement;
  UndoTicket ticket;
  std::optional<Placement> before; ///< once the change is on disk: what it replaced
};

/// Makes one change in the view: `make` returns the new placement.
template <class Make> Change MakeChange(Self self, const AppId& app, const Make& make) {
  auto& state = self->state;
  const UndoTicket ticket = state.undo.Begin(Snapshot(state.records.view, app));
  return {make(state.records.view), ticket, {}};
}

/// They are on disk. What they replaced is known only now: agents may have reported on it meanwhile.
void KeepChanges(Self self, std::vector<Change>& changes) {
  for (auto& change : changes)
    change.before = self->state.undo.Durable(change.ticket).placement;
}

/// The disk refused them: latest first, as an application may be among them twice.
void UndoChanges(Self self, const std::vector<Change>& changes) {
  auto& state = self->state;
  for (auto change = changes.rbegin(); change != changes.rend(); ++change) {
    if (const auto before = state.undo.Failed(change->ticket)) RollBack(state.records.view, *before);
  }
}

/// In the view.
std::vector<Change> MakeMoves(Self self, const std::vector<Move>& moves) {
  std::vector<Change> changes;
  changes.reserve(moves.size() + 1); // a newcomer may follow
  for (const auto& move : moves)
    changes.push_back(
        MakeChange(self, move.app, [&](ClusterView& view) { return MoveApp(view, move, NextEpoch(self)); }));
  return changes;
}

/// In the view: the moves, then the newcomer.
std::vector<Change> MakeChanges(Self self, const Decision& decision) {
  std::vector<Change> changes = MakeMoves(self, decision.moves);
  changes.push_back(MakeChange(self, decision.app.name,
                               [&](ClusterView& view) { return AdmitApp(view, decision, NextEpoch(self)); }));
  return changes;
}

/// Make before break: the old copy is stopped when the new one serves. False where the application stays.
bool Replace(Self self, const Change& change) {
  if (change.before && change.before->epoch == change.placement.epoch) return false;
  SendCommands(self, self->state.moves.Replace(change.before, change.placement));
  return true;
}

void CommandAgent(Self self, const Change& change) {
  if (Replace(self, change)) SendCommand(self, StartCommand(change.placement));
}

std::string DescribeWait(const std::set<AppId>& movers) {
  std::string text = "it waits for room, until these have moved:";
  for (const auto& mover : movers)
    text += " '" + mover.str() + "'";
  return ToText(text);
}

/// Movers first; the newcomer when they have made room.
void CommandAgents(Self self, const Decision& decision, const std::vector<Change>& changes) {
  const Change& newcomer = changes.back();
  for (size_t i = 0; i + 1 < changes.size(); ++i)
    CommandAgent(self, changes[i]);
  if (decision.moves.empty()) return CommandAgent(self, newcomer);

  if (!Replace(self, newcomer)) return;
  std::set<AppId> movers;
  for (const auto& move : decision.moves)
    movers.insert(move.app);
  NoteStart(self->state.records.view, StartCommand(newcomer.placement), DescribeWait(movers));
  ViewChanged(self);
  self->state.moves.Wait(newcomer.placement, std::move(movers));
}

void PutPlacements(Self self, WriteBatch& batch, const std::vector<Change>& changes) {
  for (const auto& change : changes)
    Put(batch, kPlacements, change.placement);
  Put(batch, kLastEpoch, self->state.records.last_epoch);
}

void CommitAdmit(Self self, const Decision& decision, DecisionPromise promise) {
  auto changes = MakeChanges(self, decision);

  WriteBatch batch;
  Put(batch, kApplications, decision.app);
  PutPlacements(self, batch, changes);
  Delete(batch, kRemovals, decision.app.name.str());
  Record(self, batch, decision);
  self->state.records.history.Runs(decision.app.name);
  // The view has changed already, as decisions that follow must see it. The agents wait for the disk.
  Persist(self, std::move(batch), [self, decision, promise, changes](const Status& status) mutable {
    if (!status.ok()) {
      UndoChanges(self, changes);
      return Refuse(promise, status);
    }

    KeepChanges(self, changes);
    self->state.records.removals.Erase(decision.app.name);
    TakeOverOrphans(self, changes.back().placement);
    CommandAgents(self, decision, changes); // first: the answer publishes why a newcomer waits
    Answer(self, promise, decision);
  });
}

/// Whether an admission is what is there already: then there is nothing to write, to command, or to tell.
bool ChangesNothing(Self self, const Decision& decision) {
  const auto& view = self->state.records.view;
  const auto app = view.apps.find(decision.app.name);
  const auto placed = view.placements.find(decision.app.name);
  if (decision.kind != DecisionKind::kAdmit || app == view.apps.end() || placed == view.placements.end()) return false;

  const Placement& now = placed->second;
  const bool runs = now.phase == PlacementPhase::kReady || now.phase == PlacementPhase::kStarting;
  return runs && !self->state.undo.IsPending(decision.app.name) && app->second == decision.app &&
         now.device == *decision.device && now.model == decision.model;
}

void Commit(Self self, const Decision& decision, DecisionPromise promise) {
  if (ChangesNothing(self, decision))
    promise.deliver(decision);
  else if (decision.kind == DecisionKind::kReject)
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

/// A model that nobody imported is a slip of the file, not a lack of room.
Status CheckModel(const ClusterView& view, const Application& app) {
  if (view.FindModel(app.model) != nullptr) return {};
  std::vector<std::string_view> known;
  for (const auto& [id, model] : view.models) {
    known.push_back(model.name);
    known.emplace_back(id.str());
  }
  const auto near = Nearest(app.model, known);
  return NotFound("model '" + app.model + "' of application '" + app.name.str() + "' is not imported" +
                  (near ? "; did you mean '" + std::string(*near) + "'?" : std::string()) +
                  "; `avocet model list` shows what is, `avocet model import` adds one");
}

Status CheckRequest(Self self, const Application& app, const PlacementOptions& options) {
  AVOCET_RETURN_IF_ERROR(Validate(app));
  AVOCET_RETURN_IF_ERROR(Validate(options));
  return CheckModel(self->state.records.view, app);
}

/// Those who waited for the place of an application that will not leave it.
void FailWaiters(Self self, WriteBatch& batch, const AppId& mover, const std::string& why) {
  auto& state = self->state;
  for (const auto& waiter : state.moves.GiveUp(mover)) {
    const std::string reason = ToText("application '" + mover.str() + "' could not make room: " + why);
    MarkFailed(state.records.view, waiter.app, reason);
    AddNodeEvent(self, batch, {NodeOf(state, waiter.device), "app_failed", waiter.app.str(), reason});
  }
}

/// One that an agent reports within a session.
void NoteOrphan(Self self, const Placement& copy) {
  if (!self->state.orphans.Note(copy)) return;
  WriteBatch batch;
  NoteOrphans(self, batch, {copy});
  Persist(self, std::move(batch), LogFailure("orphan_found"));
}

} // namespace

void OnArrived(Self self, const AppId& app) {
  SendCommands(self, self->state.moves.Arrived(app));
}

void OnFailed(Self self, const AppId& app, const std::string& why) {
  auto& state = self->state;

  WriteBatch batch;
  FailWaiters(self, batch, app, why);

  const auto placed = state.records.view.placements.find(app);
  const NodeId node = placed == state.records.view.placements.end() ? NodeId() : NodeOf(state, placed->second.device);
  const auto fallback = state.moves.TakeFallback(app);
  AddNodeEvent(self, batch, {node, fallback ? "move_failed" : "app_failed", app.str(), why});
  if (!fallback) return PersistAny(self, std::move(batch), "app_failed");

  // Under a new epoch, so that every agent can tell this copy from later commands of the application.
  std::vector<Change> changes{
      MakeChange(self, app, [&](ClusterView& view) { return PlaceAgain(view, *fallback, NextEpoch(self)); })};
  PutPlacements(self, batch, changes);
  Persist(self, std::move(batch), [self, changes, fallback](const Status& status) mutable {
    LogFailure("move_failed")(status);
    if (!status.ok()) {
      UndoChanges(self, changes);
      return SendCommands(self, self->state.moves.Keep(*fallback));
    }
    KeepChanges(self, changes);
    const Change& change = changes.front();
    // On its own device the start replaces what failed. A stop would end the copy that serves there.
    if (change.before->device != change.placement.device) SendCommand(self, StopCommand(*change.before));
    SendCommand(self, StartCommand(change.placement));
  });
}

void RestartFailed(Self self, const ModelId& model) {
  auto& view = self->state.records.view;
  std::vector<Placement> failed;
  for (const auto& [app, placement] : view.placements) {
    if (placement.model == model && placement.phase == PlacementPhase::kFailed) failed.push_back(placement);
  }
  if (failed.empty()) return;

  WriteBatch batch;
  std::vector<Change> changes;
  for (const auto& copy : failed) {
    changes.push_back(
        MakeChange(self, copy.app, [&](ClusterView& now) { return PlaceAgain(now, copy, NextEpoch(self)); }));
    AddEvent(self, batch, "app_restarted", copy.app.str(), "model " + model.str() + " was imported again");
  }
  PutPlacements(self, batch, changes);
  Persist(self, std::move(batch), [self, changes](const Status& status) mutable {
    LogFailure("app_restarted")(status);
    if (!status.ok()) return UndoChanges(self, changes);
    KeepChanges(self, changes);
    for (const auto& change : changes)
      SendCommand(self, StartCommand(change.placement));
  });
}

void OnOtherCopy(Self self, const Placement& copy) {
  auto& state = self->state;
  // What is current is not settled yet: a copy that nobody knows is kept until then, and stopped with the others.
  if (state.undo.IsPending(copy.app)) {
    if (!state.undo.Note(copy) && !state.moves.Note(copy)) SendCommands(self, state.moves.Keep(copy));
    return;
  }

  const auto placed = state.records.view.placements.find(copy.app);
  const Placement* current = placed == state.records.view.placements.end() ? nullptr : &placed->second;

  // A copy that is being moved away from is the moves' business: they know when it may stop.
  if (!state.moves.Note(copy)) {
    switch (FateOf(copy, current, state.records.removals)) {
    case CopyFate::kIgnore:
      return;
    case CopyFate::kStop:
      return SendCommand(self, StopCommand(copy));
    case CopyFate::kLeave:
      return NoteOrphan(self, copy);
    case CopyFate::kKeep:
      SendCommands(self, state.moves.Keep(copy));
    }
  }

  // The current copy failed, and an earlier one still serves: the application falls back to it.
  const bool failed = current != nullptr && current->phase == PlacementPhase::kFailed;
  if (failed && state.moves.HasServingCopy(copy.app)) OnFailed(self, copy.app, std::string(current->reason));
}

caf::result<Decision> Plan(Self self, const PlanApp& plan) {
  if (auto status = CheckRequest(self, plan.app, plan.options); !status.ok()) return MakeError(status);
  return DecideNow(self, plan.app, plan.options);
}

caf::result<Decision> Apply(Self self, const ApplyApp& apply) {
  if (auto status = CheckRequest(self, apply.app, apply.options); !status.ok()) return MakeError(status);
  auto promise = self->make_response_promise<Decision>();
  const Decision decision = DecideNow(self, apply.app, apply.options);

  const auto devices = MissingProfiles(self, apply.app, decision);
  if (devices.empty()) {
    Commit(self, decision, promise);
    return promise;
  }

  // The model was not measured on some device: after the profile runs the decision is made again.
  const Model model = *self->state.records.view.FindModel(apply.app.model);
  RunProfiles(self, model, devices, [self, apply, promise](const ProfileOutcome& outcome) {
    if (!outcome.first_error.ok()) spdlog::warn("profile failed reason=\"{}\"", outcome.first_error.message());
    Commit(self, DecideNow(self, apply.app, apply.options), promise);
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

  // Changed in the view at once, so that the next decision counts with it; undone when the disk refuses.
  auto changes = MakeMoves(self, moves);
  WriteBatch batch;
  PutPlacements(self, batch, changes);
  RecordMoves(self, batch, moves);
  plan.executed = true;

  auto promise = self->make_response_promise<RebalancePlan>();
  Persist(self, std::move(batch), [self, plan, promise, changes](const Status& status) mutable {
    if (!status.ok()) {
      UndoChanges(self, changes);
      return Refuse(promise, status);
    }
    // Durable first, then commands: after a crash the records hold at least what the agents were commanded.
    KeepChanges(self, changes);
    Answer(self, promise, plan);
    for (const auto& change : changes)
      CommandAgent(self, change);
  });
  return promise;
}

} // namespace avocet
