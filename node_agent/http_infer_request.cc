#include "node_agent/http_infer_request.h"

#include <algorithm>
#include <cstdint>
#include <utility>

#include <rapidjson/error/en.h>
#include <rapidjson/memorystream.h>
#include <rapidjson/reader.h>

#include "messages/text.h"
#include "node_agent/json_elements.h"
#include "node_agent/tensor_contents.h"

namespace avocet {
namespace {

constexpr unsigned kParseFlags = rapidjson::kParseIterativeFlag | rapidjson::kParseFullPrecisionFlag |
                                 rapidjson::kParseValidateEncodingFlag | rapidjson::kParseNanAndInfFlag;
constexpr size_t kMaxDepth = 32; ///< of brackets within an array of data or a value that nobody knows
constexpr size_t kMaxShownName = 64;

/// One element of "inputs" or "outputs" while it is read.
struct TensorDraft {
  std::string name;
  std::optional<std::string> datatype;
  std::optional<std::vector<int64_t>> shape;
  Parameters parameters;
  std::optional<std::vector<std::byte>> data;       ///< decoded from JSON,
  std::optional<std::pair<size_t, size_t>> later{}; ///< or where the array stands, when its type came behind it
};

std::string Shown(const std::string& name) {
  return InputSubject(ToText(name, kMaxShownName));
}

/// What the reader of a JSON request is inside of.
enum class Place { kStart, kRequest, kParameters, kInputs, kOutputs, kTensor, kShape, kData, kUnknown };

/// RapidJSON calls this for every token. A call that returns false ends the reading; `wrong` says why.
class RequestReader : public rapidjson::BaseReaderHandler<rapidjson::UTF8<>, RequestReader> {
public:
  RequestReader(const rapidjson::MemoryStream& text, size_t most_decoded) : text_(text), left_(most_decoded) {}

  bool Null() {
    return Scalar("null", [](TensorDraft&) { return false; });
  }
  bool Bool(bool value) {
    if (elements_) return elements_->Bool(value);
    return Value(ParameterValue(value));
  }
  bool Int(int value) { return Int64(value); }
  bool Uint(unsigned value) { return Uint64(value); }
  bool Int64(int64_t value) {
    if (elements_) return elements_->Signed(value);
    return Value(ParameterValue(value));
  }
  bool Uint64(uint64_t value) {
    if (elements_) return elements_->Unsigned(value);
    if (value <= INT64_MAX) return Value(ParameterValue(static_cast<int64_t>(value)));
    return Value(ParameterValue(value));
  }
  bool Double(double value) {
    if (elements_) return elements_->Double(value);
    return Value(ParameterValue(value));
  }
  bool String(const char* text, rapidjson::SizeType length, bool) {
    if (elements_) return elements_->Text({text, length});
    return Value(ParameterValue(std::string(text, length)));
  }
  bool Key(const char* text, rapidjson::SizeType length, bool) {
    key_.assign(text, length);
    return true;
  }
  bool StartObject();
  bool EndObject(rapidjson::SizeType);
  bool StartArray();
  bool EndArray(rapidjson::SizeType);

  /// Why the reading ended early; ok when the text is at fault.
  Status Fault() { return wrong.ok() && elements_ ? elements_->Finish().status() : wrong; }

  Status wrong;
  std::optional<std::string> id;
  Parameters parameters;
  std::vector<TensorDraft> inputs;
  std::vector<TensorDraft> outputs;

private:
  bool Fail(std::string text) {
    if (wrong.ok()) wrong = InvalidArgument(std::move(text));
    return false;
  }
  bool FailExpected(const char* what) { return Fail("'" + ToText(key_, kMaxShownName) + "' must be " + what); }
  bool Enter(Place place) {
    above_.push_back(std::exchange(place_, place));
    return true;
  }
  bool Leave() {
    place_ = above_.back();
    above_.pop_back();
    return true;
  }
  template <class Use> bool Scalar(const char* what, const Use& use);
  bool Value(ParameterValue value);
  bool RequestValue(ParameterValue value);
  bool TensorValue(ParameterValue value);
  bool EnterTensor();
  bool EnterParameters();
  bool EnterData();
  bool LeaveData();
  TensorDraft& tensor() { return (is_output_ ? outputs : inputs).back(); }

