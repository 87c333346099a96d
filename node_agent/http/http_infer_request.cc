#include "node_agent/http/http_infer_request.h"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "messages/text.h"
#include "node_agent/http/http_request_json.h"
#include "node_agent/inference/classification.h"

namespace avocet {
namespace {

/// Decodes the drafts into a request, taking the binary ones off the rest of the body.
class Assembler {
public:
  Assembler(const HttpInferBody& body, HttpInferRequest& request)
      : json_(body.bytes.first(body.json_bytes)), rest_(body.bytes.subspan(body.json_bytes)), left_(body.most_decoded),
        request_(request) {}

  Status Add(TensorDraft& draft) {
    if (!draft.datatype || !draft.shape)
      return InvalidArgument(ShownInput(draft.name) + " has no '" + (draft.datatype ? "shape" : "datatype") + "'");
    AVOCET_ASSIGN_OR_RETURN(auto spec, MakeSpec(draft.name, *draft.datatype, std::move(*draft.shape)));
    if (draft.parameters.contains("shared_memory_region"))
      return Unsupported(ShownInput(draft.name) + ": shared memory is not supported; send the contents");
    const auto binary = draft.parameters.find("binary_data_size");
    if (binary == draft.parameters.end()) return AddJson(draft, std::move(spec));
    if (draft.data || draft.later)
      return InvalidArgument(ShownInput(draft.name) + " has 'data' beside 'binary_data_size'; use one of them");
    return AddBinary(std::move(spec), binary->second);
  }

  Status CheckNothingLeft() const {
    if (rest_.empty()) return {};
    return InvalidArgument(std::to_string(rest_.size()) + " bytes behind the last binary input belong to none");
  }

private:
  Status AddJson(TensorDraft& draft, TensorSpec spec) {
    if (draft.later) AVOCET_RETURN_IF_ERROR(ReadLater(draft, spec));
    if (!draft.data) return InvalidArgument(ShownInput(draft.name) + " has neither 'data' nor 'binary_data_size'");
    left_ -= std::min(left_, draft.data->size());
    const auto& bytes = request_.converted.emplace_back(std::move(*draft.data));
    AVOCET_RETURN_IF_ERROR(CheckContents(spec, bytes));
    request_.inputs.push_back({std::move(spec), bytes});
    return {};
  }

  Status ReadLater(TensorDraft& draft, const TensorSpec& spec) {
    const auto [begin, end] = *draft.later;
    AVOCET_ASSIGN_OR_RETURN(draft.data, ReadDataJson(json_.subspan(begin, end - begin), spec, left_));
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
    const auto aligned = Aligned(data, ElementSize(spec.type));
    request_.inputs.push_back({std::move(spec), aligned});
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
  const std::string subject = "output '" + ToText(draft.name, kMaxShownName) + "'";
  if (draft.parameters.contains("shared_memory_region"))
    return Unsupported(subject + ": shared memory is not supported");

  // Absent is not false: the request's own default decides then.
  std::optional<bool> is_binary;
  if (const auto it = draft.parameters.find("binary_data"); it != draft.parameters.end()) {
    if (!std::holds_alternative<bool>(it->second)) return InvalidArgument(subject + ": binary_data must be a boolean");
    is_binary = std::get<bool>(it->second);
  }

  const auto classification = draft.parameters.find("classification");
  const auto classes = classification != draft.parameters.end() ? ClassesOf(classification->second) : 0U;
  if (!classes.ok()) return classes.status().WithContext(subject);

  // As SelectOutputs does: what is asked for again is sent once, as it was asked for first.
  const bool is_there = std::any_of(request.outputs.begin(), request.outputs.end(),
                                    [&](const RequestedOutput& other) { return other.name == draft.name; });
  if (is_there) return {};
  request.outputs.push_back({std::move(draft.name), *classes});
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

/// The only input with the shape that a raw request of so many bytes has, as far as one follows from them.
Result<TensorSpec> RawSpec(const ModelSignature& signature, size_t bytes) {
  if (signature.inputs.size() != 1)
    return InvalidArgument("a raw request has one input, and the model has " + std::to_string(signature.inputs.size()));

  TensorSpec spec = signature.inputs.front();
  // No extents may stand for a shape that the model leaves open: several elements are a row then.
  const size_t element = ElementSize(spec.type);
  if (spec.shape.empty() && element > 0 && bytes != element) spec.shape = {static_cast<int64_t>(bytes / element)};
  const auto open = std::find(spec.shape.begin(), spec.shape.end(), -1);
  // Without an open extent there is nothing to compute; CheckContents compares the size with the shape.
  if (open == spec.shape.end()) return spec;
  if (std::find(open + 1, spec.shape.end(), -1) != spec.shape.end())
    return InvalidArgument(InputSubject(spec.name) +
                           ": the shape of a raw request does not follow from its size, since " + Describe(spec) +
                           " has more than one open extent");

  // With 1 in the open place, the shape's size is what one step of that extent takes.
  *open = 1;
  if (spec.type == DataType::kBytes) return spec;

  AVOCET_ASSIGN_OR_RETURN(const auto each, ByteSize(spec));
  // A remainder is noticed by CheckContents, which knows how to say it.
  *open = each > 0 ? static_cast<int64_t>(bytes / each) : 0;
  return spec;
}

} // namespace

bool HttpInferRequest::IsBinary(size_t i) const {
  return i < are_binary.size() ? are_binary[i].value_or(is_binary_by_default) : is_binary_by_default;
}

Result<HttpInferRequest> DecodeInferRequest(const HttpInferBody& body) {
  AVOCET_ASSIGN_OR_RETURN(auto draft, ReadRequestJson(body.bytes.first(body.json_bytes), body.most_decoded));

  HttpInferRequest request;
  request.id = std::move(draft.id);
  request.parameters = std::move(draft.parameters);
  AVOCET_RETURN_IF_ERROR(TakeBinaryDefault(request));

  // In the order of the request: binary tensors follow each other without names, so each begins where the last ends.
  request.converted.reserve(draft.inputs.size()); // views point into its elements' own storage, but be safe
  Assembler assembler(body, request);
  for (TensorDraft& input : draft.inputs)
    AVOCET_RETURN_IF_ERROR(assembler.Add(input));
  AVOCET_RETURN_IF_ERROR(assembler.CheckNothingLeft());

  for (TensorDraft& output : draft.outputs)
    AVOCET_RETURN_IF_ERROR(AddOutput(output, request));
  return request;
}

Result<HttpInferRequest> DecodeRawRequest(std::span<const std::byte> body, const ModelSignature& signature) {
  AVOCET_ASSIGN_OR_RETURN(auto spec, RawSpec(signature, body.size()));

  HttpInferRequest request;
  request.is_binary_by_default = true;
  std::span<const std::byte> data = body;
  // The raw form has no length prefix, which BYTES need: the one case in which the body is copied.
  if (spec.type == DataType::kBytes) {
    auto& element = request.converted.emplace_back();
    element.reserve(kLengthPrefix + body.size());
    AppendByteString({reinterpret_cast<const char*>(body.data()), body.size()}, element);
    data = element;
  }

  AVOCET_RETURN_IF_ERROR(CheckContents(spec, data));
  request.inputs.push_back({std::move(spec), data});
  return request;
}

} // namespace avocet
