#include "cli/load/load_http_codec.h"
#include "messages/invariant.h"

#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace avocet {
namespace {

using Json = nlohmann::json;

StatusCode CodeOf(unsigned http_status) {
  // Grouped by what a person can do: correct the request, authenticate, or retry later.
  switch (http_status) {
  case 400:
    return StatusCode::kInvalidArgument;
  case 401:
  case 403:
    return StatusCode::kDenied;
  case 404:
    return StatusCode::kNotFound;
  case 408:
  case 504:
    return StatusCode::kDeadlineExceeded;
  case 413:
  case 429:
    return StatusCode::kResourceExhausted;
  case 501:
    return StatusCode::kUnsupported;
  case 503:
    return StatusCode::kUnavailable;
  // Whatever else arrives is a fault of the server, or of a proxy before it.
  default:
    return StatusCode::kInternal;
  }
}

/// The member, or null where there is none.
const Json& At(const Json& json, const char* key) {
  static const Json kNull;
  if (!json.is_object()) return kNull;
  const auto found = json.find(key);
  return found == json.end() ? kNull : *found;
}

std::string Text(const Json& json) {
  return json.is_string() ? json.get<std::string>() : "";
}

Json Parse(std::string_view text) {
  return Json::parse(text.begin(), text.end(), nullptr, /*allow_exceptions=*/false);
}

Status FailureOf(unsigned http_status, std::string_view json) {
  const std::string said = Text(At(Parse(json), "error"));
  return {CodeOf(http_status), said.empty() ? fmt::format("HTTP status {}", http_status) : said};
}

std::string PercentEncoded(std::string_view text) {
  constexpr std::string_view kPlain = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
  std::string encoded;
  for (const char c : text)
    encoded += kPlain.find(c) != std::string_view::npos ? std::string(1, c)
                                                        : fmt::format("%{:02X}", static_cast<unsigned char>(c));
  return encoded;
}

std::string JsonPart(const LoadPayload& payload) {
  nlohmann::ordered_json json{{"id", std::string(kHttpIdDigits, '0')}};
  json["parameters"]["binary_data_output"] = true;
  json["inputs"] = Json::array();
  for (const LoadPayload::Input& input : payload.inputs)
    json["inputs"].push_back({{"name", input.spec.name},
                              {"shape", input.spec.shape},
                              {"datatype", ToString(input.spec.type)},
                              {"parameters", {{"binary_data_size", input.bytes.size()}}}});
  return json.dump();
}

bool IsTrue(const Json& json) {
  return (json.is_boolean() && json.get<bool>()) || Text(json) == "true";
}

Result<TensorSpec> ReadSpec(const Json& input) {
  const std::string name = Text(At(input, "name"));
  const std::string datatype = Text(At(input, "datatype"));
  const auto type = ParseDataType(datatype);
  if (!type) return UnknownDataType(name, datatype);
  TensorSpec spec{name, *type, {}};
  for (const Json& extent : At(input, "shape")) {
    if (!extent.is_number_integer()) return Corruption("input '" + name + "': its shape is no list of integers");
    spec.shape.push_back(extent.get<int64_t>());
  }
  return spec;
}

} // namespace

HttpPayload EncodeHttp(LoadPayload payload, std::string_view host) {
  // Encoded once for each target: requests then differ in nothing but the digits of the id.
  const std::string json = JsonPart(payload);
  size_t size = json.size();
  HttpPayload http;

  // Tensors stay apart from the head, so that they are sent without a copy.
  for (LoadPayload::Input& input : payload.inputs) {
    size += input.bytes.size();
    http.tensors.push_back(std::move(input.bytes));
  }
  http.head = fmt::format("POST {}/infer HTTP/1.1\r\nHost: {}\r\nContent-Type: application/octet-stream\r\n"
                          "Inference-Header-Content-Length: {}\r\nContent-Length: {}\r\n\r\n",
                          ModelPath(payload.app), host, json.size(), size);

  // The id comes first in the JSON part, which makes its position known without a search.
  http.id_at = http.head.size() + std::string_view(R"({"id":")").size();
  http.head += json;
  return http;
}

void SetId(std::string& head, size_t id_at, uint64_t id) {
  AVOCET_CHECK(id_at + kHttpIdDigits <= head.size());
  for (size_t i = kHttpIdDigits; i > 0; --i, id /= 10)
    head[id_at + i - 1] = static_cast<char>('0' + id % 10);
}

std::string ModelPath(const AppId& app) {
  return "/v2/models/" + PercentEncoded(app.str());
}

LoadAnswer DecodeHttp(unsigned http_status, std::string_view json, uint64_t id) {
  if (http_status != 200) return {FailureOf(http_status, json), false, std::nullopt};
  const Json answer = Parse(json);
  if (!answer.is_object()) return {Corruption("the answer is no JSON object"), false, std::nullopt};
  std::string expected(kHttpIdDigits, '0');
  SetId(expected, 0, id);
  const std::string answered = Text(At(answer, "id"));
  if (answered != expected) return {WrongId(id, answered), false, std::nullopt};
  const Json& parameters = At(answer, "parameters");
  const Json& response_time = At(parameters, "response_time_ns");
  LoadAnswer result{{}, IsTrue(At(parameters, "emulated")), std::nullopt};
  if (response_time.is_number_integer()) result.server_response = Duration(response_time.get<int64_t>());
  return result;
}

Result<std::vector<TensorSpec>> DecodeInputSpecs(unsigned http_status, std::string_view json) {
  if (http_status != 200) return FailureOf(http_status, json);
  const Json metadata = Parse(json);
  const Json& inputs = At(metadata, "inputs");
  if (!inputs.is_array()) return Corruption("the model's metadata names no inputs");
  std::vector<TensorSpec> specs;
  for (const Json& input : inputs) {
    AVOCET_ASSIGN_OR_RETURN(auto spec, ReadSpec(input));
    specs.push_back(std::move(spec));
  }
  return specs;
}

} // namespace avocet
