#pragma once

#include <cstdint>
#include <string>

#include "cli/load/load_client.h"
#include "node_agent/tensors/tensor.h"

namespace avocet {

/// Replaces unknown extents (-1) by 1.
TensorSpec Concrete(TensorSpec spec);

/// Raw little-endian elements for a concrete shape. kRandom: floats in [0, 1), random integers and
/// booleans; half-precision floats stay zero and byte strings stay empty. kResourceExhausted beyond
/// kMaxLoadTensorBytes.
Result<std::string> MakeTensorBytes(const TensorSpec& spec, TensorFill fill, uint64_t seed);

inline constexpr size_t kMaxLoadTensorBytes = size_t{64} << 20; ///< what servers accept at most

} // namespace avocet
