#include "node_agent/formats/tflite_file.h"

#include <algorithm>
#include <array>
#include <string>

#include <tflite_generated.h>

namespace avocet {
namespace {

/// Tables within tables of a file; the schema has five.
constexpr flatbuffers::uoffset_t kMaxDepth = 16;
constexpr flatbuffers::uoffset_t kMaxTables = 10'000'000;
constexpr unsigned kSchemaVersion = 3;

using Indexes = flatbuffers::Vector<int32_t>;

template <class Vector, class Holds> bool All(const Vector* vector, const Holds& holds) {
  return vector == nullptr || std::all_of(vector->begin(), vector->end(), holds);
}

bool AreBelow(const Indexes* indexes, int64_t limit, int64_t lowest) {
  return All(indexes, [=](int32_t i) { return i >= lowest && i < limit; });
}

template <class Vector> size_t SizeOf(const Vector* vector) {
  return vector == nullptr ? 0 : vector->size();
}

bool IsWhole(const tflite::Operator& op, const tflite::Model& model, int64_t tensors) {
  constexpr int64_t kOptional = -1; // stands for an input that is left out
  return op.opcode_index() < SizeOf(model.operator_codes()) && AreBelow(op.inputs(), tensors, kOptional) &&
         AreBelow(op.outputs(), tensors, kOptional) && AreBelow(op.intermediates(), tensors, kOptional);
}

bool IsWhole(const tflite::SubGraph& graph, const tflite::Model& model) {
  const auto tensors = static_cast<int64_t>(SizeOf(graph.tensors()));
  if (!AreBelow(graph.inputs(), tensors, 0) || !AreBelow(graph.outputs(), tensors, 0)) return false;
  const auto has_buffer = [&](const auto* tensor) { return tensor->buffer() < SizeOf(model.buffers()); };
  const auto is_whole = [&](const auto* op) { return IsWhole(*op, model, tensors); };
  return All(graph.tensors(), has_buffer) && All(graph.operators(), is_whole);
}

/// The TfLiteType of a TensorType of the schema, which numbers the first and the later ones otherwise.
int RuntimeTypeOf(int8_t schema_type) {
  constexpr int8_t kFloat32 = 0, kFloat16 = 1, kFloat64 = 10;
  if (schema_type == kFloat32) return 1;
  if (schema_type == kFloat16) return 10;
  return schema_type < kFloat64 ? schema_type : schema_type + 1;
}

Result<TensorSpec> SpecOf(const tflite::Tensor& tensor) {
  TensorSpec spec{tensor.name() ? tensor.name()->str() : "", DataType::kFp32, {}};
  const auto type = DataTypeOfTflite(RuntimeTypeOf(tensor.type()));
  if (!type) return Unsupported("tensor '" + spec.name + "' has an element type that is not served");
  spec.type = *type;

  // The signature has the open extents, where the shape has what the converter took for them.
  const Indexes* shape = SizeOf(tensor.shape_signature()) == SizeOf(tensor.shape()) && tensor.shape_signature()
                             ? tensor.shape_signature()
                             : tensor.shape();
  for (size_t i = 0; i < SizeOf(shape); ++i)
    spec.shape.push_back(std::max(shape->Get(static_cast<flatbuffers::uoffset_t>(i)), -1));
  return spec;
}

/// Clients address tensors by name, so an absent or repeated name gets one: "input0".
Status Add(const tflite::SubGraph& graph, const Indexes* indexes, const std::string& role,
           std::vector<TensorSpec>& specs) {
  for (size_t i = 0; i < SizeOf(indexes); ++i) {
    const auto at = static_cast<flatbuffers::uoffset_t>(indexes->Get(static_cast<flatbuffers::uoffset_t>(i)));
    AVOCET_ASSIGN_OR_RETURN(auto spec, SpecOf(*graph.tensors()->Get(at)));
    const bool taken =
        std::any_of(specs.begin(), specs.end(), [&](const auto& other) { return other.name == spec.name; });
    if (spec.name.empty() || taken) spec.name = role + std::to_string(specs.size());
    specs.push_back(std::move(spec));
  }
  return {};
}

} // namespace

std::optional<DataType> DataTypeOfTflite(int type) {
  // TfLiteType of tensorflow/lite/c/c_api_types.h; not served: strings, complex numbers, resources.
  static constexpr std::array kTypes{
      std::pair{1, DataType::kFp32},    std::pair{2, DataType::kInt32},  std::pair{3, DataType::kUint8},
      std::pair{4, DataType::kInt64},   std::pair{6, DataType::kBool},   std::pair{7, DataType::kInt16},
      std::pair{9, DataType::kInt8},    std::pair{10, DataType::kFp16},  std::pair{11, DataType::kFp64},
      std::pair{13, DataType::kUint64}, std::pair{16, DataType::kUint32}};
  for (const auto& [number, served] : kTypes)
    if (number == type) return served;
  return std::nullopt;
}

Result<ModelSignature> InspectTflite(std::string_view file) {
  constexpr size_t kHeader = 8; // an offset and the identifier
  if (file.size() < kHeader || !tflite::ModelBufferHasIdentifier(file.data()))
    return InvalidArgument("not a TensorFlow Lite model");
  flatbuffers::Verifier verifier(reinterpret_cast<const uint8_t*>(file.data()), file.size(), kMaxDepth, kMaxTables);
  if (!tflite::VerifyModelBuffer(verifier)) return InvalidArgument("a damaged or truncated TensorFlow Lite model");

  const tflite::Model& model = *tflite::GetModel(file.data());
  if (model.version() != kSchemaVersion)
    return InvalidArgument("a TensorFlow Lite model of schema " + std::to_string(model.version()) + "; known is " +
                           std::to_string(kSchemaVersion));
  if (SizeOf(model.subgraphs()) == 0) return InvalidArgument("a TensorFlow Lite model without a graph");
  for (const auto* graph : *model.subgraphs())
    if (!IsWhole(*graph, model)) return InvalidArgument("a damaged TensorFlow Lite model: an index leads nowhere");

  ModelSignature signature;
  const tflite::SubGraph& main = *model.subgraphs()->Get(0);
  AVOCET_RETURN_IF_ERROR(Add(main, main.inputs(), "input", signature.inputs));
  AVOCET_RETURN_IF_ERROR(Add(main, main.outputs(), "output", signature.outputs));
  return signature;
}

} // namespace avocet
