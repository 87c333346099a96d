#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "messages/status.h"
#include "node_agent/engines/onnx_runtime.h"

namespace avocet {

/// An engine's library, as it is installed here.
struct EngineInfo {
  Status status; ///< why it cannot be used, and how to install it
  std::filesystem::path library;
  std::string version;
  std::vector<OnnxProviderState> providers; ///< of ONNX Runtime, besides the CPU
};

/// Load the library and ask it.
EngineInfo DescribeTflite(const std::filesystem::path& prefix);
EngineInfo DescribeOnnx(const std::filesystem::path& prefix);

} // namespace avocet
