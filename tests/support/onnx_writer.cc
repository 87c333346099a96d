#include "tests/support/onnx_writer.h"

#include <cstring>

namespace avocet {
namespace {

// Numbers of fields in onnx.proto.
constexpr uint64_t kIrVersion = 8;
constexpr uint64_t kOpset = 13;

std::string Varint(uint64_t value) {
  std::string bytes;
  for (; value >= 128; value >>= 7)
    bytes += static_cast<char>((value & 127) | 128);
  return bytes + static_cast<char>(value);
}

std::string Number(int field, uint64_t value) {
  return Varint(static_cast<uint64_t>(field) << 3) + Varint(value);
}

std::string Bytes(int field, const std::string& value) {
  return Varint(static_cast<uint64_t>(field) << 3 | 2) + Varint(value.size()) + value;
}

/// TensorProto.DataType.
uint64_t TypeNumber(DataType type) {
  switch (type) {
  case DataType::kFp32:
    return 1;
  case DataType::kUint8:
    return 2;
  case DataType::kInt8:
    return 3;
  case DataType::kUint16:
    return 4;
  case DataType::kInt16:
    return 5;
  case DataType::kInt32:
    return 6;
  case DataType::kInt64:
    return 7;
  case DataType::kBytes:
    return 8;
  case DataType::kBool:
    return 9;
  case DataType::kFp16:
    return 10;
  case DataType::kFp64:
    return 11;
  case DataType::kUint32:
    return 12;
  case DataType::kUint64:
    return 13;
  case DataType::kBf16:
    return 16;
  }
  return 0;
}

std::string TensorType(const TensorSpec& spec) {
  std::string shape;
  for (size_t i = 0; i < spec.shape.size(); ++i)
    shape += Bytes(1, spec.shape[i] < 0 ? Bytes(2, "extent" + std::to_string(i))
                                        : Number(1, static_cast<uint64_t>(spec.shape[i])));
  return Bytes(1, Number(1, TypeNumber(spec.type)) + Bytes(2, shape));
}

std::string ValueInfo(const TensorSpec& spec, bool is_sequence) {
  const std::string type = TensorType(spec);
  return Bytes(1, spec.name) + Bytes(2, is_sequence ? Bytes(4, Bytes(1, type)) : type);
}

std::string Constant(const Tensor& tensor) {
  std::string bytes;
  for (const int64_t extent : tensor.spec.shape)
    bytes += Number(1, static_cast<uint64_t>(extent));
  const std::string raw(reinterpret_cast<const char*>(tensor.data.data()), tensor.data.size());
  return bytes + Number(2, TypeNumber(tensor.spec.type)) + Bytes(8, tensor.spec.name) + Bytes(9, raw);
}

std::string Node(const OnnxNode& node) {
  std::string bytes;
  for (const std::string& input : node.inputs)
    bytes += Bytes(1, input);
  for (const std::string& output : node.outputs)
    bytes += Bytes(2, output);
  return bytes + Bytes(4, node.op);
}

} // namespace

std::string Encode(const OnnxGraph& graph) {
  std::string bytes;
  for (const OnnxNode& node : graph.nodes)
    bytes += Bytes(1, Node(node));
  bytes += Bytes(2, "test");
  for (const Tensor& constant : graph.constants)
    bytes += Bytes(5, Constant(constant));
  for (const TensorSpec& input : graph.inputs)
    bytes += Bytes(11, ValueInfo(input, false));
  for (const TensorSpec& output : graph.outputs)
    bytes += Bytes(12, ValueInfo(output, graph.first_output_is_sequence && &output == graph.outputs.data()));
  return Number(1, kIrVersion) + Bytes(7, bytes) + Bytes(8, Bytes(1, "") + Number(2, kOpset));
}

Tensor FloatTensor(std::string name, std::vector<int64_t> shape, const std::vector<float>& values) {
  Tensor tensor{{std::move(name), DataType::kFp32, std::move(shape)}, {}};
  tensor.data.resize(values.size() * sizeof(float));
  if (!values.empty()) std::memcpy(tensor.data.data(), values.data(), tensor.data.size());
  return tensor;
}

std::vector<float> Floats(const Tensor& tensor) {
  std::vector<float> values(tensor.data.size() / sizeof(float));
  if (!values.empty()) std::memcpy(values.data(), tensor.data.data(), tensor.data.size());
  return values;
}

} // namespace avocet
