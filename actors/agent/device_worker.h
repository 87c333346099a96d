#pragma once

#include <functional>
#include <memory>

#include "actors/interfaces.h"

namespace avocet {

/// What a device worker drives: the blocking calls of a Node (node_agent/node.h), or a test's fake.
struct DeviceDriver {
  /// Makes a command known before its turn comes, so that what it overtakes gives up. Never blocks; any thread.
  std::function<void(const Command&)> announce = [](const Command&) {};
  std::function<Status(const Command&)> start; ///< ok: its copy was published
  std::function<Status(const Command&)> stop;
  std::function<Result<Profile>(const ProfileOnDevice&)> profile;
};

/// Carries out commands on one device, one after the other. Blocks for as long as a model loads or
/// drains: spawn it detached.
device_worker::behavior_type DeviceWorkerBehavior(device_worker::pointer self,
                                                  const std::shared_ptr<const DeviceDriver>& driver);

} // namespace avocet
