#include "node_agent/grpc/inference_codec.h"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>

#include "node_agent/inference/classification.h"

namespace avocet {
namespace {

using inference::InferTensorContents;
using inference::ModelInferRequest;
using InputTensor = ModelInferRequest::InferInputTensor;
using Buffers =
    std::vector<std::vector<std::byte>>; // DecodedInputs::converted: bytes stay where they are when it grows

static_assert(std::endian::native == std::endian::little, "tensors are little-endian and used in place");
static_assert(sizeof(bool) == 1, "BOOL tensors have one byte per element");

std::string Subject(const InputTensor& input) {
  return InputSubject(input.name());
}

std::span<const std::byte> BytesOf(const std::string& text) {
  return std::as_bytes(std::span(text));
}

Result<TensorSpec> DecodeSpec(const InputTensor& input) {
  if (input.parameters().contains("shared_memory_region"))
    return Unsupported(Subject(input) + ": shared memory is not supported; send the contents");
  return MakeSpec(input.name(), input.datatype(), {input.shape().begin(), input.shape().end()});
}

Result<TensorView> DecodeRaw(const InputTensor& input, const std::string& raw) {
  AVOCET_ASSIGN_OR_RETURN(auto spec, DecodeSpec(input));
  AVOCET_RETURN_IF_ERROR(CheckContents(spec, BytesOf(raw)));
  return TensorView{std::move(spec), BytesOf(raw)};
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

/// The field that a datatype's elements stand in; empty for those that have none.
std::string_view FieldFor(DataType type) {
  // protobuf has no integers below 32 bits, so several types share a field.
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
  case DataType::kBf16:
    break;
  }
  return {};
}

Status CheckFields(const InputTensor& input, const TensorSpec& spec) {
  const std::string_view right = FieldFor(spec.type);
  if (right.empty())
    return InvalidArgument(Subject(input) + ": " + input.datatype() + " has no typed contents; use raw_input_contents");
  AVOCET_ASSIGN_OR_RETURN(const auto wanted, ElementCount(spec));
  for (const Field& field : FieldsOf(input.contents())) {
    const size_t expected = field.name == right ? wanted : 0;
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
  for (const std::string& element : elements)
    AppendByteString(element, bytes);
  return bytes;
}

template <class Repeated> std::span<const std::byte> InPlace(const Repeated& elements) {
  return std::as_bytes(std::span(elements.data(), static_cast<size_t>(elements.size())));
}

/// The field that elements of a number's type stand in; FieldFor has its name.
template <class Number> const auto& ElementsOf(const InferTensorContents& contents) {
  if constexpr (std::is_same_v<Number, float>)
    return contents.fp32_contents();
  else if constexpr (std::is_same_v<Number, double>)
    return contents.fp64_contents();
  else if constexpr (std::is_same_v<Number, int64_t>)
    return contents.int64_contents();
  else if constexpr (std::is_same_v<Number, uint64_t>)
    return contents.uint64_contents();
  else if constexpr (std::is_signed_v<Number>)
    return contents.int_contents();
  else
    return contents.uint_contents();
}

/// The elements as they lie in the message or, where their field is wider than they are, narrowed into `converted`.
template <class Number> Result<std::span<const std::byte>> Numbers(const InputTensor& input, Buffers& converted) {
  const auto& elements = ElementsOf<Number>(input.contents());
  if constexpr (sizeof(*elements.data()) == sizeof(Number)) {
    return InPlace(elements);
  } else {
    AVOCET_ASSIGN_OR_RETURN(auto narrow, Narrow<Number>(input, elements));
    return std::span<const std::byte>(converted.emplace_back(std::move(narrow)));
  }
}

Result<std::span<const std::byte>> Elements(const InputTensor& input, DataType type, Buffers& converted) {
  if (type == DataType::kBool) return InPlace(input.contents().bool_contents());
  if (type == DataType::kBytes)
    return std::span<const std::byte>(converted.emplace_back(PrefixLengths(input.contents().bytes_contents())));
  Result<std::span<const std::byte>> elements = std::span<const std::byte>();
  VisitNumber(type, [&]<class Number>() { elements = Numbers<Number>(input, converted); });
  return elements;
}

Status AddTyped(const InputTensor& input, DecodedInputs& decoded) {
  AVOCET_ASSIGN_OR_RETURN(auto spec, DecodeSpec(input));
  AVOCET_RETURN_IF_ERROR(CheckFields(input, spec));
  AVOCET_ASSIGN_OR_RETURN(const auto data, Elements(input, spec.type, decoded.converted));
  decoded.views.push_back(TensorView{std::move(spec), data});
  return {};
}

Status CheckForm(const ModelInferRequest& request) {
  if (request.inputs_size() > kMaxTensorsPerRequest)
    return InvalidArgument("the request has " + std::to_string(request.inputs_size()) + " inputs, the most is " +
                           std::to_string(kMaxTensorsPerRequest));

  if (request.raw_input_contents_size() == 0) return {};
  // Triton's rule: raw contents have no names, so they match the inputs by position or not at all.
  if (request.raw_input_contents_size() != request.inputs_size())
    return InvalidArgument("the request has " + std::to_string(request.raw_input_contents_size()) +
                           " raw_input_contents for " + std::to_string(request.inputs_size()) +
                           " inputs; raw contents cover all inputs or none");

  for (const InputTensor& input : request.inputs()) {
    // Both forms at once would leave open which one counts.
    if (!IsEmpty(input.contents()))
      return InvalidArgument(Subject(input) + " has typed contents beside raw_input_contents; use one of them");
  }
  return {};
}

ParameterValue Decode(const inference::InferParameter& parameter) {
  using inference::InferParameter;
  // Not set means a kind that a later version of the protocol has; protobuf reads it as false.
  switch (parameter.parameter_choice_case()) {
  case InferParameter::kInt64Param:
    return parameter.int64_param();
  case InferParameter::kUint64Param:
    return parameter.uint64_param();
  case InferParameter::kStringParam:
    return parameter.string_param();
  case InferParameter::kDoubleParam:
    return parameter.double_param();
  case InferParameter::kBoolParam:
  case InferParameter::PARAMETER_CHOICE_NOT_SET:
    break;
  }
  return parameter.bool_param();
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
    AVOCET_ASSIGN_OR_RETURN(auto view, DecodeRaw(request.inputs(i), request.raw_input_contents(i)));
    decoded.views.push_back(std::move(view));
  }
  return decoded;
}

Result<Parameters> DecodeParameters(const ModelInferRequest& request) {
  if (request.parameters_size() > static_cast<int>(kMaxParameters))
    return InvalidArgument("the request has " + std::to_string(request.parameters_size()) +
                           " parameters, the most is " + std::to_string(kMaxParameters));
  Parameters parameters;
  for (const auto& [name, value] : request.parameters())
    parameters.emplace(name, Decode(value));
  return parameters;
}

Result<std::vector<RequestedOutput>> DecodeOutputs(const ModelInferRequest& request) {
  std::vector<RequestedOutput> outputs;
  for (const auto& output : request.outputs()) {
    const std::string subject = "output '" + output.name() + "'";
    const auto& parameters = output.parameters();
    if (parameters.contains("shared_memory_region")) return Unsupported(subject + ": shared memory is not supported");
    const auto classification = parameters.find("classification");
    const auto classes = classification != parameters.end() ? ClassesOf(Decode(classification->second)) : 0U;
    if (!classes.ok()) return classes.status().WithContext(subject);
    outputs.push_back({output.name(), *classes});
  }
  return outputs;
}

void EncodeAnswer(const ModelInferRequest& request, const InferenceAnswer& answer,
                  inference::ModelInferResponse& response) {
  response.set_model_name(request.model_name());
  response.set_model_version(VersionOf(answer.model));
  response.set_id(request.id());
  if (answer.emulated) (*response.mutable_parameters())["emulated"].set_bool_param(true);
  for (const Tensor* output : answer.outputs) {
    auto& message = *response.add_outputs();
    message.set_name(output->spec.name);
    message.set_datatype(std::string(ToString(output->spec.type)));
    message.mutable_shape()->Add(output->spec.shape.begin(), output->spec.shape.end());
  }
}

} // namespace avocet
