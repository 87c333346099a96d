#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "controller/placement/admission_policy.h"
#include "messages/application.h"
#include "messages/device.h"
#include "messages/status.h"
#include "messages/tls/tls.h"
#include "node_agent/ports/connection_admission.h"
#include "node_agent/ports/server_certificate.h"

namespace avocet {

// The configuration files: defaults stand in the structs, ranges in their Validate functions. Every
// parse error is kInvalidArgument with one line "file:line:col: field 'x.y': what is wrong; what
// would be right" per problem (the first ConfigFile::kMaxProblems of them).

/// The agent's inference endpoints, [inference].
struct InferenceConfig {
  std::string grpc = "127.0.0.1:8001"; ///< host:port; port 0 is ephemeral
  /// host:port; empty: no REST endpoint. Absent: on the host of `grpc`, port 8000 (ephemeral when that of `grpc` is).
  std::optional<std::string> rest;
  /// host:port; empty: no /metrics. Absent: 127.0.0.1:8002 (ephemeral when the port of `grpc` is).
  std::optional<std::string> metrics;
  bool plaintext = false; ///< allows addresses that are not loopback without TLS
  /// MiB that requests and answers in hand may take together, 8 .. kMaxDeviceMemoryMb. Absent: MemoryForRequests.
  std::optional<int> memory_mb;
  int max_answer_mb = 64; ///< MiB of a model's outputs for one request, and of the JSON of its answer; 1 .. 2047
  /// The server's certificate of `grpc` and `rest`, and of /metrics beyond loopback.
  std::optional<ServerCertificate> tls;
};

/// One accelerator of an agent, [[device]].
struct DeviceConfig {
  std::string name; ///< distinct
  DeviceKind kind = DeviceKind::kCpu;
  Discipline discipline = Discipline::kFifo; ///< kFifo or kTimeShared
  EngineKind engine = EngineKind::kTflite;   ///< tflite: cpu, edgetpu; onnx: cpu, gpu
  int memory_mb = 0;                         ///< MiB that models may occupy, 1 .. kMaxDeviceMemoryMb
  std::vector<int> cores;                    ///< cpu devices: at least one; others: none
  int queue = 256;                           ///< requests that may wait (not run) at once, 1 .. kMaxQueue
};

inline constexpr int kMaxDeviceMemoryMb = 1 << 20; ///< 1 TiB: more is a slip of the unit
inline constexpr int kMaxQueue = 65536;

/// agent.toml.
struct AgentConfig {
  std::string name;
  std::string data_dir = "/var/lib/avocet/agent";
  std::string controller = "127.0.0.1:7400"; ///< host:port
  std::string advertise_address;             ///< host:port that clients reach it under; empty: the bound gRPC address
  double core_speed = 1;                     ///< as NodeInfo::core_speed
  std::optional<TlsOptions> tls;             ///< [tls]; needed unless the controller is on loopback
  InferenceConfig inference;
  std::vector<DeviceConfig> devices; ///< at least one, unless it is part of a DevConfig
};
Status Validate(const AgentConfig& config);

/// The agent's devices as its node reports them. `type` is "<kind>/emulated" for emulated devices
/// and left empty for real ones: it comes from probing the hardware.
std::vector<DeviceSpec> DeviceSpecs(const AgentConfig& config);

/// controller.toml.
struct ControllerConfig {
  std::string data_dir = "/var/lib/avocet/controller";
  std::string listen = "127.0.0.1:7400"; ///< host:port; port 0 is ephemeral
  std::optional<TlsOptions> tls;         ///< [tls]; needed unless it listens on loopback
  Policy policy;                         ///< [policy]
  int connections = static_cast<int>(kControlConnections.max_connections);             ///< [limits]; >= 1
  int connections_per_address = static_cast<int>(kControlConnections.max_per_address); ///< [limits]; >= 1
};
Status Validate(const ControllerConfig& config);

/// The file of `avocet dev --config`: the keys of an agent (all optional, `controller` unused) plus
/// `listen` and [policy] of a controller, whose certificate [tls] then names. Devices may be absent: the caller then
/// supplies its own.
struct DevConfig {
  DevConfig();
  AgentConfig agent;                     ///< named "local"; data_dir empty: the caller chooses
  std::string listen = "127.0.0.1:7400"; ///< of the controller; port 0 is ephemeral
  Policy policy;
};
Status Validate(const DevConfig& config);

/// app.toml; see docs and deploy/examples for its keys.
Result<Application> ParseApplicationFile(std::string_view text, const std::string& filename);
Result<AgentConfig> ParseAgentConfig(std::string_view text, const std::string& filename);
Result<ControllerConfig> ParseControllerConfig(std::string_view text, const std::string& filename);
Result<DevConfig> ParseDevConfig(std::string_view text, const std::string& filename);

/// Reads a whole configuration file; kNotFound, or kResourceExhausted beyond kMaxTomlBytes.
Result<std::string> ReadConfigFile(const std::filesystem::path& file);

} // namespace avocet
