#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "node_agent/tensors/tensor.h"

namespace avocet {

/// A node of an ONNX graph, without attributes.
struct OnnxNode {
  std::string op; ///< "Add", "MatMul", ...
  std::vector<std::string> inputs;
  std::vector<std::string> outputs;
};

/// What a test needs of an ONNX model. A shape's -1 is an open extent.
struct OnnxGraph {
  std::vector<TensorSpec> inputs;
  std::vector<TensorSpec> outputs;
  std::vector<Tensor> constants;
  std::vector<OnnxNode> nodes;
  bool first_output_is_sequence = false; ///< of tensors of its type
};

/// The file, encoded by hand (protobuf's wire format), so that the engine's answers do not come from
/// the library that made the question.
std::string Encode(const OnnxGraph& graph);

/// A tensor of FP32 elements.
Tensor FloatTensor(std::string name, std::vector<int64_t> shape, const std::vector<float>& values);
/// The elements of an FP32 tensor.
std::vector<float> Floats(const Tensor& tensor);

} // namespace avocet
