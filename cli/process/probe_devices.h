#pragma once

#include <vector>

#include "cli/config/config_files.h"
#include "messages/device.h"
#include "messages/status.h"

namespace avocet {

/// The devices that an agent's file names, with the types that probing this machine gave; when it names
/// none: cpu0 (real), gpu0 and tpu0 (emulated). kInvalidArgument as CheckMachineHas.
Result<std::vector<DeviceSpec>> ProbeDevices(AgentConfig agent);

} // namespace avocet
