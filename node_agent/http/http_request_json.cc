#include "node_agent/http/http_request_json.h"

#include <algorithm>
#include <charconv>

#include <rapidjson/error/en.h>
#include <rapidjson/memorystream.h>
#include <rapidjson/reader.h>

#include "messages/text.h"
#include "node_agent/http/json_elements.h"
#include "node_agent/tensors/tensor_contents.h"

namespace avocet {
namespace {

constexpr unsigned kParseFlags =
    rapidjson::kParseIterativeFlag | rapidjson::kParseValidateEncodingFlag | rapidjson::kParseNanAndInfFlag;
constexpr size_t kMaxDepth = 32; ///< of brackets within an array of data or a value that nobody knows

bool IsOfNumber(char c) {
  return (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '+' || c == 'e' || c == 'E';
}

/// The number that was just read, whose text ends where the stream stands. RapidJSON 1.1's own, `rough`, is off in the
/// last bits, or with full precision 1e-244 for a zero of many digits. It stays where there are no digits (NaN), and
/// where they are too small for a double.
double Exact(const rapidjson::MemoryStream& text, double rough) {
  const char* begin = text.src_;
  while (begin != text.begin_ && IsOfNumber(begin[-1]))
    --begin;
  std::from_chars(begin, text.src_, rough);
  return rough;
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
  bool Double(double rough) {
    const double value = Exact(text_, rough);
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
  Status Fault() const { return wrong.ok() && elements_ ? elements_->wrong() : wrong; }
  /// What is being read, for the text of an error: "input 'x': element 3", or nothing.
  std::string Subject() const {
    if (!elements_) return {};
    return ShownInput(elements_->spec().name) + ": element " + std::to_string(elements_->found());
  }

  Status wrong;
  RequestDraft draft;

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
  /// What no one asks for is read over, brackets and all.
  bool EnterUnknown() {
    depth_ = 1;
    return Enter(Place::kUnknown);
  }
  bool Deepen() { return ++depth_ <= kMaxDepth || Fail("brackets nest too deeply"); }
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
  TensorDraft& tensor() { return (is_output_ ? draft.outputs : draft.inputs).back(); }

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
  // The parser calls this for every value alike; what a value means follows from where it stands.
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
    // Checked while it grows: a rank of millions must not become a vector first.
    tensor().shape->push_back(std::get<int64_t>(value));
    return tensor().shape->size() <= kMaxTensorRank ||
           Fail(ShownInput(tensor().name) + " has more than " + std::to_string(kMaxTensorRank) + " dimensions");

  case Place::kParameters: {
    Parameters& target = in_tensor_ ? tensor().parameters : draft.parameters;
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
  draft.id = std::get<std::string>(std::move(value));
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
  // Members that are unknown are read over, but known ones of the wrong type are named.
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
    return Fail(ShownInput(tensor().name) + ": 'data' must hold elements");
  case Place::kUnknown:
    return Deepen();
  case Place::kParameters:
    break;
  }
  return EnterUnknown();
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
    // Outputs have no data: there, it is one of the unknown members.
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
    return Deepen();
  case Place::kParameters:
    break;
  }
  return EnterUnknown();
}

bool RequestReader::EndArray(rapidjson::SizeType) {
  const bool is_nested = place_ == Place::kUnknown || place_ == Place::kData;
  if (is_nested && --depth_ > 0) return true;
  if (place_ == Place::kData && !LeaveData()) return false;
  return Leave();
}

bool RequestReader::EnterTensor() {
  auto& tensors = is_output_ ? draft.outputs : draft.inputs;
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
  TensorDraft& one = tensor();
  if (one.data || one.later) return Fail(ShownInput(one.name) + " has 'data' twice");

  depth_ = 1;
  // Where the array stands is kept in any case: it may come before the type that says how to read it.
  const size_t begin = text_.Tell(); // RapidJSON calls before it steps over the bracket
  one.later = {begin, begin};

  if (!one.datatype || !one.shape) return Enter(Place::kData);
  // Both known, as clients mostly write them: elements become bytes at once, without a second pass.
  auto spec = MakeSpec(one.name, *one.datatype, *one.shape);
  auto elements = spec.ok() ? JsonElements::For(std::move(*spec), left_, text_.size_ - begin) : spec.status();
  if (!elements.ok()) {
    wrong = elements.status();
    return false;
  }

  elements_ = std::move(*elements);
  return Enter(Place::kData);
}

bool RequestReader::LeaveData() {
  TensorDraft& one = tensor();
  one.later->second = text_.Tell() + 1;

  if (!elements_) return true;
  // Taken out first: the next tensor must not find these elements, even after an error.
  auto bytes = std::exchange(elements_, std::nullopt)->Finish();
  if (!bytes.ok()) {
    wrong = bytes.status();
    return false;
  }

  if (bytes->size() > left_) return Fail("the tensors of the request take more bytes than a request may hold");
  // Counted over all inputs: each alone may be within the bound.
  left_ -= bytes->size();
  one.data = std::move(*bytes);
  one.later.reset();
  return true;
}

/// Reads one array whose type was not known when it came by.
class ArrayReader : public rapidjson::BaseReaderHandler<rapidjson::UTF8<>, ArrayReader> {
public:
  ArrayReader(const rapidjson::MemoryStream& text, JsonElements& elements) : text_(text), elements_(elements) {}
  bool Null() { return elements_.Fail("is null"); }
  bool Bool(bool value) { return elements_.Bool(value); }
  bool Int(int value) { return elements_.Signed(value); }
  bool Uint(unsigned value) { return elements_.Unsigned(value); }
  bool Int64(int64_t value) { return elements_.Signed(value); }
  bool Uint64(uint64_t value) { return elements_.Unsigned(value); }
  bool Double(double rough) { return elements_.Double(Exact(text_, rough)); }
  bool String(const char* text, rapidjson::SizeType length, bool) { return elements_.Text({text, length}); }

private:
  const rapidjson::MemoryStream& text_;
  JsonElements& elements_;
};

/// What stands at `at`, up to the next comma, bracket or space: what the parser could not read.
std::string WordAt(std::span<const std::byte> json, size_t at) {
  constexpr size_t kMaxShown = 24;
  const auto* text = reinterpret_cast<const char*>(json.data());
  std::string_view rest(text + std::min(at, json.size()), json.size() - std::min(at, json.size()));
  rest = rest.substr(0, std::min(rest.find_first_of(",]} \t\r\n"), kMaxShown));
  return ToText(rest, kMaxShown);
}

const char* CharsOf(std::span<const std::byte> bytes) {
  return reinterpret_cast<const char*>(bytes.data());
}

} // namespace

std::string ShownInput(const std::string& name) {
  return InputSubject(ToText(name, kMaxShownName));
}

Result<RequestDraft> ReadRequestJson(std::span<const std::byte> json, size_t most_decoded) {
  rapidjson::MemoryStream text(CharsOf(json), json.size());
  RequestReader reader(text, most_decoded);
  const auto parsed = rapidjson::Reader().Parse<kParseFlags>(text, reader);
  AVOCET_RETURN_IF_ERROR(parsed.IsError() ? reader.Fault() : Status());
  if (parsed.IsError()) {
    const std::string subject = reader.Subject();
    const std::string place = subject.empty() ? "" : subject + " ('" + WordAt(json, parsed.Offset()) + "'): ";
    return InvalidArgument(place + "the request is not valid JSON at byte " + std::to_string(parsed.Offset()) + ": " +
                           rapidjson::GetParseError_En(parsed.Code()));
  }
  if (text.Tell() == json.size()) return std::move(reader.draft);
  return InvalidArgument("the JSON of the request ends at byte " + std::to_string(text.Tell()) + " of " +
                         std::to_string(json.size()));
}

Result<std::vector<std::byte>> ReadDataJson(std::span<const std::byte> array, const TensorSpec& spec,
                                            size_t most_decoded) {
  AVOCET_ASSIGN_OR_RETURN(auto elements, JsonElements::For(spec, most_decoded, array.size()));
  rapidjson::MemoryStream text(CharsOf(array), array.size());
  ArrayReader reader(text, elements);
  rapidjson::Reader().Parse<kParseFlags>(text, reader); // the form was checked; what fails is an element
  return elements.Finish();
}

} // namespace avocet
