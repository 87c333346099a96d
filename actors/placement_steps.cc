#include "actors/placement_steps.h"

#include <caf/typed_event_based_actor.hpp>
#include <spdlog/spdlog.h>

#include "actors/errors.h"
#include "controller/cluster_changes.h"
#include "controller/decide.h"
#include "controller/describe.h"
#include "controller/rebalance.h"
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
  Put(batch, kDecisions, app, decision);
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
    Put(batch, kPlacements, change.placement.app.str(), change.placement);
  Put(batch, kLastEpoch, self->state.records.last_epoch);
}

void CommitAdmit(Self self, const Decision& decision, DecisionPromise promise) {
  const auto changes = MakeChanges(self, decision);
  WriteBatch batch;
  Put(batch, kApplications, decision.app.name.str(), decision.app);
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

void StoreProfiles(Self self, const std::shared_ptr<ProfileOutcome>& outcome,
                   const std::function<void(const ProfileOutcome&)>& then) {
  WriteBatch batch;
  for (const auto& profile : outcome->profiles) {
    Put(batch, kProfiles, profile.key(), profile);
    AddEvent(self, batch, "model_profiled", profile.model.str(), "on " + profile.device_type);
  }
  if (batch.empty()) return then(*outcome);
  Persist(self, std::move(batch), [self, outcome, then](const Status& status) {
    if (!status.ok()) return then({{}, status});
    for (const auto& profile : outcome->profiles)
      AddProfile(self->state.records.view, profile);
    then(*outcome);
  });
}

Result<ProfileOnDevice> ProfileRequest(const ClusterView& view, const Model& model, const DeviceId& device) {
  const auto found = view.devices.find(device);
  if (found == view.devices.end())
    return NotFound("device '" + device.str() + "' does not exist; `avocet device list` shows those that do");
  if (found->second.health != DeviceHealth::kHealthy)
    return Unavailable("device '" + device.str() + "' is " + std::string(ToString(found->second.health)));
  const Variant* variant = model.Find(FormatOf(found->second.spec.engine));
  if (variant == nullptr)
    return Unsupported("model '" + model.id().str() + "' has no " +
                       std::string(ToString(FormatOf(found->second.spec.engine))) + " file, which device '" +
                       device.str() + "' needs");
  return ProfileOnDevice{device, model.id(), *variant};
}

Status CheckRequest(const Application& app, const PlacementOptions& options) {
  const Status status = Validate(app);
  return status.ok() ? Validate(options) : status;
}

} // namespace

void Persist(Self self, WriteBatch batch, const std::function<void(Status)>& then) {
  auto& state = self->state;
  const auto& events = state.records.events;
  const uint64_t last_event = events.empty() ? 0 : events.back().sequence;
  self->request(state.store, state.options.deadlines.store, WriteRecords{std::move(batch)})
      .then(
          [self, last_event, then](Done) {
            self->state.durable_events = std::max(self->state.durable_events, last_event);
            TellOfEvents(self);
            then({});
          },
          [then](const caf::error& error) { then(ToStatus(error, "store")); });
}

std::function<void(Status)> LogFailure(std::string what) {
  return [what = std::move(what)](const Status& status) {
    if (!status.ok()) spdlog::error("record not written what={} reason=\"{}\"", what, status.message());
  };
}

void AddEvent(Self self, WriteBatch& batch, std::string kind, std::string subject, std::string detail) {
  auto& state = self->state;
  auto& events = state.records.events;
  const uint64_t sequence = events.empty() ? 1 : events.back().sequence + 1;
  spdlog::info("event kind={} subject={} detail=\"{}\"", kind, subject, detail);
  events.push_back(
      {sequence, std::chrono::system_clock::now(), std::move(kind), std::move(subject), std::move(detail)});
  Put(batch, kEvents, EventId(sequence), events.back());
  if (events.size() <= state.options.max_events) return;
  Delete(batch, kEvents, EventId(events.front().sequence));
  events.pop_front();
}

EventList DurableEvents(const PlacementActorState& state, uint64_t after) {
  EventList list;
  for (const auto& event : state.records.events) {
    if (event.sequence > after && event.sequence <= state.durable_events) list.events.push_back(event);
  }
  return list;
}

void TellOfEvents(Self self) {
  auto& state = self->state;
  std::erase_if(state.event_waiters, [&state](auto& waiter) {
    auto& [after, promise] = waiter;
    if (after >= state.durable_events) return false;
    promise.deliver(DurableEvents(state, after));
    return true;
  });
}

uint64_t NextEpoch(Self self) {
  return ++self->state.records.last_epoch;
}

void SendCommand(Self self, Command command) {
  auto& state = self->state;
  const auto device = state.records.view.devices.find(command.device);
  if (device == state.records.view.devices.end()) return;
  const auto agent = state.agents.find(device->second.spec.node);
  if (agent == state.agents.end()) return;
  const std::string subject = command.app.str();
  self->request(agent->second, state.options.deadlines.command, RunCommand{std::move(command)})
      .then([](Done) {},
            [subject](const caf::error& error) {
              spdlog::warn("command not taken app={} reason=\"{}\"", subject, ToStatus(error, "agent").message());
            });
}

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
  Put(batch, kPlacements, app.str(), node.mapped());
  AddEvent(self, batch, "move_failed", app.str(), why);
  for (auto it = state.waiting.begin(); it != state.waiting.end();) {
    if (!it->second.moving.contains(app)) {
      ++it;
      continue;
    }
    auto& placement = view.placements[it->first];
    placement.phase = PlacementPhase::kFailed;
    placement.reason = "application '" + app.str() + "' could not make room: " + why;
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

void RunProfiles(Self self, const Model& model, const std::vector<DeviceId>& devices,
                 const std::function<void(const ProfileOutcome&)>& then) {
  auto outcome = std::make_shared<ProfileOutcome>();
  auto missing = std::make_shared<size_t>(devices.size());
  auto one_less = [self, outcome, missing, then] {
    if (--*missing == 0) StoreProfiles(self, outcome, then);
  };
  auto failed = [outcome, one_less](const Status& status) {
    if (outcome->first_error.ok()) outcome->first_error = status;
    one_less();
  };
  auto& state = self->state;
  for (const auto& device : devices) {
    auto request = ProfileRequest(state.records.view, model, device);
    if (!request.ok()) {
      failed(request.status());
      continue;
    }
    const NodeId node = state.records.view.devices.at(device).spec.node;
    const auto agent = state.agents.find(node);
    if (agent == state.agents.end()) {
      failed(Unavailable("node '" + node.str() + "' is away"));
      continue;
    }
    self->request(agent->second, state.options.deadlines.profile, std::move(*request))
        .then(
            [outcome, one_less](Profile& profile) {
              outcome->profiles.push_back(std::move(profile));
              one_less();
            },
            [failed](const caf::error& error) { failed(ToStatus(error, "agent")); });
  }
}

} // namespace avocet
