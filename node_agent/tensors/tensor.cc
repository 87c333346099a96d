#include "node_agent/tensors/tensor.h"

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

namespace avocet {
namespace {

struct TypeRow {
  DataType type;
  std::string_view name;
  size_t bytes;
};

constexpr std::array kTypes = {
    TypeRow{DataType::kBool, "BOOL", 1},     TypeRow{DataType::kUint8, "UINT8", 1},
    TypeRow{DataType::kUint16, "UINT16", 2}, TypeRow{DataType::kUint32, "UINT32", 4},
    TypeRow{DataType::kUint64, "UINT64", 8}, TypeRow{DataType::kInt8, "INT8", 1},
    TypeRow{DataType::kInt16, "INT16", 2},   TypeRow{DataType::kInt32, "INT32", 4},
    TypeRow{DataType::kInt64, "INT64", 8},   TypeRow{DataType::kFp16, "FP16", 2},
    TypeRow{DataType::kBf16, "BF16", 2},     TypeRow{DataType::kFp32, "FP32", 4},
    TypeRow{DataType::kFp64, "FP64", 8},     TypeRow{DataType::kBytes, "BYTES", 0},
};

const TypeRow& RowOf(DataType type) {
  return *std::find_if(kTypes.begin(), kTypes.end() - 1, [type](const TypeRow& row) { return row.type == type; });
}

bool Matches(int64_t wanted, int64_t given) {
  return wanted == given || (wanted == -1 && given >= 0);
}

bool ShapesMatch(const std::vector<int64_t>& wanted, const std::vector<int64_t>& given) {
  // A signature without extents may stand for any shape; the engine looks again.
  return wanted.empty() || std::equal(wanted.begin(), wanted.end(), given.begin(), given.end(), Matches);
}

Status CheckInput(const TensorSpec& wanted, const TensorView& given) {
  const std::string subject = "input '" + wanted.name + "'";
  if (wanted.type != given.spec.type || !ShapesMatch(wanted.shape, given.spec.shape))
    return InvalidArgument(subject + " is " + Describe(given.spec) + ", the model takes " + Describe(wanted));
  if (given.spec.type == DataType::kBytes) return {}; // each element carries its own length
  AVOCET_ASSIGN_OR_RETURN(const auto bytes, ByteSize(given.spec));
  if (bytes != given.data.size())
    return InvalidArgument(subject + " has " + std::to_string(given.data.size()) + " bytes, " + Describe(given.spec) +
                           " needs " + std::to_string(bytes));
  return {};
}

} // namespace

std::string_view ToString(DataType type) {
  return RowOf(type).name;
}

std::optional<DataType> ParseDataType(std::string_view text) {
  for (const TypeRow& row : kTypes)
    if (row.name == text) return row.type;
  return std::nullopt;
}

size_t ElementSize(DataType type) {
  return RowOf(type).bytes;
}

bool IsRawOnly(DataType type) {
  return type == DataType::kFp16 || type == DataType::kBf16;
}

Result<size_t> ByteSize(const TensorSpec& spec) {
  const std::string subject = "tensor '" + spec.name + "': ";
  if (spec.type == DataType::kBytes) return InvalidArgument(subject + "BYTES has no fixed size");
  // Bounded before Describe puts the shape into a text.
  if (spec.shape.size() > kMaxTensorRank)
    return InvalidArgument(subject + std::to_string(spec.shape.size()) + " dimensions, the most is " +
                           std::to_string(kMaxTensorRank));
  if (std::any_of(spec.shape.begin(), spec.shape.end(), [](int64_t extent) { return extent < 0; }))
    return InvalidArgument(subject + "negative extent in " + Describe(spec));
  // Zero elements are valid, and must not be a divisor below.
  if (std::find(spec.shape.begin(), spec.shape.end(), 0) != spec.shape.end()) return size_t{0};

  // By division, before multiplying: extents come from clients, and their product may overflow.
  size_t bytes = ElementSize(spec.type);
  for (const int64_t extent : spec.shape) {
    const auto factor = static_cast<size_t>(extent);
    if (bytes > static_cast<size_t>(std::numeric_limits<ptrdiff_t>::max()) / factor)
      return InvalidArgument(subject + "size overflow in " + Describe(spec));
    bytes *= factor;
  }
  return bytes;
}

std::string Describe(const TensorSpec& spec) {
  std::string text(ToString(spec.type));
  text += '[';
  for (size_t i = 0; i < spec.shape.size(); ++i)
    text += (i ? "," : "") + std::to_string(spec.shape[i]);
  return text + ']';
}

Status CheckInputs(const ModelSignature& signature, std::span<const TensorView> inputs) {
  // By position in the signature: finds what is missing and what is twice in one pass.
  std::vector<const TensorView*> given(signature.inputs.size(), nullptr);
  for (const TensorView& input : inputs) {
    const auto wanted = std::find_if(signature.inputs.begin(), signature.inputs.end(),
                                     [&](const TensorSpec& spec) { return spec.name == input.spec.name; });
    if (wanted == signature.inputs.end())
      return InvalidArgument("input '" + input.spec.name + "' is unknown to the model");

    auto& slot = given[static_cast<size_t>(wanted - signature.inputs.begin())];
    if (slot) return InvalidArgument("input '" + input.spec.name + "' is given twice");
    slot = &input;
  }

  // Only after all are assigned: a wrong name explains a missing input better than the reverse.
  for (size_t i = 0; i < given.size(); ++i) {
    if (!given[i]) return InvalidArgument("input '" + signature.inputs[i].name + "' is missing");
    AVOCET_RETURN_IF_ERROR(CheckInput(signature.inputs[i], *given[i]));
  }
  return {};
}

} // namespace avocet
