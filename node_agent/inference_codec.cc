#include "node_agent/inference_codec.h"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <utility>

namespace avocet {
namespace {

using inference::InferTensorContents;
using inference::ModelInferRequest;
using InputTensor = ModelInferRequest::InferInputTensor;

static_assert(std::endian::native == std::endian::little, "tensors are little-endian and used in place");
static_assert(sizeof(bool) == 1, "BOOL tensors have one byte per element");

constexpr size_t kLengthPrefix = sizeof(uint32_t); // in front of each BYTES element

std::string Subject(const InputTensor& input) {
  return std::string("input '").append(input.name()).append("'");
}

std::span<const std::byte> BytesOf(const std::string& text) {
  return std::as_bytes(std::span(text));
}

/// Elements of a concrete shape, or kInvalidArgument.
Result<size_t> ElementCount(const TensorSpec& spec) {
  TensorSpec as_bytes = spec;
  as_bytes.type = DataType::kUint8; // one byte per element, so ByteSize counts them and checks the shape
  return ByteSize(as_bytes);
}

Result<TensorSpec> DecodeSpec(const InputTensor& input) {
  if (input.parameters().contains("shared_memory_region"))
    return Unsupported(Subject(input) + ": shared memory is not supported; send the contents");
  const auto type = ParseDataType(input.datatype());
  if (!type) return InvalidArgument(Subject(input) + ": unknown datatype '" + input.datatype() + "'");
  if (static_cast<size_t>(input.shape_size()) > kMaxTensorRank)
    return InvalidArgument(Subject(input) + " has " + std::to_string(input.shape_size()) + " dimensions, the most is " +
                           std::to_string(kMaxTensorRank));
  return TensorSpec{input.name(), *type, {input.shape().begin(), input.shape().end()}};
}

Status CheckSize(const InputTensor& input, const TensorSpec& spec, size_t found) {
  const auto wanted = ByteSize(spec);
  if (!wanted.ok()) return wanted.status().WithContext(Subject(input));
  if (*wanted == found) return {};
  return InvalidArgument(Subject(input) + " has " + std::to_string(found) + " bytes, " + Describe(spec) + " takes " +
                         std::to_string(*wanted));
}

/// That raw BYTES hold as many length-prefixed elements as the shape says.
Status CheckByteStrings(const InputTensor& input, const TensorSpec& spec, std::span<const std::byte> data) {
  const auto wanted = ElementCount(spec);
  if (!wanted.ok()) return wanted.status().WithContext(Subject(input));
  size_t found = 0;
  for (; data.size() >= kLengthPrefix; ++found) {
    uint32_t length = 0;
    std::memcpy(&length, data.data(), kLengthPrefix);
    if (length > data.size() - kLengthPrefix) break;
    data = data.subspan(kLengthPrefix + length);
  }
  if (!data.empty())
    return InvalidArgument(Subject(input) + ": element " + std::to_string(found) +
                           " reaches past the end of the contents");
  if (found == *wanted) return {};
  return InvalidArgument(Subject(input) + " has " + std::to_string(found) + " elements, " + Describe(spec) + " takes " +
                         std::to_string(*wanted));
}

Result<TensorView> DecodeRaw(const InputTensor& input, const std::string& raw) {
  auto spec = DecodeSpec(input);
  if (!spec.ok()) return spec.status();
  const bool is_bytes = spec->type == DataType::kBytes;
  AVOCET_RETURN_IF_ERROR(is_bytes ? CheckByteStrings(input, *spec, BytesOf(raw)) : CheckSize(input, *spec, raw.size()));
  return TensorView{std::move(*spec), BytesOf(raw)};
}

/// Typed contents: how many elements each field holds, by the field's name.
struct Field {
  std::string_view name;
  int count;
};

std::vector<Field> FieldsOf(const InferTensorContents& c) {
  return {{"bool_contents", c.bool_contents_size()},     {"int_contents", c.int_contents_size()},
          {"int64_contents", c.int64_contents_size()},   {"uint_contents", c.uint_contents_size()},
          {"uint64_contents", c.uint64_contents_size()}, {"fp32_contents", c.fp32_contents_size()},
          {"fp64_contents", c.fp64_contents_size()},     {"bytes_contents", c.bytes_contents_size()}};
}

bool IsEmpty(const InferTensorContents& contents) {
  const auto fields = FieldsOf(contents);
  return std::all_of(fields.begin(), fields.end(), [](const Field& field) { return field.count == 0; });
}

/// The field that a datatype's elements stand in; empty for FP16, which has none.
std::string_view FieldFor(DataType type) {
  switch (type) {
  case DataType::kBool:
    return "bool_contents";
  case DataType::kInt8:
  case DataType::kInt16:
  case DataType::kInt32:
    return "int_contents";
  case DataType::kInt64:
    return "int64_contents";
  case DataType::kUint8:
  case DataType::kUint16:
  case DataType::kUint32:
    return "uint_contents";
  case DataType::kUint64:
    return "uint64_contents";
  case DataType::kFp32:
    return "fp32_contents";
  case DataType::kFp64:
    return "fp64_contents";
  case DataType::kBytes:
    return "bytes_contents";
  case DataType::kFp16:
    break;
  }
  return {};
}

Status CheckFields(const InputTensor& input, const TensorSpec& spec) {
  const std::string_view right = FieldFor(spec.type);
  if (right.empty()) return InvalidArgument(Subject(input) + ": FP16 has no typed contents; use raw_input_contents");
  const auto wanted = ElementCount(spec);
  if (!wanted.ok()) return wanted.status().WithContext(Subject(input));
  for (const Field& field : FieldsOf(input.contents())) {
    const size_t expected = field.name == right ? *wanted : 0;
    if (static_cast<size_t>(field.count) == expected) continue;
    return InvalidArgument(Subject(input) + " has " + std::to_string(field.count) + " elements in " +
                           std::string(field.name) + ", " + Describe(spec) + " takes " + std::to_string(expected));
  }
  return {};
}

/// Elements narrowed to the size that the datatype has.
template <class To, class Repeated>
Result<std::vector<std::byte>> Narrow(const InputTensor& input, const Repeated& elements) {
  std::vector<std::byte> bytes(static_cast<size_t>(elements.size()) * sizeof(To));
  std::byte* next = bytes.data();
  for (const auto element : elements) {
    if (!std::in_range<To>(element))
      return InvalidArgument(Subject(input) + ": " + std::to_string(element) + " does not fit into " +
                             input.datatype());
    const To narrow = static_cast<To>(element);
    std::memcpy(next, &narrow, sizeof(To));
    next += sizeof(To);
  }
  return bytes;
}

std::vector<std::byte> PrefixLengths(const google::protobuf::RepeatedPtrField<std::string>& elements) {
  std::vector<std::byte> bytes;
  for (const std::string& element : elements) {
    const auto length = static_cast<uint32_t>(element.size());
    const auto prefix = std::as_bytes(std::span(&length, 1));
    bytes.insert(bytes.end(), prefix.begin(), prefix.end());
    bytes.insert(bytes.end(), BytesOf(element).begin(), BytesOf(element).end());
  }
  return bytes;
}

template <class Repeated> std::span<const std::byte> InPlace(const Repeated& elements) {
  return std::as_bytes(std::span(elements.data(), static_cast<size_t>(elements.size())));
}

/// The element types whose protobuf field is wider than they are.
Result<std::vector<std::byte>> Convert(const InputTensor& input, DataType type) {
  const InferTensorContents& contents = input.contents();
  if (type == DataType::kInt8) return Narrow<int8_t>(input, contents.int_contents());
  if (type == DataType::kInt16) return Narrow<int16_t>(input, contents.int_contents());
  if (type == DataType::kUint8) return Narrow<uint8_t>(input, contents.uint_contents());
  if (type == DataType::kUint16) return Narrow<uint16_t>(input, contents.uint_contents());
  return PrefixLengths(contents.bytes_contents());
}

/// The elements as they lie in the message; nullopt where they must be converted.
std::optional<std::span<const std::byte>> AsTheyAre(const InferTensorContents& contents, DataType type) {
  switch (type) {
  case DataType::kBool:
    return InPlace(contents.bool_contents());
  case DataType::kInt32:
    return InPlace(contents.int_contents());
  case DataType::kInt64:
    return InPlace(contents.int64_contents());
  case DataType::kUint32:
    return InPlace(contents.uint_contents());
  case DataType::kUint64:
    return InPlace(contents.uint64_contents());
  case DataType::kFp32:
    return InPlace(contents.fp32_contents());
  case DataType::kFp64:
    return InPlace(contents.fp64_contents());
  case DataType::kInt8:
  case DataType::kInt16:
  case DataType::kUint8:
  case DataType::kUint16:
  case DataType::kBytes:
  case DataType::kFp16:
    break;
  }
  return std::nullopt;
}

Status AddTyped(const InputTensor& input, DecodedInputs& decoded) {
  auto spec = DecodeSpec(input);
  if (!spec.ok()) return spec.status();
  AVOCET_RETURN_IF_ERROR(CheckFields(input, *spec));
  auto data = AsTheyAre(input.contents(), spec->type);
  if (!data) {
    auto converted = Convert(input, spec->type);
    if (!converted.ok()) return converted.status();
    data = decoded.converted.emplace_back(std::move(*converted)); // the bytes stay where they are when moved
  }
  decoded.views.push_back(TensorView{std::move(*spec), *data});
  return {};
}

Status CheckForm(const ModelInferRequest& request) {
  if (request.inputs_size() > kMaxTensorsPerRequest)
    return InvalidArgument("the request has " + std::to_string(request.inputs_size()) + " inputs, the most is " +
                           std::to_string(kMaxTensorsPerRequest));
  if (request.raw_input_contents_size() == 0) return {};
  if (request.raw_input_contents_size() != request.inputs_size())
    return InvalidArgument("the request has " + std::to_string(request.raw_input_contents_size()) +
                           " raw_input_contents for " + std::to_string(request.inputs_size()) +
                           " inputs; raw contents cover all inputs or none");
  for (const InputTensor& input : request.inputs()) {
    if (!IsEmpty(input.contents()))
      return InvalidArgument(Subject(input) + " has typed contents beside raw_input_contents; use one of them");
  }
  return {};
}

Result<size_t> IndexOf(const ModelInferRequest::InferRequestedOutputTensor& output, const ModelSignature& signature) {
  const std::string subject = std::string("output '").append(output.name()).append("'");
  for (const char* parameter : {"shared_memory_region", "classification"}) {
    if (output.parameters().contains(parameter))
      return Unsupported(subject + ": the parameter '" + parameter + "' is not supported");
  }
  const auto& all = signature.outputs;
  const auto it =
      std::find_if(all.begin(), all.end(), [&](const TensorSpec& spec) { return spec.name == output.name(); });
  if (it != all.end()) return static_cast<size_t>(it - all.begin());
  std::string names;
  for (const TensorSpec& spec : all)
    names += (names.empty() ? "'" : ", '") + spec.name + "'";
  return InvalidArgument(subject + " is unknown; the model has " + (names.empty() ? "none" : names));
}

template <class Message> void EncodeSpec(const TensorSpec& spec, Message& message) {
  message.set_name(spec.name);
  message.set_datatype(std::string(ToString(spec.type)));
  message.mutable_shape()->Add(spec.shape.begin(), spec.shape.end());
}

} // namespace

Result<DecodedInputs> DecodeInputs(const ModelInferRequest& request) {
  AVOCET_RETURN_IF_ERROR(CheckForm(request));
  DecodedInputs decoded;
  const bool is_raw = request.raw_input_contents_size() > 0;
  for (int i = 0; i < request.inputs_size(); ++i) {
    if (!is_raw) {
      AVOCET_RETURN_IF_ERROR(AddTyped(request.inputs(i), decoded));
      continue;
    }
    auto view = DecodeRaw(request.inputs(i), request.raw_input_contents(i));
    if (!view.ok()) return view.status();
    decoded.views.push_back(std::move(*view));
  }
  return decoded;
}

Result<std::optional<Duration>> DecodeTimeout(const ModelInferRequest& request) {
  const auto it = request.parameters().find("timeout");
  if (it == request.parameters().end()) return std::optional<Duration>();
  constexpr int64_t kMost = std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::hours(24 * 365)).count();
  int64_t micros = -1;
  if (it->second.has_int64_param()) micros = it->second.int64_param();
  if (it->second.has_uint64_param())
    micros = static_cast<int64_t>(std::min<uint64_t>(it->second.uint64_param(), kMost));
  if (micros < 0) return InvalidArgument("the parameter 'timeout' must be an integer of microseconds >= 0");
  if (micros == 0) return std::optional<Duration>();
  return std::optional<Duration>(std::chrono::microseconds(std::min(micros, kMost)));
}

