#include "cli/commands/doctor.h"

#include <algorithm>

#include <fmt/format.h>

#include "cli/render/format.h"
#include "messages/invariant.h"

namespace avocet {
namespace {

/// Of the machine's memory, for the models of all devices that have none of their own.
constexpr uint64_t kMemoryShare = 2;
/// Less than this makes the first model fail.
constexpr uint64_t kLittleMemory = 256 * kMiB;
/// More devices than this are for the operator to write.
constexpr size_t kMaxCpuDevices = 4;

constexpr const char* kInstallEngines = "deploy/install-engines";
constexpr const char* kInstallNvidia = "sudo apt-get install nvidia-driver, from Debian's non-free component; restart";
constexpr const char* kSteadyClock =
    "echo performance | sudo tee /sys/devices/system/cpu/cpu*/cpufreq/scaling_governor";
constexpr const char* kInstallCoral =
    "curl -fsSL https://packages.cloud.google.com/apt/doc/apt-key.gpg | sudo gpg --dearmor -o "
    "/usr/share/keyrings/coral.gpg && echo 'deb [signed-by=/usr/share/keyrings/coral.gpg] "
    "https://packages.cloud.google.com/apt coral-edgetpu-stable main' | sudo tee "
    "/etc/apt/sources.list.d/coral.list && sudo apt-get update && sudo apt-get install libedgetpu1-std";

std::string Join(const std::vector<std::string>& parts) {
  return fmt::format("{}", fmt::join(parts, ", "));
}

std::string Gibibytes(uint64_t bytes) {
  return FormatNumber(static_cast<double>(bytes) / static_cast<double>(1024 * kMiB)) + " GiB";
}

bool HasGpu(const Machine& machine) {
  return machine.jetson || !machine.gpus.empty();
}

bool HasGpuProvider(const EngineInfo& onnx) {
  return std::any_of(onnx.providers.begin(), onnx.providers.end(),
                     [](const OnnxProviderState& state) { return state.status.ok(); });
}

// ---- remarks ----

using Remarks = std::vector<Remark>;

void RemarkProcessor(const Machine& machine, Remarks& remarks) {
  const uint64_t available = machine.host.memory_available_bytes;
  remarks.push_back({RemarkLevel::kOk, "processor",
                     fmt::format("{}, {} cores, {} of memory, {} available", machine.cpu.model,
                                 machine.cpu.cores.size(), Gibibytes(machine.cpu.memory_bytes), Gibibytes(available)),
                     ""});

  // With little memory a model fails when it is loaded, long after the agent has started.
  if (available < kLittleMemory)
    remarks.push_back({RemarkLevel::kWarning, "memory", fmt::format("only {} are available", Gibibytes(available)),
                       "end what else runs here, or add memory"});

  // A governor that follows the load makes profiles irreproducible.
  const auto& governors = machine.host.governors;
  if (std::any_of(governors.begin(), governors.end(), [](const auto& name) { return name != "performance"; }))
    remarks.push_back({RemarkLevel::kWarning, "clock speed",
                       fmt::format("governor {}: service times depend on what ran before", Join(governors)),
                       kSteadyClock});
}

std::vector<std::string> SignsOfHeat(const Machine& machine) {
  std::vector<std::string> signs;
  // Machines show heat in different places, so every source is read.
  for (const ThermalZone& zone : machine.thermal_zones)
    if (zone.is_too_hot())
      signs.push_back(fmt::format("{} is at {:.0f} C, slowed down from {:.0f} C on", zone.type, zone.celsius,
                                  *zone.passive_celsius));

  for (const std::string& device : machine.host.cooling)
    signs.push_back(fmt::format("{} slows the machine down", device));
  // Counted since boot: no proof of heat now, but a reason to distrust profiles that were made before.
  if (machine.host.throttle_events > 0)
    signs.push_back(fmt::format("cores were slowed down {} times since boot", machine.host.throttle_events));

  for (size_t i = 0; i < machine.gpu_readings.size(); ++i)
    if (machine.gpu_readings[i].is_too_hot.value_or(false))
      signs.push_back(
          fmt::format("GPU {} is slowed down at {:.0f} C", i, machine.gpu_readings[i].temperature_c.value_or(0)));
  return signs;
}

void RemarkHeat(const Machine& machine, Remarks& remarks) {
  if (const auto signs = SignsOfHeat(machine); !signs.empty())
    remarks.push_back({RemarkLevel::kWarning, "heat", Join(signs),
                       "cool it better; profiles measured now are of a slow machine: avocet model profile"});
}

void RemarkEngine(const std::string& name, const EngineInfo& engine, Remarks& remarks) {
  if (engine.status.ok())
    remarks.push_back({RemarkLevel::kOk, name, fmt::format("{} {}", engine.version, engine.library.string()), ""});
  else
    remarks.push_back({RemarkLevel::kMissing, name, engine.status.message(), kInstallEngines});
}

void RemarkGpu(const Machine& machine, Remarks& remarks) {
  if (machine.jetson)
    remarks.push_back({RemarkLevel::kOk, "gpu", machine.jetson->model + " " + machine.jetson->release, ""});
  for (const NvidiaGpu& gpu : machine.gpus)
    remarks.push_back({RemarkLevel::kOk, "gpu",
                       fmt::format("{}, {}, driver {}", gpu.name, Gibibytes(gpu.memory_bytes), gpu.driver), ""});
  if (HasGpu(machine)) return;
  if (machine.plugged_in.nvidia_gpus > 0)
    remarks.push_back({RemarkLevel::kMissing, "gpu",
                       fmt::format("{} plugged in, but {}", machine.plugged_in.nvidia_gpus, machine.nvml.message()),
                       kInstallNvidia});
  else
    remarks.push_back({RemarkLevel::kAbsent, "gpu", "none", ""});
}

void RemarkProviders(const Examination& examination, Remarks& remarks) {
  // Without a GPU or a runtime there is a remark of its own, and the providers do not matter.
  if (!HasGpu(examination.machine) || !examination.onnx.status.ok()) return;
  std::vector<std::string> working, reasons;
  for (const auto& [provider, status] : examination.onnx.providers) {
    if (status.ok()) working.emplace_back(ToString(provider));
    if (!status.ok()) reasons.push_back(status.message());
  }

  // One provider that works is enough; why the others do not would only distract.
  if (!working.empty())
    remarks.push_back({RemarkLevel::kOk, "engine onnx on gpu", Join(working), ""});
  else
    remarks.push_back({RemarkLevel::kMissing, "engine onnx on gpu", fmt::format("{}", fmt::join(reasons, "; ")),
                       fmt::format("put libonnxruntime.so.1 and libonnxruntime_providers_*.so of a build with CUDA or "
                                   "TensorRT into {}",
                                   (examination.prefix / "lib").string())});
}

void RemarkCoral(const Machine& machine, Remarks& remarks) {
  for (const CoralDevice& device : machine.coral.devices)
    remarks.push_back({RemarkLevel::kOk, "edgetpu", fmt::format("{}, {}", device.path, machine.coral.version), ""});

  if (!machine.coral.devices.empty()) return;
  // Vendor ids are visible on the bus without any driver: they separate "no device" from "no software".
  const int plugged = machine.plugged_in.coral_pcie + machine.plugged_in.coral_usb;
  if (plugged == 0) {
    remarks.push_back({RemarkLevel::kAbsent, "edgetpu", "none", ""});
  } else if (!machine.coral_runtime.ok()) {
    remarks.push_back({RemarkLevel::kMissing, "edgetpu",
                       fmt::format("{} plugged in, but {}", plugged, machine.coral_runtime.message()), kInstallCoral});
  } else {
    // PCIe cards need a kernel driver and its group, USB sticks only the group of pluggable devices.
    const bool is_pcie = machine.plugged_in.coral_pcie > 0;
    remarks.push_back({RemarkLevel::kMissing, "edgetpu",
                       fmt::format("{} plugged in, but libedgetpu sees none: no driver or no permission", plugged),
                       is_pcie ? "sudo apt-get install gasket-dkms; sudo usermod -aG apex $USER; restart"
                               : "sudo usermod -aG plugdev $USER; plug it in again"});
  }
}

// ---- devices ----

int Mebibytes(uint64_t bytes) {
  return static_cast<int>(std::clamp<uint64_t>(bytes / kMiB, 1, kMaxDeviceMemoryMb));
}

/// All cores but the first, which is the operating system's, each a device of its own.
void AddCpus(const Examination& examination, std::vector<DeviceConfig>& devices) {
  if (!examination.tflite.status.ok() && !examination.onnx.status.ok()) return;
  std::vector<int> cores = examination.machine.cpu.cores;
  if (cores.size() > 1) cores.erase(cores.begin());
  cores.resize(std::min(cores.size(), kMaxCpuDevices));
  for (size_t i = 0; i < cores.size(); ++i)
    devices.push_back({.name = "cpu" + std::to_string(i),
                       .engine = examination.tflite.status.ok() ? EngineKind::kTflite : EngineKind::kOnnx,
                       .cores = {cores[i]}});
}

std::vector<DeviceConfig> FittingDevices(const Examination& examination) {
  const Machine& machine = examination.machine;
  std::vector<DeviceConfig> devices;
  AddCpus(examination, devices);
  // Only what can serve: an agent refuses to start with a device whose engine does not load.
  if (HasGpu(machine) && HasGpuProvider(examination.onnx))
    devices.push_back({.name = "gpu0",
                       .kind = DeviceKind::kGpu,
                       .discipline = Discipline::kTimeShared,
                       .engine = EngineKind::kOnnx,
                       .cores = {}});
  if (!machine.coral.devices.empty() && examination.tflite.status.ok())
    devices.push_back({.name = "tpu0", .kind = DeviceKind::kEdgeTpu, .engine = EngineKind::kTflite, .cores = {}});

  // A GPU has memory of its own; all other devices share the machine's.
  const uint64_t each = machine.cpu.memory_bytes / kMemoryShare / std::max<size_t>(devices.size(), 1);
  for (DeviceConfig& device : devices) {
    const bool has_own = device.kind == DeviceKind::kGpu && !machine.gpus.empty();
    const uint64_t own = has_own ? machine.gpus.front().memory_bytes : 0;
    device.memory_mb = Mebibytes(own > 0 ? own : each);
  }
  return devices;
}

} // namespace

std::string_view ToString(RemarkLevel level) {
  switch (level) {
  case RemarkLevel::kOk:
    return "ok";
  case RemarkLevel::kAbsent:
    return "absent";
  case RemarkLevel::kWarning:
    return "warning";
  case RemarkLevel::kMissing:
    return "missing";
  }
  return "unknown";
}

Result<Examination> Examine(const ProbeOptions& options, const std::filesystem::path& prefix) {
  AVOCET_ASSIGN_OR_RETURN(auto machine, ProbeMachine(options));
  return Examination{std::move(machine), DescribeTflite(prefix), DescribeOnnx(prefix), prefix};
}

Diagnosis Diagnose(const Examination& examination) {
  Diagnosis diagnosis;
  RemarkProcessor(examination.machine, diagnosis.remarks);
  RemarkHeat(examination.machine, diagnosis.remarks);
  RemarkEngine("engine tflite", examination.tflite, diagnosis.remarks);
  RemarkEngine("engine onnx", examination.onnx, diagnosis.remarks);
  RemarkGpu(examination.machine, diagnosis.remarks);
  RemarkProviders(examination, diagnosis.remarks);
  RemarkCoral(examination.machine, diagnosis.remarks);
  diagnosis.devices = FittingDevices(examination);
  return diagnosis;
}

std::string SuggestedAgentFile(const std::string& node, const std::vector<DeviceConfig>& devices) {
  AVOCET_CHECK(!devices.empty());
  std::string text = fmt::format("name = \"{}\"\ncontroller = \"{}\"\n", node, AgentConfig{}.controller);
  for (const DeviceConfig& device : devices) {
    text += fmt::format("\n[[device]]\nname = \"{}\"\nkind = \"{}\"\ndiscipline = \"{}\"\nengine = \"{}\"\n"
                        "memory_mb = {}\n",
                        device.name, ToString(device.kind), ToString(device.discipline), ToString(device.engine),
                        device.memory_mb);
    if (!device.cores.empty()) text += fmt::format("cores = [{}]\n", fmt::join(device.cores, ", "));
  }
  return text;
}

} // namespace avocet
