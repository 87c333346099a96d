#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "messages/status.h"
#include "node_agent/inference/request_parameters.h"
#include "node_agent/tensors/tensor.h"
#include "node_agent/tensors/tensor_contents.h"

namespace avocet {

/// A decoded POST .../infer. Views point into the body where it holds tensors in binary, else into
/// `converted`. Movable; the body must outlive the views.
struct HttpInferRequest {
  std::optional<std::string> id;
  Parameters parameters; ///< without binary_data_output
  std::vector<TensorView> inputs;
  std::vector<std::vector<std::byte>> converted;
  std::vector<RequestedOutput> outputs;        ///< empty: all
  std::vector<std::optional<bool>> are_binary; ///< one per element of `outputs`: its binary_data
  bool is_binary_by_default = false;           ///< binary_data_output

  /// How to send the i-th answered output.
  bool IsBinary(size_t i) const;
};

struct HttpInferBody {
  std::span<const std::byte> bytes;
  size_t json_bytes = 0;   ///< how many of them are JSON, <= bytes.size(); raw tensors follow
  size_t most_decoded = 0; ///< bytes that tensors decoded from JSON may take together
  bool is_raw = false;     ///< there is no JSON, and the body is the model's only input
};

/// Inputs as JSON data (nested or flat, row-major) or as binary data (extension binary_tensor_data),
/// also mixed. Never recurses, and allocates no more than `most_decoded` and what the JSON itself
/// holds. kInvalidArgument says where and why; kUnsupported: shared memory.
Result<HttpInferRequest> DecodeInferRequest(const HttpInferBody& body);

/// A raw binary request: the body is the only input of the model, whose open extent follows from the size. BYTES are
/// one element, the body without a length. All outputs are wanted in binary. kInvalidArgument: more or fewer inputs,
/// more than one open extent, another size.
Result<HttpInferRequest> DecodeRawRequest(std::span<const std::byte> body, const ModelSignature& signature);

} // namespace avocet
