#pragma once

#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "actors/backoff.h"
#include "actors/device_worker.h"
#include "actors/interfaces.h"
#include "actors/options.h"
#include "actors/uplink_actor.h"

namespace avocet {

struct AgentActorArgs {
  NodeInfo node;
  uint64_t instance = 0;        ///< see RegisterAgent
  std::vector<RunningApp> plan; ///< the cached plan, run before any controller answers
  store_actor store;
  std::shared_ptr<const DeviceDriver> driver;
  std::function<std::vector<MeasurementWindow>()> close_windows;
  std::function<void(SetPredictions)> show_predictions = [](const SetPredictions&) {};
  AgentActorOptions options;
};

/// A start that failed for a reason that passes by itself: the model file could not be fetched.
struct StartRetry {
  Command command;
  Backoff backoff;
  int attempts = 0; ///< that failed
  bool under_way = false;
  caf::actor_clock::time_point next; ///< unless under way
};

/// The root of an agent: its session with the controller, the commands, its children. What it was
/// commanded to run is on disk before it answers, and is run again after a restart, controller or not.
struct AgentActorState {
  static inline const char* name = "agent";
  std::shared_ptr<const AgentActorArgs> args;
  std::map<DeviceId, device_worker> workers;
  uplink_actor uplink;
  agent_link_actor controller;
  bool registered = false;
  bool asking = false;                 ///< a registration or heartbeat is under way
  std::map<AppId, RunningApp> running; ///< the plan and how far it is
  std::map<AppId, uint64_t> epochs;    ///< the highest seen, of stopped applications too
  std::map<AppId, StartRetry> retries; ///< of what is in `running`
};

agent_actor::behavior_type AgentBehavior(agent_actor::stateful_pointer<AgentActorState> self,
                                         const std::shared_ptr<const AgentActorArgs>& args);

} // namespace avocet
