#include "actors/agent_actor.h"

#include <optional>

#include <caf/actor_system.hpp>
#include <caf/send.hpp>
#include <caf/typed_event_based_actor.hpp>
#include <spdlog/spdlog.h>

#include "actors/errors.h"
#include "messages/text.h"
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

void Report(Self self, const RunningApp& running) {
  auto& state = self->state;
  if (!state.registered) return; // the registration will carry it
  self->request(state.controller, Options(self).deadlines.local, ReportRunning{Info(self).id, running, Info(self).boot})
      .then([](Done) {},
            [self](const caf::error& error) {
              spdlog::warn("report not taken reason=\"{}\"", ToStatus(error, "controller").message());
              self->state.registered = false; // the next registration repeats everything
            });
}

RunningApp Planned(const Command& command) {
  return {.app = command.app,
          .device = command.device,
          .model = command.model,
          .format = command.format,
          .file = command.file,
          .epoch = command.epoch};
}

void OnStarted(Self self, const RunningApp& result) {
  auto& state = self->state;
  const auto known = state.running.find(result.app);
  if (known == state.running.end() || known->second.epoch != result.epoch) return; // replaced meanwhile
  known->second = result;
  if (result.phase != PlacementPhase::kStarting) state.retries.erase(result.app);
  if (result.phase == PlacementPhase::kReady)
    spdlog::info("application ready app={} device={}", result.app.str(), result.device.str());
  if (result.phase == PlacementPhase::kFailed)
    spdlog::error("application failed app={} reason=\"{}\"", result.app.str(), result.reason);
  Report(self, result);
}

/// Notes when to try again; false when it was tried often enough.
bool PlanRetry(Self self, const Command& command) {
  auto& state = self->state;
  const auto& options = Options(self);
  const StartRetry fresh{command, Backoff(options.start_backoff, command.epoch), 0, false, {}};
  auto& retry = state.retries.try_emplace(command.app, fresh).first->second;
  if (++retry.attempts >= options.max_start_attempts) return false;
  retry.under_way = false;
  retry.next = self->clock().now() + retry.backoff.Next();
  return true;
}

void OnStartFailed(Self self, const Command& command, const Status& status) {
  const auto known = self->state.running.find(command.app);
  if (known == self->state.running.end() || known->second.epoch != command.epoch) return; // replaced meanwhile
  RunningApp result = Planned(command);
  const bool again = status.code() == StatusCode::kUnavailable && PlanRetry(self, command);
  if (again) spdlog::warn("start to be tried again app={} reason=\"{}\"", command.app.str(), status.message());
  result.phase = again ? PlacementPhase::kStarting : PlacementPhase::kFailed;
  // Cut to leave room for what is added, as a report that is too long is refused.
  result.reason = ToText(status.ToString(), kMaxTextBytes / 2) + (again ? "; it is tried again" : "");
  OnStarted(self, result);
}

void Execute(Self self, const Command& command) {
  auto& state = self->state;
  self->request(state.workers.at(command.device), Options(self).deadlines.execute, ExecuteCommand{command})
      .then(
          [self, kind = command.kind](const RunningApp& result) {
            if (kind == CommandKind::kStart) return OnStarted(self, result);
            if (result.phase == PlacementPhase::kFailed)
              spdlog::error("stop failed app={} reason=\"{}\"", result.app.str(), result.reason);
          },
          [self, command](const caf::error& error) {
            if (command.kind == CommandKind::kStart) OnStartFailed(self, command, ToStatus(error, "device worker"));
          });
}

/// Without a controller there is nobody to fetch from: the attempts wait.
void RetryStarts(Self self) {
  auto& state = self->state;
  if (!state.controller) return;
  for (auto& [app, retry] : state.retries) {
    if (retry.under_way || self->clock().now() < retry.next) continue;
    retry.under_way = true;
    Execute(self, retry.command);
  }
}

Command StartOf(const RunningApp& running) {
  return {.kind = CommandKind::kStart,
          .epoch = running.epoch,
          .device = running.device,
          .app = running.app,
          .model = running.model,
          .format = running.format,
          .file = running.file};
}

/// What the command makes of the plan, in memory and for the disk.
WriteBatch TakeIntoPlan(AgentActorState& state, const Command& command) {
  WriteBatch batch;
  state.epochs[command.app] = command.epoch;
  state.retries.erase(command.app);
  if (command.kind == CommandKind::kStart) {
    state.running[command.app] = Planned(command);
    Put(batch, kPlan, state.running[command.app]);
  } else {
    const auto known = state.running.find(command.app);
    if (known == state.running.end() || known->second.device != command.device) return batch;
    state.running.erase(known);
    Delete(batch, kPlan, command.app.str());
  }
  return batch;
}

