#include "actors/agent/agent_actor.h"

#include <optional>

#include <caf/actor_system.hpp>
#include <caf/sec.hpp>
#include <caf/send.hpp>
#include <caf/typed_event_based_actor.hpp>
#include <spdlog/spdlog.h>

#include "actors/errors.h"
#include "actors/protocol/cluster_guard.h"
#include "storage/records.h"

namespace avocet {
namespace {

using Self = agent_actor::stateful_pointer<AgentActorState>;

const NodeInfo& Info(Self self) {
  return self->state.args->node;
}

const AgentActorOptions& Options(Self self) {
  return self->state.args->options;
}

void Report(Self self, const Placement& running) {
  auto& state = self->state;
  if (!state.registered) return; // the registration will carry it
  self->request(state.controller, Options(self).deadlines.local, ReportRunning{Info(self).id, running, Info(self).boot})
      .then([](Done) {},
            [self](const caf::error& error) {
              spdlog::warn("report not taken reason=\"{}\"", ToStatus(error, "controller").message());
              self->state.registered = false; // the next registration repeats everything
            });
}

void LogOutcome(const Placement& report) {
  switch (report.phase) {
  case PlacementPhase::kReady:
    return spdlog::info("application ready app={} device={} epoch={}", report.app.str(), report.device.str(),
                        report.epoch);
  case PlacementPhase::kFailed:
    return spdlog::error("application failed app={} reason=\"{}\"", report.app.str(), report.reason);
  case PlacementPhase::kStarting:
  case PlacementPhase::kLost:
    return spdlog::warn("start to be tried again app={} reason=\"{}\"", report.app.str(), report.reason);
  }
}

/// Nothing of a start that was overtaken.
void ReportStart(Self self, const std::vector<Placement>& reports) {
  if (!reports.empty()) LogOutcome(reports.front());
  for (const auto& report : reports)
    Report(self, report);
}

void OnExecuted(Self self, const Command& command, const Status& status) {
  auto& plan = *self->state.plan;
  const auto now = self->clock().now();
  if (command.kind == CommandKind::kStart)
    return ReportStart(self, status.ok() ? plan.Started(command) : plan.Failed(command, status, now));
  if (status.ok()) return;
  spdlog::error("stop failed app={} reason=\"{}\"", command.app.str(), status.message());
  plan.StopFailed(command, now);
}

/// A device that is late may still publish what it was asked for. It is asked again, behind the first attempt, so that
/// the answer says how that one ended.
Status OutcomeOf(const caf::error& error) {
  if (error == caf::sec::request_timeout) return Unavailable("the device has not finished in time");
  return ToStatus(error, "device worker");
}

void Execute(Self self, const Command& command) {
  self->request(self->state.workers.at(command.device), Options(self).deadlines.execute, ExecuteCommand{command})
      .then([self, command](Done) { OnExecuted(self, command, {}); },
            [self, command](const caf::error& error) { OnExecuted(self, command, OutcomeOf(error)); });
}

/// Without a controller there is nobody to fetch a model from: the attempts wait.
void RetryCommands(Self self) {
  auto& state = self->state;
  if (!state.controller) return;
  for (const auto& command : state.plan->Retries(self->clock().now()))
    Execute(self, command);
}

/// The command is on disk.
void OnDurable(Self self, const Command& command) {
  auto& state = self->state;
  // Known at once: the device may be busy for a minute with what this command overtakes.
  state.args->driver->announce(command);

  const auto step = state.plan->Commit(command);
  if (step.report) Report(self, *step.report);
  if (step.execute) Execute(self, *step.execute);
}

caf::result<Done> OnCommand(Self self, const Command& command) {
  if (auto status = Validate(command); !status.ok()) return MakeError(status);
  auto& state = self->state;
  if (!state.workers.contains(command.device))
    return MakeError(NotFound("device '" + command.device.str() + "' is not on node '" + Info(self).id.str() + "'"));

  // The command is carried out only once it is on disk: after a crash the node runs what it acknowledged.
  auto records = state.plan->Take(command);
  if (!records.ok()) return MakeError(records.status());

  auto promise = self->make_response_promise<Done>();
  // Answered when it is durable: loading a model may take longer than the request's deadline. A report follows. Without
  // a deadline: on a slow disk it would pass, and what counts as refused here would be written all the same.
  self->request(state.args->store, caf::infinite, WriteRecords{std::move(*records)})
      .then(
          [self, command, promise](Done) mutable {
            promise.deliver(Done{});
            OnDurable(self, command);
          },
          [self, command, promise](const caf::error& error) mutable {
            self->state.plan->Refused(command);
            Refuse(promise, ToStatus(error, "store"));
          });
  return promise;
}

caf::result<Profile> OnProfile(Self self, ProfileOnDevice& profile) {
  const auto worker = self->state.workers.find(profile.device);
  if (worker == self->state.workers.end())
    return MakeError(NotFound("device '" + profile.device.str() + "' is not on node '" + Info(self).id.str() + "'"));
  return self->delegate(worker->second, std::move(profile));
}

/// Kept before anything else is: it tells a controller that must not touch what runs here from the one that may.
void JoinCluster(Self self, uint64_t cluster) {
  if (cluster == 0 || cluster == self->state.cluster) return;
  WriteBatch batch;
  Put(batch, kCluster, cluster);
  self->request(self->state.args->store, caf::infinite, WriteRecords{std::move(batch)})
      .then(
          [self, cluster](Done) {
            self->state.cluster = cluster;
            spdlog::info("joined cluster cluster={}", ClusterName(cluster));
          },
          // The next registration is welcomed with it again.
          [](const caf::error& error) {
            spdlog::error("cluster not recorded reason=\"{}\"", ToStatus(error, "store").message());
          });
}

void Register(Self self) {
  auto& state = self->state;

  // Session 0 and no peer: those of an agent inside the controller. For a remote one the link fills in its own.
  RegisterAgent registration{Info(self),
                             state.plan->Running(),
                             caf::actor_cast<agent_handle>(self),
                             caf::actor_cast<window_ack_handle>(state.uplink),
                             0,
                             state.args->instance,
                             "",
                             state.plan->highest_epoch(),
                             state.cluster};

  // A heartbeat before the answer would be refused, as the session does not exist yet, and lead to a second
  // registration.
  state.asking = true;
  self->request(state.controller, Options(self).deadlines.local, std::move(registration))
      .then(
          [self](const Welcome& welcome) {
            self->state.asking = false;
            self->state.registered = true;
            JoinCluster(self, welcome.cluster);
            // Windows go out only now: the controller drops those of a node that has no session.
            self->send(self->state.uplink, SetWindowTarget{self->state.controller});
            for (const auto& running : self->state.plan->Running())
              Report(self, running); // moved on meanwhile
          },
          // The next session tick registers again.
          [self](const caf::error& error) {
            self->state.asking = false;
            spdlog::warn("registration failed reason=\"{}\"", ToStatus(error, "controller").message());
          });
}

void Beat(Self self) {
  auto& state = self->state;
  state.asking = true;
  self->request(state.controller, Options(self).deadlines.local, Heartbeat{Info(self).id, Info(self).boot})
      .then([self](Done) { self->state.asking = false; },
            [self](const caf::error&) { self->state.asking = self->state.registered = false; });
}

void LookAtDisk(Self self) {
  auto& state = self->state;
  if (self->clock().now() < state.next_disk_look) return;
  state.next_disk_look = self->clock().now() + Options(self).disk_tick;
  const auto change = state.disk.Look();
  if (change && change->low)
    spdlog::warn("disk low: without room commands are refused reason=\"{}\"", change->text);
  else if (change)
    spdlog::info("disk has room again reason=\"{}\"", change->text);
}

void OnSessionTick(Self self) {
  auto& state = self->state;
  LookAtDisk(self);
  self->delayed_send(self, Options(self).heartbeat, SessionTick{});
  RetryCommands(self);
  if (!state.controller || state.asking) return;
  if (state.registered)
    Beat(self);
  else
    Register(self);
}

/// Asks the child to stop; then, or when it does not, `then`.
template <class Actor>
void StopChild(Self self, const Actor& child, Duration deadline, const std::function<void()>& then) {
  self->request(child, deadline, StopActor{}).then([then](Done) { then(); }, [then](const caf::error&) { then(); });
}

/// Children end in the order of the data: the devices drain, the last windows go up, with a goodbye behind them,
/// then the disk.
caf::result<Done> OnStop(Self self) {
  auto& state = self->state;
  auto promise = self->make_response_promise<Done>();

  for (const auto& [id, worker] : state.workers)
    caf::anon_send(worker, StopActor{});

  // The uplink flushes its last windows before the goodbye, as the controller drops those of a closed session.
  StopChild(self, state.uplink, Options(self).deadlines.local, [self, promise] {
    const auto& state = self->state;
    if (state.controller) self->send(state.controller, Goodbye{Info(self).id, Info(self).boot});

    // The store last: until here, a command in progress could still write.
    StopChild(self, state.args->store, Options(self).deadlines.store, [self, promise]() mutable {
      promise.deliver(Done{});
      self->quit();
    });
  });
  return promise;
}

void SpawnChildren(Self self) {
  auto& state = self->state;
  const auto& args = *state.args;

  // One worker for each device: loading blocks it, and must not hold up the commands of the other devices.
  for (const auto& spec : args.node.devices) {
    auto& system = self->system();
    state.workers[spec.id()] = args.options.detached_workers
                                   ? system.spawn<caf::detached>(DeviceWorkerBehavior, args.driver)
                                   : system.spawn(DeviceWorkerBehavior, args.driver);
    self->link_to(state.workers[spec.id()]);
  }

  auto uplink =
      std::make_shared<const UplinkArgs>(UplinkArgs{args.node.id, args.node.boot, args.close_windows, args.options});
  state.uplink = self->spawn<caf::linked>(UplinkBehavior, uplink);

  // Without its store no command can become durable, so the agent ends with it.
  self->link_to(args.store);
}

void ResumePlan(Self self) {
  auto& state = self->state;
  std::vector<Placement> here;
  for (const auto& planned : state.args->plan) {
    if (state.workers.contains(planned.device))
      here.push_back(planned);
    else
      spdlog::warn("planned device is gone app={} device={}", planned.app.str(), planned.device.str());
  }
  state.plan.emplace(Options(self).plan, here, state.args->highest_epoch);
  for (const auto& start : state.plan->Resume())
    Execute(self, start);
}

} // namespace

agent_actor::behavior_type AgentBehavior(Self self, const std::shared_ptr<const AgentActorArgs>& args) {
  self->state.args = args;
  self->state.cluster = args->cluster;
  self->state.disk = DiskRoomWatch(args->options.data_dir);
  SpawnChildren(self);

  // Before any controller answers: the node serves its cached plan with or without one.
  ResumePlan(self);

  self->delayed_send(self, Options(self).heartbeat, SessionTick{});

  return {
      [self](const RunCommand& run) { return OnCommand(self, run.command); },
      [self](ProfileOnDevice& profile) { return OnProfile(self, profile); },
      [self](const RegisterAgain& again) {
        spdlog::warn("asked to register again reason=\"{}\"", again.why);
        self->state.registered = false; // the next session tick registers
      },
      [self](SetPredictions& predictions) { self->state.args->show_predictions(std::move(predictions)); },
      [self](ConnectTo& connect) {
        self->state.controller = std::move(connect.controller);
        // The next controller knows nothing of this node, so whatever was agreed with the last one is void.
        self->state.registered = self->state.asking = false;
        if (self->state.controller)
          Register(self);
        else
          self->send(self->state.uplink, SetWindowTarget{});
      },
      [self](SessionTick) { OnSessionTick(self); },
      [self](StopActor) { return OnStop(self); },
  };
}

} // namespace avocet
