#include "node_agent/tensors/tensor_contents.h"

#include <algorithm>
#include <bit>
#include <limits>
#include <utility>

#include "messages/invariant.h"

namespace avocet {
namespace {

static_assert(std::endian::native == std::endian::little, "tensors are little-endian and used in place");

Status CheckSize(const TensorSpec& spec, size_t found) {
  const auto wanted = ByteSize(spec);
  if (!wanted.ok()) return wanted.status().WithContext(InputSubject(spec.name));
  if (*wanted == found) return {};
  return InvalidArgument(InputSubject(spec.name) + " has " + std::to_string(found) + " bytes, " + Describe(spec) +
                         " takes " + std::to_string(*wanted));
}

/// That BYTES hold as many length-prefixed elements as the shape says.
Status CheckByteStrings(const TensorSpec& spec, std::span<const std::byte> data) {
  AVOCET_ASSIGN_OR_RETURN(const auto wanted, ElementCount(spec));
  size_t found = 0;
  while (TakeByteString(data))
    ++found;

  if (!data.empty())
    return InvalidArgument(InputSubject(spec.name) + ": element " + std::to_string(found) +
                           " reaches past the end of the contents");

  if (found == wanted) return {};
  return InvalidArgument(InputSubject(spec.name) + " has " + std::to_string(found) + " elements, " + Describe(spec) +
                         " takes " + std::to_string(wanted));
}

Result<size_t> IndexOf(const std::string& name, const std::vector<TensorSpec>& outputs) {
  const auto it =
      std::find_if(outputs.begin(), outputs.end(), [&](const TensorSpec& spec) { return spec.name == name; });
  if (it != outputs.end()) return static_cast<size_t>(it - outputs.begin());
  std::string names;
  for (const TensorSpec& spec : outputs)
    names += (names.empty() ? "'" : ", '") + spec.name + "'";
  return InvalidArgument(std::string("output '").append(name).append("' is unknown; the model has ") +
                         (names.empty() ? "none" : names));
}

bool IsCompared(DataType type) {
  return type != DataType::kBool && type != DataType::kBytes && !IsRawOnly(type);
}

Status CheckClasses(const TensorSpec& output) {
  if (IsCompared(output.type)) return {};
  return InvalidArgument("output '" + output.name + "' is " + std::string(ToString(output.type)) +
                         ", which has no classification; ask for whole numbers, FP32 or FP64");
}

} // namespace

std::string InputSubject(std::string_view name) {
  return std::string("input '").append(name).append("'");
}

Result<TensorSpec> MakeSpec(std::string name, std::string_view datatype, std::vector<int64_t> shape) {
  const auto type = ParseDataType(datatype);
  if (!type) return InvalidArgument(InputSubject(name) + ": unknown datatype '" + std::string(datatype) + "'");
  if (shape.size() > kMaxTensorRank)
    return InvalidArgument(InputSubject(name) + " has " + std::to_string(shape.size()) + " dimensions, the most is " +
                           std::to_string(kMaxTensorRank));
  return TensorSpec{std::move(name), *type, std::move(shape)};
}

Result<size_t> ElementCount(const TensorSpec& spec) {
  TensorSpec as_bytes = spec;
  as_bytes.type = DataType::kUint8; // one byte per element, so ByteSize counts them and checks the shape
  auto count = ByteSize(as_bytes);
  if (!count.ok())
    return InvalidArgument(InputSubject(spec.name) + ": " + Describe(spec) + " has a negative extent or is too large");
  return count;
}

Status CheckContents(const TensorSpec& spec, std::span<const std::byte> data) {
  return spec.type == DataType::kBytes ? CheckByteStrings(spec, data) : CheckSize(spec, data.size());
}

void AppendByteString(std::string_view element, std::vector<std::byte>& bytes) {
  AVOCET_CHECK(element.size() <= std::numeric_limits<uint32_t>::max());
  const auto length = static_cast<uint32_t>(element.size());
  const auto prefix = std::as_bytes(std::span(&length, 1));
  const auto contents = std::as_bytes(std::span(element));
  bytes.insert(bytes.end(), prefix.begin(), prefix.end());
  bytes.insert(bytes.end(), contents.begin(), contents.end());
}

Result<std::vector<ChosenOutput>> SelectOutputs(std::span<const RequestedOutput> outputs,
                                                const ModelSignature& signature) {
  if (outputs.size() > kMaxTensorsPerRequest)
    return InvalidArgument("the request asks for " + std::to_string(outputs.size()) + " outputs, the most is " +
                           std::to_string(kMaxTensorsPerRequest));
  std::vector<ChosenOutput> chosen;
  for (const RequestedOutput& output : outputs) {
    AVOCET_ASSIGN_OR_RETURN(const auto index, IndexOf(output.name, signature.outputs));
    // As Triton does: an output that is asked for again is sent once, as it was asked for first.
    const bool is_chosen =
        std::any_of(chosen.begin(), chosen.end(), [&](const auto& one) { return one.index == index; });
    if (is_chosen) continue;
    if (output.classes > 0) AVOCET_RETURN_IF_ERROR(CheckClasses(signature.outputs[index]));
    chosen.push_back({index, output.classes});
  }
  return chosen;
}

} // namespace avocet
