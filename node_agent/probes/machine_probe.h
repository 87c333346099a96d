#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "messages/device.h"
#include "messages/status.h"
#include "node_agent/probes/coral_probe.h"
#include "node_agent/probes/cpu_probe.h"
#include "node_agent/probes/host_probe.h"
#include "node_agent/probes/nvml_probe.h"

namespace avocet {

struct ProbeOptions {
  std::filesystem::path root = "/"; ///< in tests a tree like it
  std::filesystem::path nvml_library = "libnvidia-ml.so.1";
  std::filesystem::path edgetpu_library = "libedgetpu.so.1";
};

/// Everything that is known of the machine's hardware, at one moment.
struct Machine {
  CpuInfo cpu;
  HostState host;
  std::vector<ThermalZone> thermal_zones;
  PluggedIn plugged_in;
  std::optional<Jetson> jetson;
  Status nvml; ///< why `gpus` is empty; kNotFound: no driver
  std::vector<NvidiaGpu> gpus;
  std::vector<GpuReading> gpu_readings; ///< one for each of `gpus`
  Status coral_runtime;                 ///< why `coral` is empty; kNotFound: not installed
  CoralRuntime coral;
};

/// Fails only where the processor itself cannot be read; a missing accelerator is no failure.
Result<Machine> ProbeMachine(const ProbeOptions& options = {});

/// DeviceType of cpu_probe.h, for every kind: of accelerators it names the first one of its kind.
std::string DeviceType(const DeviceSpec& device, const Machine& machine);

} // namespace avocet
