#include "node_agent/engine.h"

#include "node_agent/emulated_engine.h"
#include "node_agent/tflite_engine.h"

namespace avocet {

Result<std::unique_ptr<Engine>> MakeEngine(const EngineOptions& options) {
  switch (options.kind) {
  case EngineKind::kTflite:
    return MakeTfliteEngine(options.prefix, options.discipline);
  case EngineKind::kEmulated:
    return MakeEmulatedEngine(options.device_kind, options.discipline);
  case EngineKind::kOnnx:
    return Unsupported("engine onnx: this build has no ONNX engine; use tflite or emulated");
  }
  return Unsupported("engine number " + std::to_string(static_cast<int>(options.kind)) + " is unknown to this build");
}

} // namespace avocet
