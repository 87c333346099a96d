#pragma once

#include <memory>

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>

namespace avocet {

/// The settings of every Avocet process: shared queue (work stealing polls: 1 % of a core, idle), few
/// threads (what blocks is detached), no middleman.
class ActorSystemConfig : public caf::actor_system_config {
public:
  explicit ActorSystemConfig(size_t threads = 2) {
    set("scheduler.policy", caf::atom("sharing"));
    set("scheduler.max-threads", threads);
  }
};

} // namespace avocet