  const rapidjson::MemoryStream& text_;
  size_t left_; ///< bytes that decoded tensors may still take
  Place place_ = Place::kStart;
  std::vector<Place> above_;
  std::string key_;
  size_t depth_ = 0; ///< of brackets, in kData and kUnknown
  bool is_output_ = false;
  bool in_tensor_ = false;
  std::optional<JsonElements> elements_;
};

template <class Use> bool RequestReader::Scalar(const char* what, const Use&) {
  if (elements_) return elements_->Fail(std::string("is ") + what);
  if (place_ == Place::kUnknown || place_ == Place::kParameters) return true;
  return FailExpected("something else than null");
}

bool RequestReader::Value(ParameterValue value) {
  switch (place_) {
  case Place::kStart:
    return Fail("the request must be a JSON object");
  case Place::kRequest:
    return RequestValue(std::move(value));
  case Place::kTensor:
    return TensorValue(std::move(value));
  case Place::kInputs:
  case Place::kOutputs:
    return Fail("'inputs' and 'outputs' must hold objects");
  case Place::kShape:
    if (!std::holds_alternative<int64_t>(value)) return FailExpected("an array of whole numbers");
    tensor().shape->push_back(std::get<int64_t>(value));
    return tensor().shape->size() <= kMaxTensorRank ||
           Fail(Shown(tensor().name) + " has more than " + std::to_string(kMaxTensorRank) + " dimensions");
  case Place::kParameters: {
    Parameters& target = in_tensor_ ? tensor().parameters : parameters;
    target.insert_or_assign(key_, std::move(value));
    return target.size() <= kMaxParameters || Fail("more than " + std::to_string(kMaxParameters) + " parameters");
  }
  case Place::kData: // a deferred array: read again when its type is known
  case Place::kUnknown:
    break;
  }
  return true;
}

bool RequestReader::RequestValue(ParameterValue value) {
  if (key_ == "parameters") return FailExpected("an object");
  if (key_ == "inputs" || key_ == "outputs") return FailExpected("an array");
  if (key_ != "id") return true;
  if (!std::holds_alternative<std::string>(value)) return FailExpected("a string");
  id = std::get<std::string>(std::move(value));
  return true;
}

bool RequestReader::TensorValue(ParameterValue value) {
  if (key_ == "parameters") return FailExpected("an object");
  if (key_ == "shape" || key_ == "data") return FailExpected("an array");
  if (key_ != "name" && key_ != "datatype") return true;
  if (!std::holds_alternative<std::string>(value)) return FailExpected("a string");
  std::string& text = key_ == "name" ? tensor().name : tensor().datatype.emplace();
  text = std::get<std::string>(std::move(value));
  return true;
}

bool RequestReader::StartObject() {
  switch (place_) {
  case Place::kStart:
    return Enter(Place::kRequest);
  case Place::kRequest:
  case Place::kTensor:
    if (key_ == "parameters") return EnterParameters();
    if (key_ == "inputs" || key_ == "outputs" || key_ == "data" || key_ == "shape") return FailExpected("an array");
    break;
  case Place::kInputs:
  case Place::kOutputs:
    return EnterTensor();
  case Place::kShape:
    return FailExpected("an array of whole numbers");
  case Place::kData:
    return Fail(Shown(tensor().name) + ": 'data' must hold elements");
  case Place::kUnknown:
    return ++depth_ <= kMaxDepth || Fail("brackets nest too deeply");
  case Place::kParameters:
    break;
  }
  depth_ = 1;
  return Enter(Place::kUnknown);
}

bool RequestReader::EndObject(rapidjson::SizeType) {
  if (place_ == Place::kUnknown && --depth_ > 0) return true;
  if (place_ == Place::kTensor) in_tensor_ = false;
  return Leave();
}

bool RequestReader::StartArray() {
  switch (place_) {
  case Place::kStart:
    return Fail("the request must be a JSON object");
  case Place::kRequest:
    if (key_ == "parameters") return FailExpected("an object");
    if (key_ == "inputs" || key_ == "outputs") {
      is_output_ = key_ == "outputs";
      return Enter(is_output_ ? Place::kOutputs : Place::kInputs);
    }
    break;
  case Place::kTensor:
    if (key_ == "data" && !is_output_) return EnterData();
    if (key_ != "shape") break;
    tensor().shape.emplace();
    return Enter(Place::kShape);
  case Place::kInputs:
  case Place::kOutputs:
    return Fail("'inputs' and 'outputs' must hold objects");
  case Place::kShape:
    return FailExpected("an array of whole numbers");
  case Place::kData:
  case Place::kUnknown:
    return ++depth_ <= kMaxDepth || Fail("brackets nest too deeply");
  case Place::kParameters:
    break;
  }
  depth_ = 1;
  return Enter(Place::kUnknown);
}

bool RequestReader::EndArray(rapidjson::SizeType) {
  const bool is_nested = place_ == Place::kUnknown || place_ == Place::kData;
  if (is_nested && --depth_ > 0) return true;
  if (place_ == Place::kData && !LeaveData()) return false;
  return Leave();
}

bool RequestReader::EnterTensor() {
  auto& tensors = is_output_ ? outputs : inputs;
  if (tensors.size() >= kMaxTensorsPerRequest)
    return Fail("more than " + std::to_string(kMaxTensorsPerRequest) + (is_output_ ? " outputs" : " inputs"));
  tensors.emplace_back();
  in_tensor_ = true;
  return Enter(Place::kTensor);
}

bool RequestReader::EnterParameters() {
  return Enter(Place::kParameters);
}

/// Decodes at once when the type is known already, else notes where the array begins.
bool RequestReader::EnterData() {
  TensorDraft& draft = tensor();
  if (draft.data || draft.later) return Fail(Shown(draft.name) + " has 'data' twice");
  depth_ = 1;
  const size_t begin = text_.Tell(); // RapidJSON calls before it steps over the bracket
  draft.later = {begin, begin};
  if (!draft.datatype || !draft.shape) return Enter(Place::kData);
  auto spec = MakeSpec(draft.name, *draft.datatype, *draft.shape);
  auto elements = spec.ok() ? JsonElements::For(std::move(*spec), left_, text_.size_ - begin) : spec.status();
  if (!elements.ok()) {
    wrong = elements.status();
    return false;
  }
  elements_ = std::move(*elements);
  return Enter(Place::kData);
}

bool RequestReader::LeaveData() {
  TensorDraft& draft = tensor();
  draft.later->second = text_.Tell() + 1;
  if (!elements_) return true;
  auto bytes = std::exchange(elements_, std::nullopt)->Finish();
  if (!bytes.ok()) {
    wrong = bytes.status();
    return false;
  }
  if (bytes->size() > left_) return Fail("the tensors of the request take more bytes than a request may hold");
  left_ -= bytes->size();
  draft.data = std::move(*bytes);
  draft.later.reset();
  return true;
}

/// Reads one array whose type was not known when it came by.
class ArrayReader : public rapidjson::BaseReaderHandler<rapidjson::UTF8<>, ArrayReader> {
public:
  explicit ArrayReader(JsonElements& elements) : elements_(elements) {}
  bool Null() { return elements_.Fail("is null"); }
  bool Bool(bool value) { return elements_.Bool(value); }
  bool Int(int value) { return elements_.Signed(value); }
  bool Uint(unsigned value) { return elements_.Unsigned(value); }
  bool Int64(int64_t value) { return elements_.Signed(value); }
  bool Uint64(uint64_t value) { return elements_.Unsigned(value); }
  bool Double(double value) { return elements_.Double(value); }
  bool String(const char* text, rapidjson::SizeType length, bool) { return elements_.Text({text, length}); }

private:
  JsonElements& elements_;
};

const char* CharsOf(std::span<const std::byte> bytes) {
  return reinterpret_cast<const char*>(bytes.data());
}

Status ReadJson(std::span<const std::byte> json, RequestReader& reader, rapidjson::MemoryStream& text) {
  rapidjson::Reader parser;
  const auto parsed = parser.Parse<kParseFlags>(text, reader);
  AVOCET_RETURN_IF_ERROR(parsed.IsError() ? reader.Fault() : Status());
  if (parsed.IsError())
    return InvalidArgument("the request is not valid JSON at byte " + std::to_string(parsed.Offset()) + ": " +
                           rapidjson::GetParseError_En(parsed.Code()));
  if (text.Tell() == json.size()) return {};
  return InvalidArgument("the JSON of the request ends at byte " + std::to_string(text.Tell()) + " of " +
                         std::to_string(json.size()));
}

/// Decodes the drafts into a request, taking the binary ones off the rest of the body.
class Assembler {
public:
  Assembler(const HttpInferBody& body, HttpInferRequest& request)
      : json_(body.bytes.first(body.json_bytes)), rest_(body.bytes.subspan(body.json_bytes)), left_(body.most_decoded),
        request_(request) {}

