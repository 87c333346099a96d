#pragma once

#include <optional>
#include <string_view>

#include "messages/status.h"
#include "node_agent/tensors/tensor.h"

namespace avocet {

/// The element type of that TfLiteType, in files (one less there) and in TensorFlow Lite's API; none where it is not
/// served.
std::optional<DataType> DataTypeOfTflite(int type);

/// What a .tflite file says of itself, read without an engine; -1 where it lets an extent be any. TensorFlow Lite reads
/// a file as it comes, so a truncated or damaged one can end the process: here every table, vector and index is checked
/// first, except inside the options of operators. kInvalidArgument where the bytes are no TensorFlow Lite model,
/// kUnsupported for an element type that is not served.
Result<ModelSignature> InspectTflite(std::string_view file);

} // namespace avocet
