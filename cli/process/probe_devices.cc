#include "cli/process/probe_devices.h"

#include "cli/config/machine_check.h"
#include "node_agent/probes/machine_probe.h"

namespace avocet {
namespace {

/// The real device may use this share of the machine's memory.
constexpr uint64_t kMemoryShare = 4;

std::vector<DeviceConfig> DefaultDevices(int last_core, int cpu_memory_mb) {
  return {
      {.name = "cpu0", .memory_mb = cpu_memory_mb, .cores = {last_core}},
      // A Jetson Nano's GPU and a Coral USB stick, by published measurements.
      {.name = "gpu0",
       .kind = DeviceKind::kGpu,
       .discipline = Discipline::kTimeShared,
       .engine = EngineKind::kEmulated,
       .memory_mb = 3964,
       .cores = {}},
      {.name = "tpu0", .kind = DeviceKind::kEdgeTpu, .engine = EngineKind::kEmulated, .memory_mb = 3800, .cores = {}},
  };
}

} // namespace

Result<std::vector<DeviceSpec>> ProbeDevices(AgentConfig agent) {
  AVOCET_ASSIGN_OR_RETURN(const auto machine, ProbeMachine());
  const CpuInfo& cpu = machine.cpu;
  if (agent.devices.empty())
    agent.devices = DefaultDevices(cpu.cores.back(), static_cast<int>(cpu.memory_bytes / kMemoryShare / kMiB));
  AVOCET_RETURN_IF_ERROR(CheckMachineHas(agent.devices, machine));
  auto specs = DeviceSpecs(agent);
  for (auto& spec : specs)
    spec.type = DeviceType(spec, machine);
  return specs;
}

} // namespace avocet
