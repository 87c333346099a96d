#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace avocet {

/// Builtin operators of TensorFlow Lite, by their numbers in its schema.
enum class TfliteOp { kAdd = 0, kReshape = 22 };

/// y = op(x...), on FP32 but for the shape that kReshape takes as its second input.
struct TfliteGraph {
  TfliteOp op = TfliteOp::kAdd;
  std::vector<int32_t> shape;           ///< of x and y
  std::vector<int32_t> shape_signature; ///< of both: -1 for any extent; empty: as `shape`
};

/// The file. kAdd: inputs "x" and "z". kReshape: "x", and "shape", an INT32[1].
std::string Encode(const TfliteGraph& graph);

} // namespace avocet
