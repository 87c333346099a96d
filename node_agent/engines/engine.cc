#include "node_agent/engines/engine.h"

#include "node_agent/engines/emulated_engine.h"
#include "node_agent/engines/onnx_engine.h"
#include "node_agent/engines/tflite_engine.h"

namespace avocet {
namespace {

Result<std::unique_ptr<Engine>> MakeTfliteEngineFor(const EngineOptions& options) {
  switch (options.device_kind) {
  case DeviceKind::kCpu:
    return MakeTfliteEngine(options.prefix, options.discipline);
  case DeviceKind::kEdgeTpu:
    if (options.discipline == Discipline::kFifo) return MakeEdgeTpuEngine(options.prefix, options.edgetpu_library);
    return Unsupported("an edgetpu device serves one request at a time: discipline fifo, not " +
                       std::string(ToString(options.discipline)));
  case DeviceKind::kGpu:
    break;
  }
  return Unsupported("engine tflite serves no " + std::string(ToString(options.device_kind)) +
                     " devices; onnx and emulated do");
}

} // namespace

Result<std::unique_ptr<Engine>> MakeEngine(const EngineOptions& options) {
  switch (options.kind) {
  case EngineKind::kTflite:
    return MakeTfliteEngineFor(options);
  case EngineKind::kEmulated:
    return MakeEmulatedEngine(options.device_kind, options.discipline);
  case EngineKind::kOnnx:
    return MakeOnnxEngine(options.prefix, options.device_kind, options.discipline);
  }
  return Unsupported("engine number " + std::to_string(static_cast<int>(options.kind)) + " is unknown to this build");
}

} // namespace avocet
