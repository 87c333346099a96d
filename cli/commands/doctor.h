#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "cli/config/config_files.h"
#include "cli/render/render.h"
#include "messages/status.h"
#include "node_agent/engines/engine_info.h"
#include "node_agent/probes/machine_probe.h"

namespace avocet {

/// What `avocet node doctor` looked at.
struct Examination {
  Machine machine;
  EngineInfo tflite;
  EngineInfo onnx;
  std::filesystem::path prefix; ///< of the engines
};

/// Reads the machine and loads the engines; asks no controller, changes nothing.
Result<Examination> Examine(const ProbeOptions& options, const std::filesystem::path& prefix);

enum class RemarkLevel {
  kOk,      ///< found and fit for use
  kAbsent,  ///< not there, and nothing suggests that it should be
  kWarning, ///< usable, with a caveat
  kMissing, ///< the hardware is there, or every node needs it, but something is not installed
};
std::string_view ToString(RemarkLevel level); ///< "ok", "absent", "warning", "missing"

struct Remark {
  RemarkLevel level = RemarkLevel::kOk;
  std::string subject; ///< "processor", "engine tflite", ...
  std::string text;
  std::string remedy; ///< a command, or what to do; empty when there is nothing to do
};

struct Diagnosis {
  std::vector<Remark> remarks;
  std::vector<DeviceConfig> devices; ///< that would work here
  bool is_usable() const { return !devices.empty(); }
};

/// Pure: what an examination means.
Diagnosis Diagnose(const Examination& examination);

/// The text of an agent.toml with the devices. Requires at least one.
std::string SuggestedAgentFile(const std::string& node, const std::vector<DeviceConfig>& devices);

std::string Render(const Examination& examination, const Diagnosis& diagnosis, const RenderOptions& options);

} // namespace avocet
