#include "actors/controller/controller_actor.h"

#include <caf/actor_system.hpp>
#include <caf/send.hpp>
#include <caf/typed_event_based_actor.hpp>
#include <spdlog/spdlog.h>

#include "actors/controller/device_actor.h"
#include "actors/controller/placement_actor.h"
#include "actors/controller/snapshot_actor.h"
#include "actors/errors.h"
#include "actors/protocol/agent_claims.h"
#include "actors/store_actor.h"
#include "messages/check.h"

namespace avocet {
namespace {

using Self = controller_actor::stateful_pointer<ControllerActorState>;

void SpawnDevice(Self self, const DeviceId& id) {
  auto& state = self->state;
  auto fit = state.fits[id];
  fit.device = id;
  const auto actor = self->spawn<caf::linked>(DeviceBehavior, DeviceActorArgs{.fit = fit,
                                                                              .totals = state.totals[id],
                                                                              .store = state.store,
                                                                              .placement = state.placement,
                                                                              .options = state.options});
  state.devices[id] = actor;
  self->send(state.placement, DeviceUp{id, actor});
}

/// Whose agent the device is, by the latest registration; nullptr: nobody's.
const Speaker* OwnerOf(const ControllerActorState& state, const DeviceId& device) {
  for (const auto& [node, speaker] : state.speakers) {
    for (const auto& spec : speaker.info.devices) {
      if (spec.id() == device) return &speaker;
    }
  }
  return nullptr;
}

/// In place of one that ended.
void SpawnAgain(Self self, const DeviceId& id) {
  SpawnDevice(self, id);
  if (const Speaker* owner = OwnerOf(self->state, id)) self->send(self->state.devices[id], SetAckTarget{owner->acks});
}

/// Its records are deleted. Where its agent listed it again meanwhile, it begins anew.
void OnForgotten(Self self, const DeviceId& id) {
  auto& state = self->state;
  state.devices.erase(id);
  state.fits.erase(id);
  state.totals.erase(id);
  if (OwnerOf(state, id) != nullptr) SpawnAgain(self, id);
}

/// Children are linked: they end with their root. A device actor that dies (of a defect) is started
/// again, with the fit and totals of the controller's start; without placements, snapshots or disk the controller ends.
void OnChildExit(Self self, caf::exit_msg& exit) {
  for (const auto& [id, actor] : self->state.devices) {
    if (actor.address() != exit.source) continue;
    const DeviceId device = id; // the entry goes
    if (!exit.reason) return OnForgotten(self, device);
    spdlog::error("device actor died device={}", device.str());
    return SpawnAgain(self, device);
  }
  if (exit.reason) self->quit(std::move(exit.reason));
}

Status Replaced(const NodeId& node) {
  return Cancelled("a later session of node '" + node.str() + "' replaced this one");
}

/// Why what a session says does not count.
Status NotCurrent(Self self, const NodeId& node, const SessionId& session) {
  if (self->state.leases.IsReplaced(node, session)) return Replaced(node);
  return NotFound("node '" + node.str() + "' has no session; register again");
}

/// One event for each session that the agent wanted to replace, not for each attempt: it goes on trying.
void TellOfNamesake(Self self, const NodeId& node, const std::string& who, const std::string& peer) {
  auto& speaker = self->state.speakers[node];
  if (std::exchange(speaker.namesake_refused, true)) return;
  self->send(self->state.placement, NamesakeRefused{node, who + ", from " + peer + ", is refused while the one from " +
                                                              speaker.peer + " is alive"});
}

Status RefuseNamesake(Self self, const NodeId& node, const std::string& peer) {
  TellOfNamesake(self, node, "another agent of this name", peer);
  const auto& speaker = self->state.speakers[node];
  return AlreadyExists("node '" + node.str() + "' is another agent's, from " + speaker.peer +
                       ", which is alive; give this agent a name of its own (if it replaces the other one, it is let "
                       "in once the other was silent for a lease)");
}

Status RefuseCopy(Self self, const NodeId& node, const std::string& peer) {
  TellOfNamesake(self, node, "another agent with a copy of the data folder", peer);
  return AlreadyExists("node '" + node.str() + "' is the agent's from " + self->state.speakers[node].peer +
                       ", which is alive and has the same data folder: one folder was copied from the other; give this "
                       "agent a name and an empty data folder of its own");
}

/// An agent said what it may not. Logged within a budget, as whoever has an agent's certificate can cause it.
Status RefuseClaim(Self self, const NodeId& node, Status why) {
  if (self->state.refusals.Take(self->clock().now()))
    spdlog::warn("agent refused node={} reason=\"{}\" lines_left_out={}", Describe(node), why.message(),
                 self->state.refusals.TakeDropped());
  return why;
}

/// This controller may have been started on a wrong or empty folder: it knows nothing of what the agent runs.
Status CheckCluster(Self self, const RegisterAgent& registration) {
  auto& state = self->state;
  const auto entry = state.guard.Ask(registration.node.id, registration.cluster);
  if (entry == ClusterGuard::Entry::kOpen) return {};

  Status why = state.guard.WhyRefused(registration.node.id, registration.cluster);
  if (entry == ClusterGuard::Entry::kRefusedFirst) {
    spdlog::error("agent of another cluster refused node={} peer={} reason=\"{}\"", registration.node.id.str(),
                  registration.peer, why.message());
    self->send(state.placement, ForeignerRefused{registration.node, why.message()});
  }
  return why;
}

caf::result<AdoptedNode> OnAdopt(Self self, const AdoptNode& adopt) {
  auto& state = self->state;
  if (!state.guard.Adopt(adopt.node))
    return MakeError(NotFound("no agent of another cluster asked for entry as node '" + adopt.node.str() +
                              "'; `avocet node list` shows those that did"));
  self->send(state.placement, ForeignerAdopted{adopt.node, "it joins cluster " + ClusterName(state.guard.cluster())});
  return AdoptedNode{adopt.node};
}

/// Why the registration does not count; ok: its session speaks for the node from now on.
Status OpenSession(Self self, const RegisterAgent& registration) {
  auto& state = self->state;
  const auto now = self->clock().now();
  const NodeId& node = registration.node.id;
  // The message may come from a stolen certificate: nothing of it is used before it passed.
  if (auto status = CheckRegistration(registration.node, registration.running); !status.ok())
    return RefuseClaim(self, node, status);
  if (!state.registrations.Take(node, now))
    return RefuseClaim(self, node, ResourceExhausted("registers too often: 30 times at once, then once a second"));

  // Before the lease: it must not take the place of one of our own.
  AVOCET_RETURN_IF_ERROR(CheckCluster(self, registration));

  // Two agents of one name must not take turns: the living one keeps the lease, and the operator learns of the other.
  switch (state.leases.Open(node, {registration.node.boot, registration.session}, registration.instance, now)) {
  case Claim::kTaken:
    return RefuseNamesake(self, node, registration.peer);
  case Claim::kCopied:
    return RefuseCopy(self, node, registration.peer);
  case Claim::kReplaced:
    return Replaced(node);
  case Claim::kOpen:
    break;
  }
  state.speakers[node] = {registration.peer, false, registration.node, registration.acks};
  return {};
}

/// The placement actor has the node on disk. A device actor outlives sessions and keeps its estimate; only the target
/// of its acknowledgements is new.
void Attach(Self self, const NodeId& node, const SessionId& session) {
  auto& state = self->state;
  if (!state.leases.IsCurrent(node, session)) return;
  const Speaker& speaker = state.speakers[node];
  for (const auto& spec : speaker.info.devices) {
    if (!state.devices.contains(spec.id())) SpawnDevice(self, spec.id());
    self->send(state.devices[spec.id()], SetAckTarget{speaker.acks});
  }
}

caf::result<Welcome> OnRegister(Self self, RegisterAgent& registration) {
  auto& state = self->state;
  if (auto status = OpenSession(self, registration); !status.ok()) return MakeError(status);

  const NodeId node = registration.node.id;
  const SessionId session{registration.node.boot, registration.session};
  auto promise = self->make_response_promise<Welcome>();
  // Devices only once the placement actor took the node: it refuses one that there is no room for.
  self->request(state.placement, state.options.deadlines.store,
                NodeUp{std::move(registration.node), std::move(registration.running), std::move(registration.agent),
                       registration.highest_epoch})
      .then(
          [self, node, session, promise](const Welcome& welcome) mutable {
            Attach(self, node, session);
            promise.deliver(welcome);
          },
          [promise](const caf::error& error) mutable { Refuse(promise, ToStatus(error, "placement")); });
  return promise;
}

caf::result<Done> OnHeartbeat(Self self, const Heartbeat& heartbeat) {
  if (auto status = CheckSpeaker(heartbeat.node, heartbeat.boot); !status.ok())
    return MakeError(RefuseClaim(self, heartbeat.node, status));
  const SessionId session{heartbeat.boot, heartbeat.session};
  if (self->state.leases.Renew(heartbeat.node, session, self->clock().now())) return Done{};
  return MakeError(NotCurrent(self, heartbeat.node, session));
}

caf::result<Done> OnReport(Self self, ReportRunning& report) {
  if (auto status = CheckSpeaker(report.node, report.boot); !status.ok())
    return MakeError(RefuseClaim(self, report.node, status));
  const SessionId session{report.boot, report.session};
  if (!self->state.leases.IsCurrent(report.node, session)) return MakeError(NotCurrent(self, report.node, session));
  if (auto status = CheckReport(self->state.speakers[report.node].info, report.running); !status.ok())
    return MakeError(RefuseClaim(self, report.node, status));
  return self->delegate(self->state.placement, std::move(report));
}

void Away(Self self, const NodeId& node, const std::string& why) {
  self->state.speakers.erase(node);
  self->send(self->state.placement, NodeAway{node, why});
}

void OnGoodbye(Self self, const Goodbye& goodbye) {
  if (self->state.leases.Close(goodbye.node, {goodbye.boot, goodbye.session}))
    Away(self, goodbye.node, "its agent was stopped");
}

void LookAtDisk(Self self) {
  auto& state = self->state;
  if (self->clock().now() < state.next_disk_look) return;
  state.next_disk_look = self->clock().now() + state.options.disk_tick;
  if (auto change = state.disk.Look()) self->send(state.placement, DiskRoomChanged{std::move(*change)});
}

void CheckLeases(Self self) {
  auto& state = self->state;
  LookAtDisk(self);
  for (auto& node : state.leases.TakeExpired(self->clock().now()))
    Away(self, node, "no heartbeat within the lease");
  self->delayed_send(self, state.options.lease_tick, LeaseTick{});
}

/// Windows of a past session, or of a device that is not registered yet, are not acknowledged: who still
/// has them sends them again.
void OnWindows(Self self, ReportWindows& report) {
  auto& state = self->state;
  if (!state.leases.IsCurrent(report.node, {report.boot, report.session})) return;

  const NodeInfo& speaker = state.speakers[report.node].info;
  if (auto status = CheckWindowCount(speaker, report.windows.size()); !status.ok()) {
    (void)RefuseClaim(self, report.node, status);
    return;
  }

  // Each window by itself: one that is refused must not cost the good ones of the same message.
  for (auto& sent : report.windows) {
    if (auto status = CheckWindow(speaker, sent); !status.ok())
      (void)RefuseClaim(self, report.node, status);
    else if (const auto device = state.devices.find(sent.window.device); device != state.devices.end())
      self->send(device->second, ReportWindow{std::move(sent)});
  }
}

template <class Actor> void End(Self self, const Actor& child) {
  self->unlink_from(child.address());
  self->send_exit(child, caf::exit_reason::user_shutdown);
}

/// Children end in the order of the data: measurements, placements, then the disk.
caf::result<Done> OnStop(Self self) {
  auto& state = self->state;
  auto promise = self->make_response_promise<Done>();

  // Unlinked first, so that an ordered end of a child is not taken for a crash and started again.
  for (const auto& [id, actor] : state.devices)
    End(self, actor);
  End(self, state.placement);
  End(self, state.snapshots);

  // The store ends last and is waited for: it commits what its mailbox holds before it answers.
  self->unlink_from(state.store.address());
  self->request(state.store, state.options.deadlines.store, StopActor{})
      .then(
          [self, promise](Done) mutable {
            promise.deliver(Done{});
            self->quit();
          },
          // A failed last write is reported to who asked, but the process still has to end.
          [self, promise](const caf::error& error) mutable {
            Refuse(promise, ToStatus(error, "store"));
            self->quit(caf::exit_reason::user_shutdown);
          });
  return promise;
}

void Adopt(Self self, const ControllerActorArgs& args) {
  auto& state = self->state;
  state.options = args.options;
  state.leases = LeaseTable(args.options.lease);
  state.disk = DiskRoomWatch(args.options.data_dir);
  state.guard = ClusterGuard(args.records.cluster);
  state.store = args.store;
  state.snapshots = SpawnSnapshots(self->system(), {args.store, args.options}, args.options.detached);
  self->link_to(state.snapshots);

  auto placement = std::make_shared<const PlacementActorArgs>(
      PlacementActorArgs{args.records, args.store, state.snapshots, args.options});
  state.placement = self->spawn<caf::linked>(PlacementBehavior, placement);
  state.totals = args.records.totals;
  for (const auto& [id, device] : args.records.view.devices) {
    state.fits[id] = device.fit;
    SpawnDevice(self, id);
  }
}

/// With the first piece the file is verified.
caf::result<ModelChunk> OnFetch(Self self, FetchModel& fetch) {
  auto& state = self->state;
  if (fetch.offset > 0) return self->delegate(state.store, std::move(fetch));

  auto promise = self->make_response_promise<ModelChunk>();
  const Sha256 file = fetch.file;
  self->request(state.store, caf::infinite, std::move(fetch)) // who asks has a deadline
      .then([promise](ModelChunk& chunk) mutable { promise.deliver(std::move(chunk)); },
            [self, promise, file](const caf::error& error) mutable {
              const Status status = ToStatus(error, "store");
              if (status.code() == StatusCode::kCorruption)
                self->send(self->state.placement, ModelFileLost{file, status.message()});
              Refuse(promise, status);
            });
  return promise;
}

template <class Message> auto ToPlacement(Self self) {
  return [self](Message& message) { return self->delegate(self->state.placement, std::move(message)); };
}

template <class Message> auto ToSnapshots(Self self) {
  return [self](Message& message) { return self->delegate(self->state.snapshots, std::move(message)); };
}

template <class Message> auto ToStore(Self self) {
  return [self](Message& message) { return self->delegate(self->state.store, std::move(message)); };
}

} // namespace

controller_actor::behavior_type ControllerBehavior(Self self, const std::shared_ptr<const ControllerActorArgs>& args) {
  Adopt(self, *args);

  // A device actor's crash must not end the controller: OnChildExit starts it again.
  self->set_exit_handler([self](caf::exit_msg& exit) { OnChildExit(self, exit); });

  self->link_to(self->state.store);
  self->delayed_send(self, self->state.options.lease_tick, LeaseTick{});

  return {
      ToSnapshots<GetVersion>(self),
      ToSnapshots<ListNodes>(self),
      ToSnapshots<ListDevices>(self),
      ToStore<PutModelChunk>(self),
      [self](FetchModel& fetch) { return OnFetch(self, fetch); },
      ToPlacement<ImportModel>(self),
      ToSnapshots<ListModels>(self),
      ToPlacement<ProfileModel>(self),
      ToPlacement<PlanApp>(self),
      ToPlacement<ApplyApp>(self),
      ToSnapshots<ListApps>(self),
      ToSnapshots<GetApp>(self),
      ToSnapshots<ExplainApp>(self),
      ToPlacement<RemoveApp>(self),
      ToPlacement<Rebalance>(self),
      ToPlacement<ListEvents>(self),
      ToPlacement<WaitForEvents>(self),

      [self](const AdoptNode& adopt) { return OnAdopt(self, adopt); },

      // What only agents send; control_actor does not have these.
      [self](RegisterAgent& registration) { return OnRegister(self, registration); },
      [self](const Heartbeat& heartbeat) { return OnHeartbeat(self, heartbeat); },
      [self](ReportRunning& report) { return OnReport(self, report); },
      [self](ReportWindows& report) { OnWindows(self, report); },
      [self](const Goodbye& goodbye) { OnGoodbye(self, goodbye); },
      ToPlacement<MayFetch>(self),

      [self](LeaseTick) { CheckLeases(self); },
      [self](StopActor) { return OnStop(self); },
  };
}

Result<controller_actor> SpawnController(caf::actor_system& system, std::unique_ptr<Store> store,
                                         std::optional<ModelFiles> files, const ControllerOptions& options) {
  AVOCET_ASSIGN_OR_RETURN(auto records, LoadControllerRecords(*store));
  if (files) AVOCET_RETURN_IF_ERROR(NoteLostFiles(*store, *files, records));
  auto args = std::make_shared<ControllerActorArgs>();
  args->records = std::move(records);
  args->options = options;
  args->store = SpawnStore(system, std::move(store), std::move(files), options.detached);
  return system.spawn(ControllerBehavior, std::shared_ptr<const ControllerActorArgs>(args));
}

} // namespace avocet
