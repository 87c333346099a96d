#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "messages/ids.h"
#include "messages/model.h"
#include "messages/status.h"

namespace avocet {

/// Whether applications can be placed on a device, or on the devices of a node.
enum class DeviceHealth { kHealthy = 1, kAway = 2, kDraining = 3 };
std::string_view ToString(DeviceHealth health); ///< "healthy", "away", "draining"
std::optional<DeviceHealth> ParseDeviceHealth(std::string_view text);

enum class DeviceKind { kCpu = 1, kGpu = 2, kEdgeTpu = 3 };
std::string_view ToString(DeviceKind kind); ///< "cpu", "gpu", "edgetpu"
std::optional<DeviceKind> ParseDeviceKind(std::string_view text);

/// How a device shares itself among requests; see the glossary in docs/ARCHITECTURE.md.
enum class Discipline { kFifo = 1, kTimeShared = 2, kProcessorSharing = 3, kMultiServer = 4 };
std::string_view ToString(Discipline discipline); ///< "fifo", "time_shared", "processor_sharing", "multi_server"
std::optional<Discipline> ParseDiscipline(std::string_view text);

enum class EngineKind { kTflite = 1, kOnnx = 2, kEmulated = 3 };
std::string_view ToString(EngineKind engine); ///< "tflite", "onnx", "emulated"
std::optional<EngineKind> ParseEngineKind(std::string_view text);

/// The model format that an engine reads (one each).
ModelFormat FormatOf(EngineKind engine);

inline constexpr int kMaxCores = 4096;
inline constexpr size_t kMaxDevicesPerNode = 64;

/// One accelerator of one node, as the agent reports it. Fixed for the life of the agent process.
struct DeviceSpec {
  NodeId node;
  std::string name; ///< unique on the node, e.g. "gpu0"
  DeviceKind kind = DeviceKind::kCpu;
  Discipline discipline = Discipline::kFifo; ///< an agent runs kFifo or kTimeShared
  EngineKind engine = EngineKind::kTflite;
  std::string type;          ///< devices of equal type share profiles, e.g. "cpu tflite Xeon 1 core"
  uint64_t memory_bytes = 0; ///< > 0, what models may occupy
  std::vector<int> cores;    ///< cpu devices: pinned cores, 0 to kMaxCores - 1, none twice
  bool emulated() const { return engine == EngineKind::kEmulated; }
  DeviceId id() const { return MakeDeviceId(node, name); }
  friend bool operator==(const DeviceSpec&, const DeviceSpec&) = default;
};

Status Validate(const DeviceSpec& device);

/// An agent's introduction when it registers.
struct NodeInfo {
  NodeId id;
  BootId boot;
  std::string version;      ///< of the agent's program
  std::string grpc_address; ///< where clients reach its inference endpoint, host:port; empty: none
  std::string rest_address; ///< the same over HTTP
  uint32_t cpu_cores = 1;   ///< for pre-processing, 1 to kMaxCores
  std::vector<DeviceSpec> devices;
  double core_speed = 1; ///< of these cores, relative to those Application::preprocess is told for; 0.001 to 1000
  friend bool operator==(const NodeInfo&, const NodeInfo&) = default;
};

/// Names, at least one device, device names distinct and of this node.
Status Validate(const NodeInfo& node);

} // namespace avocet
