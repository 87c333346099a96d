#include "node_agent/http/http_infer_response.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>

#include "node_agent/http/json_writer.h"
#include "node_agent/inference/inference_core.h"
#include "node_agent/tensors/tensor_contents.h"

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

/// Of a tensor, written between two looks at the room that is left.
constexpr size_t kPiece = 16 * 1024;

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

Status WriteByteStrings(JsonWriter& json, std::span<const std::byte> data, const std::string& text, AnswerRoom& room) {
  while (const auto element = TakeByteString(data)) {
    json.Text({reinterpret_cast<const char*>(element->data()), element->size()});
    AVOCET_RETURN_IF_ERROR(room.Reached(text.size()));
  }
  return {};
}

Status WriteElements(JsonWriter& json, DataType type, std::span<const std::byte> data, const std::string& text,
                     AnswerRoom& room) {
  if (type == DataType::kBytes) return WriteByteStrings(json, data, text, room);
  while (!data.empty()) {
    const auto piece = data.first(std::min(kPiece, data.size()));
    data = data.subspan(piece.size());
    if (type == DataType::kBool) WriteBooleans(json, piece);
    VisitNumber(type, [&]<class Number>() { WriteNumbers<Number>(json, piece); });
    AVOCET_RETURN_IF_ERROR(room.Reached(text.size()));
  }
  return {};
}

Status WriteData(JsonWriter& json, const Tensor& tensor, const std::string& text, AnswerRoom& room) {
  const DataType type = tensor.spec.type;
  if (IsRawOnly(type))
    return InvalidArgument("output '" + tensor.spec.name + "' is " + std::string(ToString(type)) +
                           ", which has no JSON form; ask for binary_data");
  json.StartArray();
  AVOCET_RETURN_IF_ERROR(WriteElements(json, type, tensor.data, text, room));
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

Status WriteOutput(JsonWriter& json, const Tensor& output, bool is_binary, HttpReply& reply, AnswerRoom& room) {
  json.StartObject();
  WriteSpec(json, output.spec);

  // Raw bytes are not copied: the reply points to the output, which HttpInference keeps until the answer is sent.
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
    AVOCET_RETURN_IF_ERROR(WriteData(json, output, reply.text, room));
  }

  json.EndObject();
  return {};
}

} // namespace

Result<HttpReply> EncodeInferResponse(const HttpInferRequest& request, const std::string& model_name,
                                      const InferenceAnswer& answer, AnswerRoom& room) {
  HttpReply reply;
  reply.text.reserve(256);
  StringSink sink{reply.text};
  JsonWriter json(sink);
  json.StartObject();
  WriteFacts(json, request, model_name, answer);
  json.Key("outputs");
  json.StartArray();
  for (size_t i = 0; i < answer.outputs.size(); ++i)
    AVOCET_RETURN_IF_ERROR(WriteOutput(json, *answer.outputs[i], request.IsBinary(i), reply, room));
  json.EndArray();
  json.EndObject();
  AVOCET_RETURN_IF_ERROR(room.Reached(reply.text.size()));
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
