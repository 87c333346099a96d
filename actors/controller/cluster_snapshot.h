#pragma once

#include <cstdint>
#include <map>

#include "actors/interfaces.h"
#include "controller/cluster/cluster_view.h"

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
};

} // namespace avocet
