#include "node_agent/tensors/zero_inputs.h"

#include <algorithm>
#include <cstddef>

namespace avocet {
namespace {

constexpr size_t kBytesLengthPrefix = 4; ///< an empty BYTES element is its length alone

Tensor Zeros(TensorSpec spec) {
  for (int64_t& extent : spec.shape)
    extent = extent < 0 ? 1 : extent;
  size_t elements = 1;
  for (const int64_t extent : spec.shape)
    elements *= static_cast<size_t>(extent);
  const size_t element_size = spec.type == DataType::kBytes ? kBytesLengthPrefix : ElementSize(spec.type);
  return Tensor{std::move(spec), std::vector<std::byte>(elements * element_size)};
}

} // namespace

ZeroInputs::ZeroInputs(const ModelSignature& signature) {
  for (const TensorSpec& input : signature.inputs)
    tensors.push_back(Zeros(input));
  for (const Tensor& tensor : tensors)
    views.push_back(TensorView{tensor.spec, tensor.data});
}

} // namespace avocet
