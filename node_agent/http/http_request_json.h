#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "messages/status.h"
#include "node_agent/inference/request_parameters.h"
#include "node_agent/tensors/tensor.h"

namespace avocet {

/// One element of "inputs" or "outputs", as the JSON says it.
struct TensorDraft {
  std::string name;
  std::optional<std::string> datatype;
  std::optional<std::vector<int64_t>> shape;
  Parameters parameters;
  std::optional<std::vector<std::byte>> data;       ///< decoded from JSON,
  std::optional<std::pair<size_t, size_t>> later{}; ///< or where the array stands, when its type came behind it
};

/// What the JSON of an inference request says. Tensors are only as right as JSON and types make them.
struct RequestDraft {
  std::optional<std::string> id;
  Parameters parameters;
  std::vector<TensorDraft> inputs;
  std::vector<TensorDraft> outputs;
};

/// Never recurses; decoded tensors take `most_decoded` bytes at most. kInvalidArgument says where and why.
Result<RequestDraft> ReadRequestJson(std::span<const std::byte> json, size_t most_decoded);

/// Reads an array that had to wait for its type: TensorDraft::later.
Result<std::vector<std::byte>> ReadDataJson(std::span<const std::byte> array, const TensorSpec& spec,
                                            size_t most_decoded);

/// "input 'x'", shortened.
std::string ShownInput(const std::string& name);

/// Of names in errors.
inline constexpr size_t kMaxShownName = 64;

} // namespace avocet
