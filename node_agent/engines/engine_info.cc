#include "node_agent/engines/engine_info.h"

#include "node_agent/engines/tflite_api.h"

namespace avocet {

EngineInfo DescribeTflite(const std::filesystem::path& prefix) {
  EngineInfo info{{}, prefix / "lib" / "libtensorflowlite_c.so", {}, {}};
  const auto api = TfliteApi::Load(info.library);
  info.status = api.status();
  if (api.ok()) info.version = (*api)->Version();
  return info;
}

EngineInfo DescribeOnnx(const std::filesystem::path& prefix) {
  EngineInfo info{{}, prefix / "lib" / "libonnxruntime.so.1", {}, {}};
  const auto runtime = OnnxRuntime::Open(prefix);
  info.status = runtime.status();
  if (!runtime.ok()) return info;
  info.version = (*runtime)->api().version;
  info.providers = ProbeProviders(**runtime);
  return info;
}

} // namespace avocet