  Status Add(TensorDraft& draft) {
    if (!draft.datatype || !draft.shape)
      return InvalidArgument(Shown(draft.name) + " has no '" + (draft.datatype ? "shape" : "datatype") + "'");
    auto spec = MakeSpec(draft.name, *draft.datatype, std::move(*draft.shape));
    if (!spec.ok()) return spec.status();
    if (draft.parameters.contains("shared_memory_region"))
      return Unsupported(Shown(draft.name) + ": shared memory is not supported; send the contents");
    const auto binary = draft.parameters.find("binary_data_size");
    if (binary == draft.parameters.end()) return AddJson(draft, std::move(*spec));
    if (draft.data || draft.later)
      return InvalidArgument(Shown(draft.name) + " has 'data' beside 'binary_data_size'; use one of them");
    return AddBinary(std::move(*spec), binary->second);
  }

  Status CheckNothingLeft() const {
    if (rest_.empty()) return {};
    return InvalidArgument(std::to_string(rest_.size()) + " bytes behind the last binary input belong to none");
  }

private:
  Status AddJson(TensorDraft& draft, TensorSpec spec) {
    if (draft.later) AVOCET_RETURN_IF_ERROR(ReadLater(draft, spec));
    if (!draft.data) return InvalidArgument(Shown(draft.name) + " has neither 'data' nor 'binary_data_size'");
    left_ -= std::min(left_, draft.data->size());
    const auto& bytes = request_.converted.emplace_back(std::move(*draft.data));
    AVOCET_RETURN_IF_ERROR(CheckContents(spec, bytes));
    request_.inputs.push_back({std::move(spec), bytes});
    return {};
  }

