#include "node_agent/engines/onnx_tensor.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <utility>

#include "node_agent/formats/onnx_file.h"
#include "node_agent/tensors/tensor_contents.h"

namespace avocet {
namespace {

/// ONNXTensorElementDataType of onnxruntime_c_api.h.
int OnnxTypeOf(DataType type) {
  return static_cast<int>(OnnxNumberOf(type));
}

Result<OnnxValue> BytesToOnnx(const OnnxRuntime& runtime, const TensorView& view) {
  AVOCET_ASSIGN_OR_RETURN(const auto count, ElementCount(view.spec));
  const auto elements = SplitBytes(view.data, count);
  if (!elements.ok()) return elements.status().WithContext("input '" + view.spec.name + "'");

  const OnnxApi& api = runtime.api();
  OrtValue* created = nullptr;
  AVOCET_RETURN_IF_ERROR(
      api.Take(api.CreateTensorAsOrtValue(runtime.allocator(), view.spec.shape.data(), view.spec.shape.size(),
                                          OnnxTypeOf(DataType::kBytes), &created),
               StatusCode::kInternal));

  // Written into the runtime's own buffers: filling from C strings would end at a zero byte.
  OnnxValue value = Own(runtime, created);
  for (size_t i = 0; i < elements->size(); ++i) {
    const auto element = (*elements)[i];
    char* buffer = nullptr;
    AVOCET_RETURN_IF_ERROR(
        api.Take(api.GetResizedStringTensorElementBuffer(created, i, element.size(), &buffer), StatusCode::kInternal));
    if (!element.empty()) std::memcpy(buffer, element.data(), element.size());
  }

  return value;
}

Status CheckSize(uint64_t bytes, uint64_t most) {
  if (bytes <= most) return {};
  return ResourceExhausted("the outputs take more bytes than an answer may have (max_answer_mb in [inference])");
}

Result<std::vector<std::byte>> BytesFromOnnx(const OnnxApi& api, const OrtValue* value, size_t count, uint64_t most) {
  size_t length = 0;
  AVOCET_RETURN_IF_ERROR(api.Take(api.GetStringTensorDataLength(value, &length), StatusCode::kInternal));
  AVOCET_RETURN_IF_ERROR(CheckSize(length + count * kLengthPrefix, most));
  // At least one byte: data() of an empty vector may be null, which the runtime refuses.
  std::vector<std::byte> text(std::max<size_t>(length, 1));

  std::vector<size_t> offsets(count);
  AVOCET_RETURN_IF_ERROR(
      api.Take(api.GetStringTensorContent(value, text.data(), length, offsets.data(), count), StatusCode::kInternal));

  std::vector<std::byte> data(length + count * kLengthPrefix);
  std::byte* next = data.data();
  for (size_t i = 0; i < count; ++i) {
    // Offsets are where elements begin; where the last one ends is the length of all.
    const size_t end = i + 1 < count ? offsets[i + 1] : length;
    const auto size = static_cast<uint32_t>(end - offsets[i]);
    std::memcpy(next, &size, kLengthPrefix);
    std::memcpy(next + kLengthPrefix, text.data() + offsets[i], size);
    next += kLengthPrefix + size;
  }
  return data;
}

Result<std::vector<std::byte>> ElementsFromOnnx(const OnnxApi& api, OrtValue* value, const TensorSpec& spec,
                                                uint64_t most) {
  AVOCET_ASSIGN_OR_RETURN(const auto bytes, ByteSize(spec));
  AVOCET_RETURN_IF_ERROR(CheckSize(bytes, most));
  void* elements = nullptr;
  AVOCET_RETURN_IF_ERROR(api.Take(api.GetTensorMutableData(value, &elements), StatusCode::kInternal));
  const auto* begin = static_cast<const std::byte*>(elements);
  return std::vector<std::byte>(begin, begin + bytes);
}

} // namespace

OnnxValue Own(const OnnxRuntime& runtime, OrtValue* value) {
  return {value, runtime.api().ReleaseValue.function};
}

Result<std::vector<std::span<const std::byte>>> SplitBytes(std::span<const std::byte> data, size_t count) {
  std::vector<std::span<const std::byte>> elements;
  while (const auto element = TakeByteString(data))
    elements.push_back(*element);

  if (!data.empty())
    return InvalidArgument("element " + std::to_string(elements.size()) + " of BYTES reaches past the end");

  if (elements.size() != count)
    return InvalidArgument(std::to_string(elements.size()) + " elements of BYTES, the shape needs " +
                           std::to_string(count));
  return elements;
}

Result<TensorSpec> SpecOf(const OnnxRuntime& runtime, const OrtTensorTypeAndShapeInfo* info, std::string name) {
  const OnnxApi& api = runtime.api();
  int onnx_type = 0;
  size_t rank = 0;
  AVOCET_RETURN_IF_ERROR(api.Take(api.GetTensorElementType(info, &onnx_type), StatusCode::kInternal));
  const auto type = DataTypeOfOnnx(onnx_type);
  if (!type) return Unsupported("tensor '" + name + "' has an element type that is not served");
  AVOCET_RETURN_IF_ERROR(api.Take(api.GetDimensionsCount(info, &rank), StatusCode::kInternal));
  TensorSpec spec{std::move(name), *type, std::vector<int64_t>(rank)};
  AVOCET_RETURN_IF_ERROR(api.Take(api.GetDimensions(info, spec.shape.data(), rank), StatusCode::kInternal));
  return spec;
}

Result<OnnxValue> ToOnnx(const OnnxRuntime& runtime, const TensorView& view,
                         std::vector<std::vector<std::byte>>& copies) {
  if (view.spec.type == DataType::kBytes) return BytesToOnnx(runtime, view);
  std::span<const std::byte> data = view.data;
  const bool is_aligned = reinterpret_cast<uintptr_t>(data.data()) % ElementSize(view.spec.type) == 0;
  if (!is_aligned) data = copies.emplace_back(data.begin(), data.end());
  // The library only reads inputs, though its type has no const; it refuses null, even for no elements.
  const void* elements = data.empty() ? static_cast<const void*>(&runtime) : data.data();
  OrtValue* value = nullptr;
  AVOCET_RETURN_IF_ERROR(runtime.api().Take(
      runtime.api().CreateTensorWithDataAsOrtValue(runtime.host(), const_cast<void*>(elements), data.size(),
                                                   view.spec.shape.data(), view.spec.shape.size(),
                                                   OnnxTypeOf(view.spec.type), &value),
      StatusCode::kInternal));
  return Own(runtime, value);
}

Result<Tensor> FromOnnx(const OnnxRuntime& runtime, OrtValue* value, std::string name, uint64_t most) {
  const OnnxApi& api = runtime.api();
  OrtTensorTypeAndShapeInfo* created = nullptr;
  AVOCET_RETURN_IF_ERROR(api.Take(api.GetTensorTypeAndShape(value, &created), StatusCode::kInternal));
  const std::unique_ptr<OrtTensorTypeAndShapeInfo, void (*)(OrtTensorTypeAndShapeInfo*)> info(
      created, api.ReleaseTensorTypeAndShapeInfo.function);
  AVOCET_ASSIGN_OR_RETURN(auto spec, SpecOf(runtime, created, std::move(name)));
  AVOCET_ASSIGN_OR_RETURN(const auto count, ElementCount(spec));
  auto data =
      spec.type == DataType::kBytes ? BytesFromOnnx(api, value, count, most) : ElementsFromOnnx(api, value, spec, most);
  if (!data.ok()) return data.status();
  return Tensor{std::move(spec), std::move(*data)};
}

} // namespace avocet
