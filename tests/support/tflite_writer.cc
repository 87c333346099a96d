#include "tests/support/tflite_writer.h"

#include <tflite_generated.h>

namespace avocet {
namespace {

// TensorType and BuiltinOptions of the schema.
constexpr int8_t kFloat32 = 0;
constexpr int8_t kInt32 = 2;
constexpr uint8_t kAddOptions = 11;
constexpr uint8_t kReshapeOptions = 17;

} // namespace

std::string Encode(const TfliteGraph& graph) {
  flatbuffers::FlatBufferBuilder builder;
  const bool is_add = graph.op == TfliteOp::kAdd;
  const std::vector<int32_t> one{1};
  const auto tensor = [&](const char* name, int8_t type, const std::vector<int32_t>& shape, bool may_be_open) {
    const bool open = may_be_open && !graph.shape_signature.empty();
    return tflite::CreateTensorDirect(builder, &shape, type, 0, name, 0, false, 0,
                                      open ? &graph.shape_signature : nullptr);
  };
  const std::vector tensors{tensor("x", kFloat32, graph.shape, true),
                            is_add ? tensor("z", kFloat32, graph.shape, true) : tensor("shape", kInt32, one, false),
                            tensor("y", kFloat32, graph.shape, true)};
  const std::vector<int32_t> inputs{0, 1}, outputs{2};
  const std::vector operators{tflite::CreateOperatorDirect(
      builder, 0, &inputs, &outputs, is_add ? kAddOptions : kReshapeOptions, tflite::CreateAny(builder))};
  const std::vector graphs{tflite::CreateSubGraphDirect(builder, &tensors, &inputs, &outputs, &operators, "main")};
  const auto number = static_cast<int32_t>(graph.op);
  const std::vector codes{tflite::CreateOperatorCode(builder, static_cast<int8_t>(number), 0, 1, number)};
  const std::vector buffers{tflite::CreateBuffer(builder)};
  tflite::FinishModelBuffer(builder, tflite::CreateModelDirect(builder, 3, &codes, &graphs, "", &buffers));
  return {reinterpret_cast<const char*>(builder.GetBufferPointer()), builder.GetSize()};
}

} // namespace avocet
