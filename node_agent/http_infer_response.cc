#include "node_agent/http_infer_response.h"

#include <charconv>
#include <cmath>
#include <cstring>

#include "node_agent/inference_core.h"
#include "node_agent/json_writer.h"
#include "node_agent/tensor_contents.h"

namespace avocet {
namespace {

/// The shortest text that reads back as the same number.
template <class Float> void WriteFloat(JsonWriter& json, Float value) {
  if (!std::isfinite(value)) {
    json.Double(static_cast<double>(value));
    return;
  }
  char text[32];
  const auto end = std::to_chars(text, text + sizeof text, value).ptr;
  json.RawValue(text, static_cast<size_t>(end - text), rapidjson::kNumberType);
}

template <class Number> void Write(JsonWriter& json, Number value) {
  if constexpr (std::is_floating_point_v<Number>)
    WriteFloat(json, value);
  else if constexpr (std::is_signed_v<Number>)
    json.Int64(value);
  else
    json.Uint64(value);
}

template <class Number> void WriteNumbers(JsonWriter& json, std::span<const std::byte> data) {
  for (; data.size() >= sizeof(Number); data = data.subspan(sizeof(Number))) {
    Number value;
    std::memcpy(&value, data.data(), sizeof value);
    Write(json, value);
  }
}

void WriteBooleans(JsonWriter& json, std::span<const std::byte> data) {
  for (const std::byte value : data)
    json.Bool(value != std::byte{0});
}

void WriteByteStrings(JsonWriter& json, std::span<const std::byte> data) {
  while (data.size() >= kLengthPrefix) {
    uint32_t length = 0;
    std::memcpy(&length, data.data(), kLengthPrefix);
    data = data.subspan(kLengthPrefix);
    const size_t taken = std::min<size_t>(length, data.size());
    json.Text({reinterpret_cast<const char*>(data.data()), taken});
    data = data.subspan(taken);
  }
}

Status WriteData(JsonWriter& json, const Tensor& tensor) {
  const std::span<const std::byte> data(tensor.data);
  json.StartArray();
  switch (tensor.spec.type) {
  case DataType::kBool:
    WriteBooleans(json, data);
    break;
  case DataType::kUint8:
    WriteNumbers<uint8_t>(json, data);
    break;
  case DataType::kUint16:
    WriteNumbers<uint16_t>(json, data);
    break;
  case DataType::kUint32:
    WriteNumbers<uint32_t>(json, data);
    break;
  case DataType::kUint64:
    WriteNumbers<uint64_t>(json, data);
    break;
  case DataType::kInt8:
    WriteNumbers<int8_t>(json, data);
    break;
  case DataType::kInt16:
    WriteNumbers<int16_t>(json, data);
    break;
  case DataType::kInt32:
    WriteNumbers<int32_t>(json, data);
    break;
  case DataType::kInt64:
    WriteNumbers<int64_t>(json, data);
    break;
  case DataType::kFp32:
    WriteNumbers<float>(json, data);
    break;
  case DataType::kFp64:
    WriteNumbers<double>(json, data);
    break;
  case DataType::kBytes:
    WriteByteStrings(json, data);
    break;
  case DataType::kFp16:
  case DataType::kBf16:
    return InvalidArgument("output '" + tensor.spec.name + "' is " + std::string(ToString(tensor.spec.type)) +
                           ", which has no JSON form; ask for binary_data");
  }
  json.EndArray();
  return {};
}

/// Own keys go into the response's parameters, never into an output's: Triton's C++ client takes any
/// parameters of an output for those of the binary extension.
void WriteFacts(JsonWriter& json, const HttpInferRequest& request, const std::string& name,
                const InferenceAnswer& answer) {
  json.Key("model_name");
  json.Text(name);
  json.Key("model_version");
  json.Text(VersionOf(answer.model));
  if (request.id) {
    json.Key("id");
    json.Text(*request.id);
  }
  if (!answer.emulated) return;
  json.Key("parameters");
  json.StartObject();
  json.Key("emulated");
  json.Bool(true);
  json.EndObject();
}

void WriteSpec(JsonWriter& json, const TensorSpec& spec) {
  json.Key("name");
  json.Text(spec.name);
  json.Key("datatype");
  json.Text(ToString(spec.type));
  json.Key("shape");
  json.StartArray();
  for (const int64_t extent : spec.shape)
    json.Int64(extent);
  json.EndArray();
}

Status WriteOutput(JsonWriter& json, const Tensor& output, bool is_binary, HttpReply& reply) {
  json.StartObject();
  WriteSpec(json, output.spec);
  if (is_binary) {
    json.Key("parameters");
    json.StartObject();
    json.Key("binary_data_size");
    json.Uint64(output.data.size());
    json.EndObject();
    reply.has_binary = true;
    reply.tails.emplace_back(output.data);
  } else {
    json.Key("data");
    AVOCET_RETURN_IF_ERROR(WriteData(json, output));
  }
  json.EndObject();
  return {};
}

} // namespace

Result<HttpReply> EncodeInferResponse(const HttpInferRequest& request, const std::string& model_name,
                                      const InferenceAnswer& answer) {
  HttpReply reply;
  reply.text.reserve(256);
  StringSink sink{reply.text};
  JsonWriter json(sink);
  json.StartObject();
  WriteFacts(json, request, model_name, answer);
  json.Key("outputs");
  json.StartArray();
  for (size_t i = 0; i < answer.outputs.size(); ++i)
    AVOCET_RETURN_IF_ERROR(WriteOutput(json, *answer.outputs[i], request.IsBinary(i), reply));
  json.EndArray();
  json.EndObject();
  reply.json_bytes = reply.text.size();
  return reply;
}

size_t BytesToEncode(const HttpInferRequest& request, const InferenceAnswer& answer) {
  size_t bytes = 0;
  for (size_t i = 0; i < answer.outputs.size(); ++i) {
    const bool has_classes = i < answer.classes.size() && answer.classes[i] > 0;
    bytes += request.IsBinary(i) && !has_classes ? 0 : answer.outputs[i]->data.size();
  }
  return bytes;
}

} // namespace avocet