Result<std::vector<size_t>> SelectOutputs(const ModelInferRequest& request, const ModelSignature& signature) {
  std::vector<size_t> chosen;
  if (request.outputs_size() > kMaxTensorsPerRequest)
    return InvalidArgument("the request asks for " + std::to_string(request.outputs_size()) + " outputs, the most is " +
                           std::to_string(kMaxTensorsPerRequest));
  for (const auto& output : request.outputs()) {
    const auto index = IndexOf(output, signature);
    if (!index.ok()) return index.status();
    if (std::find(chosen.begin(), chosen.end(), *index) != chosen.end())
      return InvalidArgument("output '" + output.name() + "' is asked for twice");
    chosen.push_back(*index);
  }
  return chosen;
}

void EncodeFacts(const ModelInferRequest& request, const ResponseFacts& facts,
                 inference::ModelInferResponse& response) {
  response.set_model_name(request.model_name());
  response.set_model_version(VersionOf(facts.model));
  response.set_id(request.id());
  if (facts.emulated) (*response.mutable_parameters())["emulated"].set_bool_param(true);
}

Status EncodeOutputs(const std::vector<Tensor>& outputs, const std::vector<size_t>& chosen,
                     inference::ModelInferResponse& response) {
  const size_t count = chosen.empty() ? outputs.size() : chosen.size();
  for (size_t i = 0; i < count; ++i) {
    const size_t index = chosen.empty() ? i : chosen[i];
    if (index >= outputs.size())
      return Internal("the engine returned " + std::to_string(outputs.size()) + " outputs, fewer than the model has");
    const Tensor& output = outputs[index];
    EncodeSpec(output.spec, *response.add_outputs());
    response.add_raw_output_contents(output.data.data(), output.data.size());
  }
  return {};
}

void EncodeSignature(const ModelSignature& signature, inference::ModelMetadataResponse& response) {
  for (const TensorSpec& input : signature.inputs)
    EncodeSpec(input, *response.add_inputs());
  for (const TensorSpec& output : signature.outputs)
    EncodeSpec(output, *response.add_outputs());
}

std::string VersionOf(const ModelId& model) {
  const size_t colon = model.str().rfind(':');
  return colon == std::string::npos ? std::string() : model.str().substr(colon + 1);
}

} // namespace avocet
