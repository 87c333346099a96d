#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "messages/status.h"
#include "node_agent/tensors/tensor.h"

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

/// Takes the first BYTES element off `data`; nullopt, with `data` as it was, when there is no whole one.
inline std::optional<std::span<const std::byte>> TakeByteString(std::span<const std::byte>& data) {
  if (data.size() < kLengthPrefix) return std::nullopt;
  uint32_t length = 0;
  std::memcpy(&length, data.data(), kLengthPrefix);

  // Lengths come from clients: compared with what is left, as adding the prefix to one could overflow.
  if (length > data.size() - kLengthPrefix) return std::nullopt;
  const auto element = data.subspan(kLengthPrefix, length);
  data = data.subspan(kLengthPrefix + length);
  return element;
}

/// Calls visit.operator()<Number>() for the C++ type of such elements: uint8_t .. int64_t, float or double. False,
/// without a call, for those that C++ has no number for: BOOL, FP16, BF16 and BYTES.
///   VisitNumber(spec.type, [&]<class Number>() { Sum<Number>(data); });
template <class Visit> bool VisitNumber(DataType type, const Visit& visit) {
  switch (type) {
  case DataType::kUint8:
    return visit.template operator()<uint8_t>(), true;
  case DataType::kUint16:
    return visit.template operator()<uint16_t>(), true;
  case DataType::kUint32:
    return visit.template operator()<uint32_t>(), true;
  case DataType::kUint64:
    return visit.template operator()<uint64_t>(), true;
  case DataType::kInt8:
    return visit.template operator()<int8_t>(), true;
  case DataType::kInt16:
    return visit.template operator()<int16_t>(), true;
  case DataType::kInt32:
    return visit.template operator()<int32_t>(), true;
  case DataType::kInt64:
    return visit.template operator()<int64_t>(), true;
  case DataType::kFp32:
    return visit.template operator()<float>(), true;
  case DataType::kFp64:
    return visit.template operator()<double>(), true;
  // Named one by one, so that the compiler asks about a type that is added.
  case DataType::kBool:
  case DataType::kFp16:
  case DataType::kBf16:
  case DataType::kBytes:
    break;
  }
  return false;
}

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