  Status ReadLater(TensorDraft& draft, const TensorSpec& spec) {
    const auto [begin, end] = *draft.later;
    auto elements = JsonElements::For(spec, left_, end - begin);
    if (!elements.ok()) return elements.status();
    ArrayReader reader(*elements);
    rapidjson::MemoryStream text(CharsOf(json_) + begin, end - begin);
    rapidjson::Reader().Parse<kParseFlags>(text, reader); // the form was checked; what fails is an element
    auto bytes = elements->Finish();
    if (!bytes.ok()) return bytes.status();
    draft.data = std::move(*bytes);
    return {};
  }

  Status AddBinary(TensorSpec spec, const ParameterValue& size) {
    const auto* bytes = std::get_if<int64_t>(&size);
    if (bytes == nullptr || *bytes < 0 || static_cast<uint64_t>(*bytes) > rest_.size())
      return InvalidArgument(InputSubject(spec.name) + ": binary_data_size must be a number of bytes, at most the " +
                             std::to_string(rest_.size()) + " that are left of the body");
    const auto data = rest_.first(static_cast<size_t>(*bytes));
    rest_ = rest_.subspan(data.size());
    AVOCET_RETURN_IF_ERROR(CheckContents(spec, data));
    request_.inputs.push_back({std::move(spec), Aligned(data, ElementSize(spec.type))});
    return {};
  }

  /// Engines may use the elements in place.
  std::span<const std::byte> Aligned(std::span<const std::byte> data, size_t element_size) {
    if (element_size < 2 || reinterpret_cast<uintptr_t>(data.data()) % element_size == 0) return data;
    return request_.converted.emplace_back(data.begin(), data.end());
  }

  const std::span<const std::byte> json_;
  std::span<const std::byte> rest_;
  size_t left_;
  HttpInferRequest& request_;
};

Status AddOutput(TensorDraft& draft, HttpInferRequest& request) {
  for (const char* parameter : {"shared_memory_region", "classification"}) {
    if (draft.parameters.contains(parameter))
      return Unsupported("output '" + ToText(draft.name, kMaxShownName) + "': the parameter '" + parameter +
                         "' is not supported");
  }
  std::optional<bool> is_binary;
  if (const auto it = draft.parameters.find("binary_data"); it != draft.parameters.end()) {
    if (!std::holds_alternative<bool>(it->second))
      return InvalidArgument("output '" + ToText(draft.name, kMaxShownName) + "': binary_data must be a boolean");
    is_binary = std::get<bool>(it->second);
  }
  request.outputs.push_back(std::move(draft.name));
  request.are_binary.push_back(is_binary);
  return {};
}

Status TakeBinaryDefault(HttpInferRequest& request) {
  const auto it = request.parameters.find("binary_data_output");
  if (it == request.parameters.end()) return {};
  if (!std::holds_alternative<bool>(it->second)) return InvalidArgument("binary_data_output must be a boolean");
  request.is_binary_by_default = std::get<bool>(it->second);
  request.parameters.erase(it);
  return {};
}

} // namespace

bool HttpInferRequest::IsBinary(size_t i) const {
  return i < are_binary.size() ? are_binary[i].value_or(is_binary_by_default) : is_binary_by_default;
}

Result<HttpInferRequest> DecodeInferRequest(const HttpInferBody& body) {
  const auto json = body.bytes.first(body.json_bytes);
  rapidjson::MemoryStream text(CharsOf(json), json.size());
  RequestReader reader(text, body.most_decoded);
  AVOCET_RETURN_IF_ERROR(ReadJson(json, reader, text));
  HttpInferRequest request;
  request.id = std::move(reader.id);
  request.parameters = std::move(reader.parameters);
  AVOCET_RETURN_IF_ERROR(TakeBinaryDefault(request));
  request.converted.reserve(reader.inputs.size()); // views point into its elements' own storage, but be safe
  Assembler assembler(body, request);
  for (TensorDraft& draft : reader.inputs)
    AVOCET_RETURN_IF_ERROR(assembler.Add(draft));
  AVOCET_RETURN_IF_ERROR(assembler.CheckNothingLeft());
  for (TensorDraft& draft : reader.outputs)
    AVOCET_RETURN_IF_ERROR(AddOutput(draft, request));
  return request;
}

} // namespace avocet