/// An application's part of the plan, to go back to when the disk refuses a change.
struct PlanEntry {
  std::optional<RunningApp> running;
  uint64_t epoch = 0;
};

PlanEntry Remember(const AgentActorState& state, const AppId& app) {
  PlanEntry entry;
  if (const auto it = state.running.find(app); it != state.running.end()) entry.running = it->second;
  if (const auto it = state.epochs.find(app); it != state.epochs.end()) entry.epoch = it->second;
  return entry;
}

void GoBack(AgentActorState& state, const AppId& app, const PlanEntry& entry) {
  state.running.erase(app);
  if (entry.running) state.running[app] = *entry.running;
  state.epochs[app] = entry.epoch;
}

bool IsPast(const AgentActorState& state, const Command& command) {
  const auto seen = state.epochs.find(command.app);
  return seen != state.epochs.end() && command.epoch <= seen->second;
}

caf::result<Done> OnCommand(Self self, const Command& command) {
  if (auto status = Validate(command); !status.ok()) return MakeError(status);
  auto& state = self->state;
  if (!state.workers.contains(command.device))
    return MakeError(NotFound("device '" + command.device.str() + "' is not on node '" + Info(self).id.str() + "'"));
  if (IsPast(state, command)) {
    if (const auto known = state.running.find(command.app); known != state.running.end()) Report(self, known->second);
    return Done{};
  }
  auto promise = self->make_response_promise<Done>();
  const PlanEntry before = Remember(state, command.app);
  self->request(state.args->store, Options(self).deadlines.store, WriteRecords{TakeIntoPlan(state, command)})
      .then(
          [self, command, promise](Done) mutable {
            promise.deliver(Done{});
            Execute(self, command);
          },
          [self, before, app = command.app, promise](const caf::error& error) mutable {
            GoBack(self->state, app, before);
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

std::vector<RunningApp> RunningNow(const AgentActorState& state) {
  std::vector<RunningApp> running;
  for (const auto& [app, one] : state.running)
    running.push_back(one);
  return running;
}

void Register(Self self) {
  auto& state = self->state;
  RegisterAgent registration{Info(self),
                             RunningNow(state),
                             caf::actor_cast<agent_handle>(self),
                             caf::actor_cast<window_ack_handle>(state.uplink),
                             0,
                             state.args->instance};
  state.asking = true;
  self->request(state.controller, Options(self).deadlines.local, std::move(registration))
      .then(
          [self](Done) {
            self->state.asking = false;
            self->state.registered = true;
            self->send(self->state.uplink, SetWindowTarget{self->state.controller});
            for (const auto& [app, running] : self->state.running)
              Report(self, running); // moved on meanwhile
          },
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

void OnSessionTick(Self self) {
  auto& state = self->state;
  self->delayed_send(self, Options(self).heartbeat, SessionTick{});
  RetryStarts(self);
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
  StopChild(self, state.uplink, Options(self).deadlines.local, [self, promise] {
    const auto& state = self->state;
    if (state.controller) self->send(state.controller, Goodbye{Info(self).id, Info(self).boot});
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
  self->link_to(args.store);
}

void ResumePlan(Self self) {
  auto& state = self->state;
  for (const auto& planned : state.args->plan) {
    if (!state.workers.contains(planned.device)) {
      spdlog::warn("planned device is gone app={} device={}", planned.app.str(), planned.device.str());
      continue;
    }
    state.epochs[planned.app] = planned.epoch;
    auto& running = state.running[planned.app] = planned;
    running.phase = PlacementPhase::kStarting;
    Execute(self, StartOf(running));
  }
}

} // namespace

agent_actor::behavior_type AgentBehavior(Self self, const std::shared_ptr<const AgentActorArgs>& args) {
  self->state.args = args;
  SpawnChildren(self);
  ResumePlan(self);
  self->delayed_send(self, Options(self).heartbeat, SessionTick{});
  return {
      [self](const RunCommand& run) { return OnCommand(self, run.command); },
      [self](ProfileOnDevice& profile) { return OnProfile(self, profile); },
      [self](SetPredictions& predictions) { self->state.args->show_predictions(std::move(predictions)); },
      [self](ConnectTo& connect) {
        self->state.controller = std::move(connect.controller);
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
