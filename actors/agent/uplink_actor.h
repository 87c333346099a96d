#pragma once

#include <functional>
#include <vector>

#include "actors/interfaces.h"
#include "actors/options.h"
#include "actors/protocol/window_buffer.h"

namespace avocet {

struct UplinkArgs {
  NodeId node;
  BootId boot;
  /// Closes the current window of every device of the node. Does not block.
  std::function<std::vector<MeasurementWindow>()> close_windows;
  AgentActorOptions options;
};

/// Streams measurement windows to the controller and keeps each until it is acknowledged.
struct UplinkState {
  static inline const char* name = "uplink";
  WindowBuffer buffer{WindowBufferOptions{}};
  agent_link_actor controller;
  uint64_t reported_drops = 0;
};

uplink_actor::behavior_type UplinkBehavior(uplink_actor::stateful_pointer<UplinkState> self,
                                           const std::shared_ptr<const UplinkArgs>& args);

} // namespace avocet
