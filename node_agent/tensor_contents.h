#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "messages/status.h"
#include "node_agent/tensor.h"

namespace avocet {

/// Tensors that one request may hold: inputs, and outputs asked for.
inline constexpr int kMaxTensorsPerRequest = 256;

/// What stands in front of each BYTES element: its length.
inline constexpr size_t kLengthPrefix = sizeof(uint32_t);

// What both transports check of an input before they believe it. All errors are kInvalidArgument and
// begin with InputSubject(name).

/// "input 'x'".
std::string InputSubject(std::string_view name);

/// Datatype and rank as the protocol knows them; extents are not checked.
Result<TensorSpec> MakeSpec(std::string name, std::string_view datatype, std::vector<int64_t> shape);

/// Elements of a concrete shape.
Result<size_t> ElementCount(const TensorSpec& spec);

/// That the contents are exactly as long as the shape says; BYTES hold as many elements, each whole.
Status CheckContents(const TensorSpec& spec, std::span<const std::byte> data);

/// Appends a BYTES element with its length. Requires that it is below 4 GiB.
void AppendByteString(std::string_view element, std::vector<std::byte>& bytes);

/// An output that a request names.
struct RequestedOutput {
  std::string name;
  uint32_t classes = 0; ///< so many of its classes (classification.h); 0: the tensor
};

/// An output to send.
struct ChosenOutput {
  size_t index = 0; ///< among the signature's
  uint32_t classes = 0;
};

/// Which outputs to send, in the order asked for; empty (all) when none is named. kInvalidArgument: unknown, twice,
/// too many, classes of a datatype that is not compared (all but whole numbers, FP32 and FP64: as in Triton).
Result<std::vector<ChosenOutput>> SelectOutputs(std::span<const RequestedOutput> outputs,
                                                const ModelSignature& signature);

} // namespace avocet
