#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "actors/interfaces.h"
#include "controller/cluster/cluster_view.h"
#include "controller/cluster/orphans.h"

namespace avocet {

/// Who carries out commands for a node.
struct RegisteredAgent {
  agent_handle handle;
  uint64_t registration = 0; ///< greater for every later one
};

/// What the placement actor knows, at one moment. Immutable once it is sent. Changes that are under way to the disk are
/// left out.
struct ClusterSnapshot {
  ClusterView view;
  std::map<NodeId, RegisteredAgent> agents; ///< of nodes that are there
  std::map<DeviceId, device_actor> devices; ///< those that hold measurements
  Orphans orphans;
  std::map<NodeId, ForeignerRefused> foreigners;
  std::map<Sha256, std::string> lost_files; ///< see ControllerRecords
};

} // namespace avocet
