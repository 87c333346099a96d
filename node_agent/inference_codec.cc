#include "node_agent/inference_codec.h"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <utility>

#include "node_agent/classification.h"

namespace avocet {
namespace {

using inference::InferTensorContents;
using inference::ModelInferRequest;
using InputTensor = ModelInferRequest::InferInputTensor;

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
  case DataType::kBf16:
    break;
  }
  return std::nullopt;
}

Status AddTyped(const InputTensor& input, DecodedInputs& decoded) {
  AVOCET_ASSIGN_OR_RETURN(auto spec, DecodeSpec(input));
  AVOCET_RETURN_IF_ERROR(CheckFields(input, spec));
  auto data = AsTheyAre(input.contents(), spec.type);
  if (!data) {
    AVOCET_ASSIGN_OR_RETURN(auto converted, Convert(input, spec.type));
    data = decoded.converted.emplace_back(std::move(converted)); // the bytes stay where they are when moved
  }
  decoded.views.push_back(TensorView{std::move(spec), *data});
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

ParameterValue Decode(const inference::InferParameter& parameter) {
  using inference::InferParameter;
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
    response.add_raw_output_contents(output->data.data(), output->data.size());
  }
}

} // namespace avocet
