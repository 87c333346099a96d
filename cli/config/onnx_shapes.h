#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "messages/status.h"

namespace avocet {

/// Shapes by the name of the input.
using InputShapes = std::map<std::string, std::vector<int64_t>>;

/// "x=1x3x48x192". kInvalidArgument for anything else; extents are at least 1.
Status ParseInputShape(std::string_view text, InputShapes& shapes);

/// An ONNX model file with the shapes of its inputs set, where it leaves extents open. Everything else stays as it
/// is, byte by byte. What is profiled then is what will be run: an open extent would be profiled as 1.
/// kInvalidArgument when it is no such file, has no input of that name, or contradicts the shape.
Result<std::string> SetInputShapes(std::string_view model, const InputShapes& shapes);

} // namespace avocet
