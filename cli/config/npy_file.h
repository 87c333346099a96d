#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "messages/status.h"

namespace avocet {

/// An array as NumPy saves one.
struct NpyArray {
  std::string data_type; ///< of the Open Inference Protocol: "FP32", ...
  std::vector<int64_t> shape;
  std::string data; ///< in raw form: little-endian, the last extent fastest; texts each with its length in front
};

/// kInvalidArgument for what is no .npy file, is damaged, big-endian, in Fortran's order, or has elements that requests
/// cannot carry.
Result<NpyArray> ParseNpy(std::string_view file);

} // namespace avocet
