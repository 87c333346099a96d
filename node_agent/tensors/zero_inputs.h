#pragma once

#include <vector>

#include "node_agent/tensors/tensor.h"

namespace avocet {

/// Inputs of zeros that fit a signature, for warm-ups and probes; an open extent becomes 1. The views point into
/// `tensors`.
struct ZeroInputs {
  explicit ZeroInputs(const ModelSignature& signature);
  std::vector<Tensor> tensors;
  std::vector<TensorView> views;
};

} // namespace avocet
