#pragma once

#include <map>
#include <memory>
#include <optional>

#include "actors/controller/controller_records.h"
#include "actors/interfaces.h"
#include "actors/options.h"
#include "actors/protocol/cluster_guard.h"
#include "actors/protocol/keyed_budget.h"
#include "actors/protocol/lease_table.h"
#include "messages/log_budget.h"
#include "node_agent/model_files.h"
#include "storage/disk_room.h"

namespace avocet {

struct ControllerActorArgs {
  ControllerRecords records;
  store_actor store;
  ControllerOptions options;
};

/// Who speaks for a node.
struct Speaker {
  std::string peer;              ///< address; empty: inside this process
  bool namesake_refused = false; ///< an event says so
  NodeInfo info;                 ///< as it registered: what its agent may speak of
  window_ack_handle acks;        ///< who is told what became of its windows
};

/// The root of a controller: sessions and leases of agents, its children, the order of stopping.
/// Everything that concerns placements it hands to the placement actor.
struct ControllerActorState {
  static inline const char* name = "controller";
  ControllerOptions options;
  store_actor store;
  snapshot_actor snapshots;
  placement_actor placement;
  std::map<DeviceId, device_actor> devices;
  std::map<DeviceId, DeviceFit> fits;                 ///< what a device actor starts from
  std::map<DeviceId, std::vector<TotalsSlot>> totals; ///< what a device actor starts its totals from
  LeaseTable leases{Duration{}};
  ClusterGuard guard{0};
  std::map<NodeId, Speaker> speakers; ///< one for each node in `leases`
  /// Each registration is a write to the disk and changes what decisions rest on.
  KeyedBudget<NodeId> registrations{{.burst = 30, .interval = std::chrono::seconds(1)}};
  /// Lines about agents that say what they may not.
  LogBudget refusals{20, std::chrono::seconds(1)};
  DiskRoomWatch disk{""};
  caf::actor_clock::time_point next_disk_look;
};

controller_actor::behavior_type ControllerBehavior(controller_actor::stateful_pointer<ControllerActorState> self,
                                                   const std::shared_ptr<const ControllerActorArgs>& args);

/// Reads the records, then spawns the store actor and the controller with its children.
/// Takes the store and the model files; fails when a record does not decode.
Result<controller_actor> SpawnController(caf::actor_system& system, std::unique_ptr<Store> store,
                                         std::optional<ModelFiles> files, const ControllerOptions& options);

} // namespace avocet
