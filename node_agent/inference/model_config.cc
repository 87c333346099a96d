#include "node_agent/inference/model_config.h"

namespace avocet {

std::string ConfigTypeName(DataType type) {
  // The one name in which the configuration differs from the protocol.
  return type == DataType::kBytes ? "TYPE_STRING" : "TYPE_" + std::string(ToString(type));
}

std::string_view InstanceKindName(DeviceKind kind) {
  switch (kind) {
  case DeviceKind::kCpu:
    return "KIND_CPU";
  case DeviceKind::kGpu:
    return "KIND_GPU";
  case DeviceKind::kEdgeTpu:
    return "KIND_MODEL";
  }
  return "KIND_AUTO";
}

} // namespace avocet
