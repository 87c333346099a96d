#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "actors/agent/device_worker.h"
#include "actors/agent/uplink_actor.h"
#include "actors/interfaces.h"
#include "actors/options.h"
#include "actors/protocol/agent_plan.h"
#include "storage/disk_room.h"

namespace avocet {

struct AgentActorArgs {
  NodeInfo node;
  uint64_t instance = 0;       ///< see RegisterAgent
  std::vector<Placement> plan; ///< the cached plan, run before any controller answers
  uint64_t highest_epoch = 0;  ///< of all commands before this start of the process
  uint64_t cluster = 0;        ///< that it belonged to at the start; 0: none yet
  store_actor store;
  std::shared_ptr<const DeviceDriver> driver;
  std::function<std::vector<MeasurementWindow>()> close_windows;
  std::function<void(SetPredictions)> show_predictions = [](const SetPredictions&) {};
  AgentActorOptions options;
};

/// The root of an agent: its session with the controller, the commands, its children. What it was
/// commanded to run is on disk before it answers, and is run again after a restart, controller or not. The rules are
/// AgentPlan's (actors/protocol/agent_plan.h).
struct AgentActorState {
  static inline const char* name = "agent";
  std::shared_ptr<const AgentActorArgs> args;
  std::map<DeviceId, device_worker> workers;
  uplink_actor uplink;
  agent_link_actor controller;
  uint64_t cluster = 0; ///< as the disk has it
  DiskRoomWatch disk{""};
  caf::actor_clock::time_point next_disk_look;
  bool registered = false;
  bool asking = false;           ///< a registration or heartbeat is under way
  std::optional<AgentPlan> plan; ///< holds a value once the actor has started
};

agent_actor::behavior_type AgentBehavior(agent_actor::stateful_pointer<AgentActorState> self,
                                         const std::shared_ptr<const AgentActorArgs>& args);

} // namespace avocet
