#include "cli/config/machine_check.h"

#include <algorithm>

#include <fmt/format.h>

namespace avocet {
namespace {

uint64_t Mebibytes(uint64_t bytes) {
  return bytes / kMiB;
}

Status CheckCores(const DeviceConfig& device, const std::vector<int>& there) {
  for (const int core : device.cores) {
    if (std::find(there.begin(), there.end(), core) == there.end())
      return InvalidArgument(fmt::format("device '{}': field 'cores' names core {}; this machine has cores {}",
                                         device.name, core, fmt::join(there, ", ")));
  }
  return {};
}

/// What a device's models may occupy at most, and whose memory it is.
struct Memory {
  uint64_t mebibytes = 0;
  const char* owner = "";
};

Memory MemoryOf(const DeviceConfig& device, const Machine& machine) {
  if (device.kind == DeviceKind::kGpu && !machine.gpus.empty())
    return {Mebibytes(machine.gpus.front().memory_bytes), "the GPU"};
  return {Mebibytes(machine.cpu.memory_bytes), "this machine"};
}

} // namespace

Status CheckMachineHas(const std::vector<DeviceConfig>& devices, const Machine& machine) {
  uint64_t shared = 0;
  for (const DeviceConfig& device : devices) {
    if (device.engine == EngineKind::kEmulated) continue;
    AVOCET_RETURN_IF_ERROR(CheckCores(device, machine.cpu.cores));

    const Memory memory = MemoryOf(device, machine);
    const auto wanted = static_cast<uint64_t>(device.memory_mb);
    if (device.kind == DeviceKind::kCpu) shared += wanted;
    if (wanted > memory.mebibytes)
      return InvalidArgument(fmt::format("device '{}': field 'memory_mb' is {}; {} has {} MiB", device.name, wanted,
                                         memory.owner, memory.mebibytes));
  }

  const uint64_t there = Mebibytes(machine.cpu.memory_bytes);
  if (shared <= there) return {};
  return InvalidArgument(
      fmt::format("the cpu devices' fields 'memory_mb' come to {} together; this machine has {} MiB", shared, there));
}

} // namespace avocet
