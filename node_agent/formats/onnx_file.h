#pragma once

#include <optional>
#include <string_view>

#include "messages/status.h"
#include "node_agent/tensors/tensor.h"

namespace avocet {

/// The element type of that number in ONNX files and in ONNX Runtime's API; none where it is not served.
std::optional<DataType> DataTypeOfOnnx(int64_t number);
int64_t OnnxNumberOf(DataType type);

/// What an .onnx file says of itself, read without an engine. kInvalidArgument where the bytes are no ONNX model, or
/// name other files: tensors with external data, and nodes that hold a compiled model. Nothing that a model says may
/// make an engine open a file, as the folder that it lies in holds everybody's models. kUnsupported for inputs and
/// outputs that are no tensors, or of an element type that is not served.
Result<ModelSignature> InspectOnnx(std::string_view file);

} // namespace avocet
