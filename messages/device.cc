#include "messages/device.h"

#include <algorithm>
#include <set>

#include "messages/address.h"
#include "messages/check.h"
#include "messages/enum_names.h"

namespace avocet {
namespace {

/// Where a client can connect: port 0 is for binding only.
bool IsDialable(const std::string& text) {
  const Result<Address> address = ParseAddress(text);
  return address.ok() && address->port > 0 && IsLabel(text);
}

bool AreCores(const std::vector<int>& cores) {
  const auto is_core = [](int core) { return core >= 0 && core < kMaxCores; };
  return std::all_of(cores.begin(), cores.end(), is_core) &&
         std::set<int>(cores.begin(), cores.end()).size() == cores.size();
}

Status CheckNames(const NodeInfo& node) {
  std::set<std::string_view> seen;
  Check check("node", node.id.str());
  for (const DeviceSpec& device : node.devices) {
    check.That(device.node == node.id, "devices", device.id(), "devices of this node");
    check.That(seen.insert(device.name).second, "devices", device.name, "devices of distinct names");
  }
  return check.status();
}

} // namespace

std::string_view ToString(DeviceHealth health) {
  switch (health) {
  case DeviceHealth::kHealthy:
    return "healthy";
  case DeviceHealth::kAway:
    return "away";
  case DeviceHealth::kDraining:
    return "draining";
  }
  return "unknown";
}

std::optional<DeviceHealth> ParseDeviceHealth(std::string_view text) {
  return ParseEnum(text, {DeviceHealth::kHealthy, DeviceHealth::kAway, DeviceHealth::kDraining});
}

std::string_view ToString(DeviceKind kind) {
  switch (kind) {
  case DeviceKind::kCpu:
    return "cpu";
  case DeviceKind::kGpu:
    return "gpu";
  case DeviceKind::kEdgeTpu:
    return "edgetpu";
  }
  return "unknown";
}

std::optional<DeviceKind> ParseDeviceKind(std::string_view text) {
  return ParseEnum(text, {DeviceKind::kCpu, DeviceKind::kGpu, DeviceKind::kEdgeTpu});
}

std::string_view ToString(Discipline discipline) {
  switch (discipline) {
  case Discipline::kFifo:
    return "fifo";
  case Discipline::kTimeShared:
    return "time_shared";
  case Discipline::kProcessorSharing:
    return "processor_sharing";
  case Discipline::kMultiServer:
    return "multi_server";
  }
  return "unknown";
}

std::optional<Discipline> ParseDiscipline(std::string_view text) {
  return ParseEnum(
      text, {Discipline::kFifo, Discipline::kTimeShared, Discipline::kProcessorSharing, Discipline::kMultiServer});
}

std::string_view ToString(EngineKind engine) {
  switch (engine) {
  case EngineKind::kTflite:
    return "tflite";
  case EngineKind::kOnnx:
    return "onnx";
  case EngineKind::kEmulated:
    return "emulated";
  }
  return "unknown";
}

std::optional<EngineKind> ParseEngineKind(std::string_view text) {
  return ParseEnum(text, {EngineKind::kTflite, EngineKind::kOnnx, EngineKind::kEmulated});
}

ModelFormat FormatOf(EngineKind engine) {
  switch (engine) {
  case EngineKind::kTflite:
    return ModelFormat::kTflite;
  case EngineKind::kOnnx:
    return ModelFormat::kOnnx;
  case EngineKind::kEmulated:
    return ModelFormat::kEmulated;
  }
  return ModelFormat::kTflite;
}

Status Validate(const DeviceSpec& device) {
  const bool agent_runs_it = device.discipline == Discipline::kFifo || device.discipline == Discipline::kTimeShared;
  return Check("device", device.name)
      .Name("node", device.node.str())
      .Name("name", device.name)
      .That(agent_runs_it, "discipline", ToString(device.discipline), "fifo or time_shared")
      .Label("type", device.type)
      .That(device.memory_bytes > 0 && device.memory_bytes <= kMaxMemoryBytes, "memory_bytes", device.memory_bytes,
            "> 0 and at most 2^50 (1 PiB)")
      .Length("cores", device.cores.size(), kMaxCores)
      .Is(AreCores(device.cores), "cores", "a list with a core twice or out of range",
          "distinct numbers from 0 to 4095")
      .status();
}

Status Validate(const NodeInfo& node) {
  return Check("node", node.id.str())
      .Name("id", node.id.str())
      .Name("boot", node.boot.str())
      .That(node.version.empty() || IsLabel(node.version), "version", node.version,
            "at most 256 bytes of UTF-8 without control characters")
      .That(node.grpc_address.empty() || IsDialable(node.grpc_address), "grpc_address", node.grpc_address,
            "host:port with a port from 1 to 65535, or empty")
      .That(node.rest_address.empty() || IsDialable(node.rest_address), "rest_address", node.rest_address,
            "host:port with a port from 1 to 65535, or empty")
      .That(node.cpu_cores >= 1 && node.cpu_cores <= kMaxCores, "cpu_cores", node.cpu_cores, "1 to 4096")
      .That(node.core_speed >= 1e-3 && node.core_speed <= 1e3, "core_speed", node.core_speed, "0.001 to 1000")
      .Is(!node.devices.empty(), "devices", "empty", "at least one device")
      .Length("devices", node.devices.size(), kMaxDevicesPerNode)
      .Each(node.devices, [](const DeviceSpec& device) { return Validate(device); })
      .Part(CheckNames(node))
      .status();
}

} // namespace avocet
