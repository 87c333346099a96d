#include "cli/config/config_files.h"

#include <algorithm>
#include <array>
#include <set>

#include <fmt/format.h>

#include "cli/config/config_parts.h"
#include "messages/address.h"
#include "messages/check.h"
#include "messages/files.h"

namespace avocet {
namespace {

constexpr int kMostConnections = 1 << 20; ///< beyond what a process has descriptors for
constexpr std::string_view kConnectionRule = "1 to 1048576";

constexpr int kLeastMemoryMb = 8;
constexpr int kMostAnswerMb = 2047; ///< what a message of gRPC can hold

bool IsWithin(int value, int least, int most) {
  return value >= least && value <= most;
}

bool IsConnectionCount(int count) {
  return count >= 1 && count <= kMostConnections;
}

constexpr std::array kKinds{DeviceKind::kCpu, DeviceKind::kGpu, DeviceKind::kEdgeTpu};
constexpr std::array kDisciplines{Discipline::kFifo, Discipline::kTimeShared};
constexpr std::array kEngines{EngineKind::kTflite, EngineKind::kOnnx, EngineKind::kEmulated};

// ---- addresses ----

bool IsBindable(std::string_view text) {
  return ParseAddress(text).ok();
}

bool IsReachable(std::string_view text) {
  const auto address = ParseAddress(text);
  return address.ok() && address->port != 0;
}

bool IsLocal(std::string_view text) {
  const auto address = ParseAddress(text);
  return address.ok() && IsLoopback(*address);
}

constexpr std::string_view kBindRule = "host:port with a port from 0 (ephemeral) to 65535, e.g. \"127.0.0.1:8001\"";
constexpr std::string_view kReachRule = "host:port with a port from 1 to 65535, e.g. \"127.0.0.1:7400\"";
constexpr std::string_view kLoopbackRule =
    "a loopback address; to serve a LAN, give tls there, or set plaintext = true in [inference]";

// ---- checks ----

Status CheckInference(const InferenceConfig& inference) {
  const std::string rest = inference.rest.value_or(""), metrics = inference.metrics.value_or("");
  const bool is_open = inference.plaintext || inference.tls;
  const auto is_valid = [](const std::string& text) { return text.empty() || IsBindable(text); };
  const auto stays_here = [](const std::string& text) { return text.empty() || IsLocal(text); };
  return Check("agent", std::string_view("inference"))
      .That(IsBindable(inference.grpc), "inference.grpc", inference.grpc, kBindRule)
      .That(is_valid(rest), "inference.rest", rest, kBindRule)
      .That(is_valid(metrics), "inference.metrics", metrics, kBindRule)
      .That(is_open || IsLocal(inference.grpc), "inference.grpc", inference.grpc, kLoopbackRule)
      .That(is_open || stays_here(rest), "inference.rest", rest, kLoopbackRule)
      .That(is_open || stays_here(metrics), "inference.metrics", metrics, kLoopbackRule)
      .That(IsWithin(inference.memory_mb.value_or(kLeastMemoryMb), kLeastMemoryMb, kMaxDeviceMemoryMb),
            "inference.memory_mb", inference.memory_mb.value_or(0),
            fmt::format("from {} to {} MiB", kLeastMemoryMb, kMaxDeviceMemoryMb))
      .That(IsWithin(inference.max_answer_mb, 1, kMostAnswerMb), "inference.max_answer_mb", inference.max_answer_mb,
            fmt::format("from 1 to {} MiB", kMostAnswerMb))
      .status();
}

Status CheckTls(const std::optional<TlsOptions>& tls) {
  return tls ? Validate(*tls) : Status{};
}

bool AreDistinctCores(const std::vector<int>& cores) {
  return std::all_of(cores.begin(), cores.end(), [](int c) { return c >= 0 && c < kMaxCores; }) &&
         std::set<int>(cores.begin(), cores.end()).size() == cores.size();
}

/// Which engine can serve which kind of device in this version.
bool CanServe(EngineKind engine, DeviceKind kind) {
  switch (engine) {
  case EngineKind::kTflite:
    return kind != DeviceKind::kGpu;
  case EngineKind::kOnnx:
    return kind != DeviceKind::kEdgeTpu;
  case EngineKind::kEmulated:
    return true;
  }
  return false;
}

Status CheckDevice(const DeviceConfig& device, const std::string& path) {
  const bool cpu = device.kind == DeviceKind::kCpu;
  const bool runs = device.discipline == Discipline::kFifo || device.discipline == Discipline::kTimeShared;
  // Paths as the file spells them, so that a message leads to the line.
  const std::string name = path + ".name", engine = path + ".engine", memory = path + ".memory_mb",
                    cores = path + ".cores", discipline = path + ".discipline", queue = path + ".queue";

  return Check("device", device.name)
      .Name(name, device.name)
      .That(runs, discipline, ToString(device.discipline), "fifo or time_shared")
      .That(CanServe(device.engine, device.kind), engine, ToString(device.engine),
            cpu ? "an engine for cpu devices"
                : fmt::format("an engine for {} devices, e.g. \"emulated\"", ToString(device.kind)))
      .That(device.memory_mb >= 1 && device.memory_mb <= kMaxDeviceMemoryMb, memory, device.memory_mb,
            fmt::format("from 1 to {} MiB", kMaxDeviceMemoryMb))
      .That(IsWithin(device.queue, 1, kMaxQueue), queue, device.queue, fmt::format("from 1 to {}", kMaxQueue))
      .Is(AreDistinctCores(device.cores), cores, "a list with a core twice or out of range",
          fmt::format("distinct numbers from 0 to {}", kMaxCores - 1))
      .Is(!cpu || !device.cores.empty(), cores, "empty", "a list of at least one core, e.g. [1]")
      .Is(cpu || device.cores.empty(), cores, "a list of cores", "absent: only cpu devices are pinned")
      .status();
}

/// Rules across devices: distinct names, and no core or accelerator that two real devices would fight for.
Status CheckTogether(const std::vector<DeviceConfig>& devices) {
  std::set<std::string_view> names;
  std::set<int> cores;
  std::set<DeviceKind> accelerators;
  Check check("agent", std::string_view("device"));
  for (size_t i = 0; i < devices.size(); ++i) {
    const std::string name = fmt::format("device[{}].name", i), pinned = fmt::format("device[{}].cores", i);
    check.That(names.insert(devices[i].name).second, name, devices[i].name, "a name that no other device has");

    // Emulated devices occupy no hardware; any number of them can share a machine.
    if (devices[i].engine == EngineKind::kEmulated) continue;
    const bool is_cpu = devices[i].kind == DeviceKind::kCpu;
    check.That(is_cpu || accelerators.insert(devices[i].kind).second, fmt::format("device[{}].kind", i),
               ToString(devices[i].kind), "the only one of its kind that is not emulated: an agent serves the first");
    // On a shared core two devices would slow each other down, and both predictions would be wrong.
    for (int core : devices[i].cores)
      check.That(cores.insert(core).second, pinned, core, "a core that no other device is pinned to");
  }
  return check.status();
}

Status CheckAgentParts(const AgentConfig& config) {
  Check check("agent", config.name);
  check.Name("name", config.name)
      .That(IsReachable(config.controller), "controller", config.controller, kReachRule)
      .That(config.advertise_address.empty() || IsReachable(config.advertise_address), "advertise_address",
            config.advertise_address, kReachRule)
      .That(config.core_speed >= 1e-3 && config.core_speed <= 1e3, "core_speed", config.core_speed, "0.001 to 1000")
      .Part(CheckTls(config.tls))
      .Part(CheckInference(config.inference))
      .Length("device", config.devices.size(), kMaxDevicesPerNode);
  for (size_t i = 0; i < config.devices.size(); ++i)
    check.Part(CheckDevice(config.devices[i], fmt::format("device[{}]", i)));
  return check.Part(CheckTogether(config.devices)).status();
}

// ---- reading ----

void ReadDevice(ConfigTable table, DeviceConfig& out) {
  table.String("name", out.name, Need::kRequired);
  table.Choice("kind", kKinds, out.kind, Need::kRequired);
  table.Choice("discipline", kDisciplines, out.discipline);
  table.Choice("engine", kEngines, out.engine, Need::kRequired);
  table.Integer("memory_mb", out.memory_mb, Need::kRequired);
  table.Integers("cores", out.cores);
  table.Integer("queue", out.queue);
}

void ReadTls(ConfigTable table, std::optional<TlsOptions>& out) {
  std::string ca, certificate, key;
  table.String("ca", ca, Need::kRequired);
  table.String("certificate", certificate, Need::kRequired);
  table.String("key", key, Need::kRequired);
  if (table.present()) out = TlsOptions{ca, certificate, key};
}

void ReadInference(ConfigTable table, InferenceConfig& out) {
  table.String("grpc", out.grpc);
  // An empty address switches an endpoint off, while an absent one has a default: hence not just String().
  for (const auto& [key, address] : {std::pair{"rest", &out.rest}, {"metrics", &out.metrics}}) {
    std::string text;
    table.String(key, text);
    if (table.Has(key)) *address = text;
  }
  table.Bool("plaintext", out.plaintext);
  int memory_mb = 0;
  table.Integer("memory_mb", memory_mb);
  if (table.Has("memory_mb")) out.memory_mb = memory_mb;
  table.Integer("max_answer_mb", out.max_answer_mb);

  ConfigTable tls = table.Table("tls");
  if (!tls.present()) return;

  // One file without the other cannot serve, so the table requires both.
  std::string certificate, key;
  tls.String("certificate", certificate, Need::kRequired);
  tls.String("key", key, Need::kRequired);
  out.tls = ServerCertificate{certificate, key};
}

void ReadAgent(ConfigTable& root, AgentConfig& out, Need name) {
  root.String("name", out.name, name);
  root.String("data_dir", out.data_dir);
  root.String("controller", out.controller);
  root.String("advertise_address", out.advertise_address);
  root.Number("core_speed", out.core_speed);
  ReadTls(root.Table("tls"), out.tls);
  ReadInference(root.Table("inference"), out.inference);
  for (const ConfigTable& device : root.Tables("device"))
    ReadDevice(device, out.devices.emplace_back());
}

/// Parses, reads with `read(root, config)`, and validates: the frame that all these files share.
template <class Config, class Read>
Result<Config> ParseConfig(std::string_view text, const std::string& filename, const Read& read) {
  AVOCET_ASSIGN_OR_RETURN(auto tree, ParseToml(text, filename));
  ConfigFile file(std::move(tree), filename);
  Config config;
  ConfigTable root = file.root();
  read(root, config);
  AVOCET_RETURN_IF_ERROR(file.Finish());
  AVOCET_RETURN_IF_ERROR(file.Locate(Validate(config)));
  return config;
}

} // namespace

void ReadPolicy(ConfigTable table, Policy& out) {
  table.Number("mean_tolerance", out.mean_tolerance);
  table.Number("percentile_tolerance", out.percentile_tolerance);
  table.Number("max_utilization", out.max_utilization);
  table.Number("max_preprocess_cpu", out.max_preprocess_cpu);
  table.Number("memory_fraction", out.memory_fraction);
  table.Choice("placement", kPlacementPolicies, out.placement);
  table.Integer("max_moves", out.max_moves);
}

Status Validate(const AgentConfig& config) {
  return Check("agent", config.name)
      .Part(CheckAgentParts(config))
      .That(!config.data_dir.empty(), "data_dir", config.data_dir, "a directory")
      .Is(!config.devices.empty(), "device", "absent",
          "at least one [[device]] table; `avocet node doctor` prints one for this machine")
      .status();
}

std::vector<DeviceSpec> DeviceSpecs(const AgentConfig& config) {
  std::vector<DeviceSpec> specs;
  for (const DeviceConfig& device : config.devices) {
    DeviceSpec& spec = specs.emplace_back();
    spec.node = NodeId(config.name);
    spec.name = device.name;
    spec.kind = device.kind;
    spec.discipline = device.discipline;
    spec.engine = device.engine;
    spec.memory_bytes = static_cast<uint64_t>(device.memory_mb) * kMiB;
    spec.cores = device.cores;
    // The type of a real device is what its probe finds; an emulated one has nothing to probe.
    if (spec.emulated()) spec.type = fmt::format("{}/emulated", ToString(device.kind));
  }
  return specs;
}

Status Validate(const ControllerConfig& config) {
  return Check("controller", config.listen)
      .That(!config.data_dir.empty(), "data_dir", config.data_dir, "a directory")
      .That(IsBindable(config.listen), "listen", config.listen, kBindRule)
      .Part(CheckTls(config.tls))
      .Part(Validate(config.policy))
      .That(IsConnectionCount(config.connections), "limits.connections", config.connections, kConnectionRule)
      .That(IsConnectionCount(config.connections_per_address), "limits.connections_per_address",
            config.connections_per_address, kConnectionRule)
      .status();
}

DevConfig::DevConfig() {
  agent.name = "local";
  agent.data_dir.clear();
}

Status Validate(const DevConfig& config) {
  return Check("dev", config.agent.name)
      .Part(CheckAgentParts(config.agent))
      .That(IsBindable(config.listen), "listen", config.listen, kBindRule)
      .Part(Validate(config.policy))
      .status();
}

Result<AgentConfig> ParseAgentConfig(std::string_view text, const std::string& filename) {
  return ParseConfig<AgentConfig>(
      text, filename, [](ConfigTable& root, AgentConfig& config) { ReadAgent(root, config, Need::kRequired); });
}

Result<ControllerConfig> ParseControllerConfig(std::string_view text, const std::string& filename) {
  return ParseConfig<ControllerConfig>(text, filename, [](ConfigTable& root, ControllerConfig& config) {
    root.String("data_dir", config.data_dir);
    root.String("listen", config.listen);
    ReadTls(root.Table("tls"), config.tls);
    ReadPolicy(root.Table("policy"), config.policy);
    ConfigTable limits = root.Table("limits");
    limits.Integer("connections", config.connections);
    limits.Integer("connections_per_address", config.connections_per_address);
  });
}

Result<DevConfig> ParseDevConfig(std::string_view text, const std::string& filename) {
  return ParseConfig<DevConfig>(text, filename, [](ConfigTable& root, DevConfig& config) {
    ReadAgent(root, config.agent, Need::kOptional);
    root.String("listen", config.listen);
    ReadPolicy(root.Table("policy"), config.policy);
  });
}

Result<std::string> ReadConfigFile(const std::filesystem::path& file) {
  return ReadWholeFile(file, kMaxTomlBytes);
}

} // namespace avocet
