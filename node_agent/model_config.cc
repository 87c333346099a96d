#include "node_agent/model_config.h"

namespace avocet {

std::string_view ConfigTypeName(DataType type) {
  switch (type) {
  case DataType::kBool:
    return "TYPE_BOOL";
  case DataType::kUint8:
    return "TYPE_UINT8";
  case DataType::kUint16:
    return "TYPE_UINT16";
  case DataType::kUint32:
    return "TYPE_UINT32";
  case DataType::kUint64:
    return "TYPE_UINT64";
  case DataType::kInt8:
    return "TYPE_INT8";
  case DataType::kInt16:
    return "TYPE_INT16";
  case DataType::kInt32:
    return "TYPE_INT32";
  case DataType::kInt64:
    return "TYPE_INT64";
  case DataType::kFp16:
    return "TYPE_FP16";
  case DataType::kBf16:
    return "TYPE_BF16";
  case DataType::kFp32:
    return "TYPE_FP32";
  case DataType::kFp64:
    return "TYPE_FP64";
  case DataType::kBytes:
    return "TYPE_STRING";
  }
  return "TYPE_INVALID";
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
