#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "messages/status.h"

namespace avocet {

/// Element types of the Open Inference Protocol.
enum class DataType {
  kBool,
  kUint8,
  kUint16,
  kUint32,
  kUint64,
  kInt8,
  kInt16,
  kInt32,
  kInt64,
  kFp16,
  kBf16, ///< the upper half of an FP32 (Triton's addition)
  kFp32,
  kFp64,
  kBytes
};
std::string_view ToString(DataType type); ///< "FP32", ...
std::optional<DataType> ParseDataType(std::string_view text);
/// Bytes of one element; 0 for kBytes.
size_t ElementSize(DataType type);
/// FP16 and BF16: neither JSON nor the typed contents of gRPC have elements for them.
bool IsRawOnly(DataType type);

inline constexpr size_t kMaxTensorRank = 32; ///< no engine and no exporter makes more

/// Name, element type and shape. In a model's signature -1 stands for any extent, and no extents for a scalar or for a
/// shape that the model leaves open, which ONNX Runtime does not tell apart.
struct TensorSpec {
  std::string name;
  DataType type = DataType::kFp32;
  std::vector<int64_t> shape;
  friend bool operator==(const TensorSpec&, const TensorSpec&) = default;
};

/// Total bytes of a concrete shape, or kInvalidArgument: negative extent, rank or size overflow.
Result<size_t> ByteSize(const TensorSpec& spec);

/// "FP32[1,128,128,3]".
std::string Describe(const TensorSpec& spec);

/// Little-endian row-major elements that somebody else owns.
struct TensorView {
  TensorSpec spec;
  std::span<const std::byte> data;
};

/// A tensor that owns its elements.
struct Tensor {
  TensorSpec spec;
  std::vector<std::byte> data;
};

struct ModelSignature {
  std::vector<TensorSpec> inputs;
  std::vector<TensorSpec> outputs;
  friend bool operator==(const ModelSignature&, const ModelSignature&) = default;
};

/// kInvalidArgument that names the input: missing, unknown, given twice, of the wrong type, shape or size.
Status CheckInputs(const ModelSignature& signature, std::span<const TensorView> inputs);

} // namespace avocet
