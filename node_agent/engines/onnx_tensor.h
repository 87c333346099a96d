#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "node_agent/engines/onnx_runtime.h"
#include "node_agent/tensors/tensor.h"

namespace avocet {

/// An OrtValue that is released with this.
using OnnxValue = std::unique_ptr<OrtValue, void (*)(OrtValue*)>;
OnnxValue Own(const OnnxRuntime& runtime, OrtValue* value);

/// Element type and shape that the library describes, -1 for an open extent; `name` is for the text of
/// the error: kUnsupported for an element type that the Open Inference Protocol does not have.
Result<TensorSpec> SpecOf(const OnnxRuntime& runtime, const OrtTensorTypeAndShapeInfo* info, std::string name);

/// A tensor over the view's own bytes, which must outlive it; BYTES, and bytes that are not aligned for
/// their type, are copied (the latter into `copies`, which must outlive it, too).
Result<OnnxValue> ToOnnx(const OnnxRuntime& runtime, const TensorView& view,
                         std::vector<std::vector<std::byte>>& copies);

/// A copy of the value as a tensor of that name; BYTES with a length before each element. kResourceExhausted, before
/// anything is copied, when it has more than `most` bytes.
Result<Tensor> FromOnnx(const OnnxRuntime& runtime, OrtValue* value, std::string name, uint64_t most);

/// The elements of BYTES: each has its length, 4 bytes, before it. kInvalidArgument unless there are
/// `count` and nothing else.
Result<std::vector<std::span<const std::byte>>> SplitBytes(std::span<const std::byte> data, size_t count);

} // namespace avocet
