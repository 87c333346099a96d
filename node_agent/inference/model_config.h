#pragma once

#include <string>
#include <string_view>

#include "node_agent/inference/inference_core.h"
#include "node_agent/tensors/tensor.h"

namespace avocet {

// Names of Triton's model configuration, which both transports speak.

/// "TYPE_FP32", ...; BYTES is TYPE_STRING.
std::string ConfigTypeName(DataType type);
/// "KIND_CPU", "KIND_GPU"; edgeTPUs are KIND_MODEL: neither.
std::string_view InstanceKindName(DeviceKind kind);

} // namespace avocet
