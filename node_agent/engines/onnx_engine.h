#pragma once

#include <filesystem>
#include <memory>

#include "messages/device.h"
#include "node_agent/engines/engine.h"

namespace avocet {

/// ONNX Runtime (1.21 or later) from `<prefix>/lib/libonnxruntime.so.1`, loaded at run time.
///
/// On a CPU one thread, the caller's. On a GPU, the first one, through TensorRT and CUDA as far as the
/// library, CUDA and the driver offer them; kUnsupported, with the reasons, when neither works here.
/// kUnsupported also when the library is missing or too old; the text says how to install it.
///
/// A run can be cancelled between two nodes of the graph, so the longest node bounds the delay. Run()
/// of one model may be called by several threads at once. All element types of the Open Inference
/// Protocol are served, BYTES included; sequences and maps are refused. attained_service covers
/// copying inputs, running and copying outputs; see ServiceMeter for its clock.
Result<std::unique_ptr<Engine>> MakeOnnxEngine(const std::filesystem::path& prefix, DeviceKind kind,
                                               Discipline discipline);

} // namespace avocet
