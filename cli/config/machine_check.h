#pragma once

#include <vector>

#include "cli/config/config_files.h"
#include "messages/status.h"
#include "node_agent/probes/machine_probe.h"

namespace avocet {

/// Whether this machine has what the devices of a file take: their cores, and their memory (a GPU's own, else the
/// machine's; all that share the machine's memory together). Emulated devices occupy no hardware. kInvalidArgument
/// names the device, the field and what there is.
Status CheckMachineHas(const std::vector<DeviceConfig>& devices, const Machine& machine);

} // namespace avocet
