#include "actors/controller/placement_actor.h"

#include <algorithm>

#include <caf/typed_event_based_actor.hpp>
#include <spdlog/spdlog.h>

#include "actors/controller/placement_steps.h"
#include "actors/errors.h"
#include "actors/protocol/agent_claims.h"
#include "controller/cluster/cluster_changes.h"
#include "controller/cluster/reconcile.h"
#include "controller/placement/describe.h"
#include "storage/records.h"

namespace avocet {
namespace {

using Self = PlacementSelf;

/// Takes the reconciled placements into the view and the batch, with every epoch that they use.
void Adopt(Self self, const Reconciliation& reconciliation, WriteBatch& batch) {
  auto& records = self->state.records;
  for (const auto& placement : reconciliation.adopted) {
    AdoptPlacement(records.view, placement);
    self->state.moves.Renew(placement);
    Put(batch, kPlacements, placement);
  }
  records.last_epoch = reconciliation.last_epoch;
  Put(batch, kLastEpoch, records.last_epoch);
}

/// Changes of an application are on their way to the disk, and what is current is known only then: commands for it
/// follow the write, and its agent registers again soon, to find the rest.
void LeavePending(Self self, const NodeId& node, Reconciliation& reconciliation) {
  auto& state = self->state;
  const auto pending = [&](const auto& one) { return state.undo.IsPending(one.app); };
  const size_t left = std::erase_if(reconciliation.commands, pending) + std::erase_if(reconciliation.adopted, pending);
  if (left == 0) return;
  if (const auto pause = state.refusals.RegisterLater(node, self->clock().now()))
    self->delayed_send(self, *pause, RefusalTick{});
}

/// Moves may have come to their end while the agent was away.
void ResumeMoves(Self self, const Reconciliation& reconciliation) {
  // Judged again: while the registration was written, the current copy may have become ready.
  for (const auto& copy : reconciliation.kept)
    OnOtherCopy(self, copy);
  for (const auto& placement : reconciliation.adopted) {
    if (placement.phase == PlacementPhase::kReady) OnArrived(self, placement.app);
    if (placement.phase == PlacementPhase::kFailed && self->state.moves.HasServingCopy(placement.app))
      OnFailed(self, placement.app, placement.reason);
  }
}

void CommandNode(Self self, const Reconciliation& reconciliation) {
  for (const auto& command : reconciliation.commands) {
    const bool waits = command.kind == CommandKind::kStart && self->state.moves.IsWaiting(command.app);
    if (!waits) SendCommand(self, command);
  }
  ResumeMoves(self, reconciliation);
}

/// They left the view, to make room.
void ForgetNodes(Self self, const Forgotten& forgotten, WriteBatch& batch) {
  ForgetDevices(self, forgotten.devices);
  for (const NodeId& node : forgotten.nodes) {
    Delete(batch, kNodes, node.str());
    self->state.grants.Forget(node);
    AddEvent(self, batch, "node_forgotten", node.str(), "it was away, with nothing placed on it, and others need room");
  }
}

/// The difference between what an agent runs and what it should is on disk before it is commanded.
caf::result<Welcome> OnNodeUp(Self self, NodeUp& up) {
  auto& state = self->state;
  if (auto status = CheckHighestEpoch(up.node, up.highest_epoch, state.records.last_epoch); !status.ok())
    return MakeError(status);

  for (const auto& running : up.running) {
    if (auto status = CheckEpoch(running, state.records.last_epoch); !status.ok()) return MakeError(status);
  }

  auto forgotten = MakeRoom(state.records.view, up.node, state.options.limits);
  if (!forgotten.ok()) return MakeError(forgotten.status());

  state.agents[up.node.id] = {up.agent, ++state.last_registration};
  NodeArrived(state.records.view, up.node);
  ForgetDevices(self, ForgetUnlistedDevices(state.records.view, up.node.id));
  // Either side may have restarted with older data: the records decide, and what already runs as they say is kept.
  auto reconciliation = Reconcile(state.records.view, state.records.removals,
                                  {up.node.id, std::move(up.running), up.highest_epoch}, state.records.last_epoch);

  state.refusals.Registered(up.node.id, reconciliation.commands);
  LeavePending(self, up.node.id, reconciliation);

  WriteBatch batch;
  ForgetNodes(self, *forgotten, batch);
  Put(batch, kNodes, up.node);
  Adopt(self, reconciliation, batch);
  AddNodeEvent(self, batch, {up.node.id, "node_up", up.node.id.str(), "boot " + up.node.boot.str()});
  NoteOrphans(self, batch, state.orphans.Registered(up.node.id, reconciliation.orphans));
  state.foreigners.erase(up.node.id);

  auto promise = self->make_response_promise<Welcome>();
  // Commands only after the write: an agent must not run what a crash would make the controller forget.
  Persist(self, std::move(batch),
          [self, promise, reconciliation = std::move(reconciliation)](const Status& status) mutable {
            if (!status.ok()) return Refuse(promise, status); // the agent registers again
            Answer(self, promise, Welcome{self->state.records.cluster});
            CommandNode(self, reconciliation);
          });
  return promise;
}

void OnNodeAway(Self self, const NodeAway& away) {
  auto& state = self->state;
  state.agents.erase(away.node);
  state.refusals.Away(away.node);
  NodeLost(state.records.view, away.node, away.why);
  ViewChanged(self);
  WriteBatch batch;
  AddNodeEvent(self, batch, {away.node, "node_away", away.node.str(), away.why});
  PersistAny(self, std::move(batch), "node_away");
}

void OnNamesakeRefused(Self self, const NamesakeRefused& refused) {
  WriteBatch batch;
  AddNodeEvent(self, batch, {refused.node, "node_refused", refused.node.str(), refused.why});
  PersistAny(self, std::move(batch), "node_refused");
}

void OnForeigner(Self self, const ForeignerRefused& refused) {
  self->state.foreigners[refused.node.id] = refused;
  WriteBatch batch;
  AddEvent(self, batch, "node_refused", refused.node.id.str(), refused.why);
  Persist(self, std::move(batch), LogFailure("node_refused"));
}

void OnAdopted(Self self, const ForeignerAdopted& adopted) {
  WriteBatch batch;
  AddEvent(self, batch, "node_adopted", adopted.node.str(), adopted.why);
  Persist(self, std::move(batch), LogFailure("node_adopted"));
}

void OnModelFileLost(Self self, const ModelFileLost& lost) {
  auto& records = self->state.records;
  records.lost_files[lost.file] = lost.why;
  WriteBatch batch;
  for (const auto& [id, model] : records.view.models) {
    const bool has_file = std::any_of(model.variants.begin(), model.variants.end(),
                                      [&](const Variant& variant) { return variant.file == lost.file; });
    if (has_file) AddEvent(self, batch, "model_file_lost", id.str(), lost.why);
  }
  Persist(self, std::move(batch), LogFailure("model_file_lost"));
}

void OnDiskRoom(Self self, const DiskRoomChange& change) {
  WriteBatch batch;
  AddEvent(self, batch, change.low ? "disk_low" : "disk_ok", "",
           change.text + (change.low ? ": without room nothing new is admitted" : ""));
  Persist(self, std::move(batch), LogFailure("disk_low"));
}

caf::result<Done> OnReport(Self self, const ReportRunning& report) {
  auto& state = self->state;
  if (auto status = CheckEpoch(report.running, state.records.last_epoch); !status.ok()) return MakeError(status);
  const auto& running = report.running;

  // The report may speak of an old copy, as agents keep serving one until its successor is ready.
  switch (TakeReport(state.records.view, running)) {
  case ReportEffect::kAnotherCopy:
    OnOtherCopy(self, running);
    return Done{};
  case ReportEffect::kNothingNew:
    return Done{};
  case ReportEffect::kChanged:
    ViewChanged(self);
    break;
  }

  if (running.phase == PlacementPhase::kFailed) OnFailed(self, running.app, running.reason);
  if (running.phase != PlacementPhase::kReady) return Done{};

  // Whoever waited for this application's place can start now.
  OnArrived(self, running.app);

  WriteBatch batch;
  AddNodeEvent(self, batch, {report.node, "app_ready", running.app.str(), "on " + running.device.str()});
  PersistAny(self, std::move(batch), "app_ready");

  return Done{};
}

/// What the records place on a node it may have, too: its agent goes on with its plan while a restarted controller has
/// commanded nothing yet.
caf::result<Done> OnMayFetch(Self self, const MayFetch& fetch) {
  const auto& state = self->state;
  if (state.grants.Has(fetch.node, fetch.file)) return Done{};
  for (const auto& [app, placement] : state.records.view.placements) {
    if (placement.file == fetch.file && NodeOf(state, placement.device) == fetch.node) return Done{};
  }
  return MakeError(Denied("node '" + fetch.node.str() + "' was neither told to run model file " + fetch.file.str() +
                          " nor asked to profile it"));
}

/// The model with the variants of both, or why they contradict each other.
Result<Model> MergeVariants(const ClusterView& view, Model model) {
  const auto known = view.models.find(model.id());
  if (known == view.models.end()) return model;
  if (model.samples.empty()) model.samples = known->second.samples;
  for (const auto& variant : known->second.variants) {
    const Variant* other = model.Find(variant.format);
    if (other == nullptr)
      model.variants.push_back(variant);
    else if (*other != variant)
      return AlreadyExists("model '" + model.id().str() + "' has another " + std::string(ToString(variant.format)) +
                           " file; import it under a new version");
  }
  return model;
}

void StoreModel(Self self, const Model& model, caf::typed_response_promise<Model> promise) {
  WriteBatch batch;
  Put(batch, kModels, model);
  AddEvent(self, batch, "model_imported", model.id().str(), std::to_string(model.variants.size()) + " variants");
  Persist(self, std::move(batch), [self, model, promise](const Status& status) mutable {
    if (!status.ok()) return Refuse(promise, status);
    AddModel(self->state.records.view, model);
    for (const auto& variant : model.variants)
      self->state.records.lost_files.erase(variant.file);
    Answer(self, promise, model);
    RestartFailed(self, model.id());
  });
}

caf::result<Model> OnImport(Self self, ImportModel& import) {
  if (import.model.imported_at == WallTime{}) import.model.imported_at = std::chrono::system_clock::now();
  if (auto status = Validate(import.model); !status.ok()) return MakeError(status);
  auto merged = MergeVariants(self->state.records.view, import.model);
  if (!merged.ok()) return MakeError(merged.status());
  auto promise = self->make_response_promise<Model>();
  self->request(self->state.store, self->state.options.deadlines.store, CheckModelFiles{*merged})
      .then([self, model = *merged, promise](Done) { StoreModel(self, model, promise); },
            [promise](const caf::error& error) mutable { Refuse(promise, ToStatus(error, "store")); });
  return promise;
}

caf::result<EventList> OnWaitForEvents(Self self, const WaitForEvents& wait) {
  auto& waiters = self->state.event_waiters;
  if (waiters.size() >= kMaxEventWaiters) {
    waiters.front().second.deliver(EventList{});
    waiters.pop_front();
  }
  auto promise = self->make_response_promise<EventList>();
  waiters.emplace_back(wait.after_sequence, promise);
  NotifyEventWaiters(self);
  return promise;
}

caf::result<EventList> OnListEvents(Self self, const ListEvents& list) {
  return DurableEvents(self->state, list.after_sequence);
}

using ProfilePromise = caf::typed_response_promise<ProfileList>;

void AnswerProfiles(Self self, const ProfileOutcome& outcome, ProfilePromise promise) {
  // Some may have failed: any profile makes the model placeable, so only none at all is an error.
  if (outcome.profiles.empty())
    Refuse(promise, outcome.first_error);
  else
    Answer(self, promise, ProfileList{outcome.profiles});
}

/// The model is measured with these from now on.
void StoreSamples(Self self, const Model& model, const ProfileOutcome& outcome, ProfilePromise promise) {
  WriteBatch batch;
  Put(batch, kModels, model);
  AddEvent(self, batch, "model_samples_changed", model.id().str(), std::to_string(model.samples.size()) + " inputs");
  Persist(self, std::move(batch), [self, model, outcome, promise](const Status& status) mutable {
    if (!status.ok()) return Refuse(promise, status);
    AddModel(self->state.records.view, model);
    ViewChanged(self);
    AnswerProfiles(self, outcome, promise);
  });
}

void Measure(Self self, const Model& model, const std::vector<DeviceId>& devices, bool new_samples,
             const ProfilePromise& promise) {
  RunProfiles(self, model, devices, [self, model, new_samples, promise](const ProfileOutcome& outcome) {
    // Samples that it does not run on are not kept: a slip of the pen must not spoil later measurements.
    if (new_samples && !outcome.profiles.empty())
      StoreSamples(self, model, outcome, promise);
    else
      AnswerProfiles(self, outcome, promise);
  });
}

caf::result<ProfileList> OnProfile(Self self, const ProfileModel& profile) {
  const auto& view = self->state.records.view;
  const Model* known = view.FindModel(profile.model);
  if (known == nullptr)
    return MakeError(NotFound("model '" + profile.model + "' is not imported; `avocet model list` shows what is"));

  // Without a device: one of each type, as a profile holds for all devices of its type.
  auto devices = DevicesToProfile(view, *known, false);
  if (!profile.device.empty()) devices = {profile.device};
  if (devices.empty()) return MakeError(Unavailable("no healthy device can run model '" + known->id().str() + "'"));

  Model model = *known;
  if (!profile.samples.empty()) model.samples = profile.samples;
  if (auto status = Validate(model); !status.ok()) return MakeError(status);

  auto promise = self->make_response_promise<ProfileList>();
  if (profile.samples.empty()) {
    Measure(self, model, devices, false, promise);
    return promise;
  }
  self->request(self->state.store, self->state.options.deadlines.store, CheckModelFiles{model})
      .then([self, model, devices, promise](Done) { Measure(self, model, devices, true, promise); },
            [promise](const caf::error& error) mutable { Refuse(promise, ToStatus(error, "store")); });
  return promise;
}

} // namespace

placement_actor::behavior_type PlacementBehavior(Self self, const std::shared_ptr<const PlacementActorArgs>& args) {
  auto& state = self->state;

  state.records = args->records;
  state.store = args->store;
  state.snapshots = args->snapshots;
  state.options = args->options;

  // Events on disk from before the start are durable.
  if (!state.records.events.empty()) state.sent_events = state.durable_events = state.records.events.back().sequence;

  Publish(self);
  return {
      [self](NodeUp& up) { return OnNodeUp(self, up); },
      [self](const NodeAway& away) { OnNodeAway(self, away); },
      [self](const NamesakeRefused& refused) { OnNamesakeRefused(self, refused); },
      [self](const ForeignerRefused& refused) { OnForeigner(self, refused); },
      [self](const ForeignerAdopted& adopted) { OnAdopted(self, adopted); },
      [self](const ModelFileLost& lost) { OnModelFileLost(self, lost); },
      [self](const DiskRoomChanged& changed) { OnDiskRoom(self, changed.change); },
      [self](const FitChanged& changed) {
        TakeFit(self->state.records.view, changed.fit);
        ViewChanged(self);
      },
      [self](DeviceUp& up) {
        self->state.devices[up.device] = std::move(up.actor);
        ViewChanged(self);
      },
      [self](const MayFetch& fetch) { return OnMayFetch(self, fetch); },
      [self](PublishTick) {
        if (!self->state.published) Publish(self);
      },
      [self](RefusalTick) { OnRefusalTick(self); },
      [self](const ReportRunning& report) { return OnReport(self, report); },

      // What the Control service carries, see actors/wire/control_table.h.
      [self](ImportModel& import) { return OnImport(self, import); },
      [self](const ProfileModel& profile) { return OnProfile(self, profile); },
      [self](const PlanApp& plan) { return Plan(self, plan); },
      [self](const ApplyApp& apply) { return Apply(self, apply); },
      [self](const RemoveApp& remove) { return Remove(self, remove.app); },
      [self](const Rebalance& rebalance) { return RunRebalance(self, rebalance); },
      [self](const ListEvents& list) { return OnListEvents(self, list); },
      [self](const WaitForEvents& wait) { return OnWaitForEvents(self, wait); },
  };
}

} // namespace avocet
