#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "messages/model.h"
#include "node_agent/tensors/tensor.h"

namespace avocet {

/// An input that somebody gave for measuring a model.
struct GivenInput {
  SampleInput sample;
  std::vector<std::byte> data; ///< of SampleFill::kFile
};

/// Inputs for warm-ups and probes: those that are given, and invented ones in place of the others, with open extents as
/// 1. Ones are numbers 1, texts "1" and true; zeros are 0, "0" and false; random ones are numbers of [0, 1), whole ones
/// of 0 to 127, and digits, the same for a seed. Immutable.
class ProbeInputs {
public:
  /// `others` fills what is not given. kInvalidArgument: a given input is none of the model's, contradicts its type or
  /// shape, or its file has another size. kResourceExhausted: larger than kMaxSampleBytes.
  static Result<std::shared_ptr<const ProbeInputs>> Make(const ModelSignature& signature,
                                                         std::span<const GivenInput> given, SampleFill others);
  /// Lives as long as this object.
  std::span<const TensorView> views() const { return views_; }

private:
  std::vector<Tensor> tensors_;
  std::vector<TensorView> views_;
};

} // namespace avocet
