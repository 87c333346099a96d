#include "node_agent/probes/machine_probe.h"

#include <utility>

namespace avocet {
namespace {

Status ProbeGpus(const std::filesystem::path& library, Machine& machine) {
  AVOCET_ASSIGN_OR_RETURN(const auto nvml, Nvml::Open(library));
  AVOCET_ASSIGN_OR_RETURN(auto gpus, nvml->Gpus());
  for (unsigned i = 0; i < gpus.size(); ++i) {
    auto reading = nvml->Read(i);
    machine.gpu_readings.push_back(reading.ok() ? *reading : GpuReading{});
  }
  machine.gpus = std::move(gpus);
  return {};
}

std::string AcceleratorName(DeviceKind kind, const Machine& machine) {
  if (kind == DeviceKind::kGpu) {
    if (machine.jetson) return machine.jetson->model;
    return machine.gpus.empty() ? "unknown" : machine.gpus.front().name;
  }
  if (machine.coral.devices.empty()) return "unknown";
  return machine.coral.devices.front().bus == CoralDevice::Bus::kPcie ? "coral-pcie" : "coral-usb";
}

} // namespace

Result<Machine> ProbeMachine(const ProbeOptions& options) {
  AVOCET_ASSIGN_OR_RETURN(auto cpu, ProbeCpu(options.root));
  Machine machine;
  machine.cpu = std::move(cpu);
  machine.host = ReadHostState(options.root);
  machine.thermal_zones = ReadThermalZones(options.root);
  machine.plugged_in = ReadBuses(options.root);
  machine.jetson = ProbeJetson(options.root);
  machine.nvml = ProbeGpus(options.nvml_library, machine);
  auto coral = ProbeCoral(options.edgetpu_library, options.root);
  machine.coral_runtime = coral.status();
  if (coral.ok()) machine.coral = std::move(*coral);
  return machine;
}

std::string DeviceType(const DeviceSpec& device, const Machine& machine) {
  if (device.emulated() || device.kind == DeviceKind::kCpu) return DeviceType(device, machine.cpu);
  return std::string(ToString(device.kind)) + "/" + std::string(ToString(device.engine)) + "/" +
         HardwareSlug(AcceleratorName(device.kind, machine));
}

} // namespace avocet
