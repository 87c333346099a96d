#pragma once

#include <cstdint>
#include <vector>

#include "messages/status.h"
#include "node_agent/inference/inference.h"
#include "node_agent/inference/request_parameters.h"
#include "node_agent/tensors/tensor.h"

namespace avocet {

// Triton's classification extension: in place of an output's elements its largest ones, with their indexes.

/// Classes that one output may be asked for.
inline constexpr uint32_t kMaxClasses = 65'536;

/// What an output's parameter `classification` asks for; 0 is the tensor itself. kInvalidArgument unless it is an
/// integer 0 .. kMaxClasses.
Result<uint32_t> ClassesOf(const ParameterValue& parameter);

/// The `most` largest elements as BYTES "value:index", largest first, equal ones by index, not-a-number last. Of the
/// whole tensor, whatever its shape: no model here has a dimension of batches (max_batch_size is 0), and then Triton
/// answers so. Shape [min(most, elements)]. Requires most > 0 and one of the datatypes that SelectOutputs lets through.
Tensor Classify(const Tensor& output, uint32_t most);

/// Puts the classes into the answer where they were asked for. The answer points into what is returned.
std::vector<Tensor> ClassifyOutputs(InferenceAnswer& answer);

} // namespace avocet
