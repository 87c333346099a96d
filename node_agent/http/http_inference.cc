#include "node_agent/http/http_inference.h"

#include <utility>

#include "node_agent/http/http_infer_response.h"
#include "node_agent/inference/classification.h"

namespace avocet {
namespace {

/// JSON beyond this takes about 0.2 ms to decode or to encode.
constexpr size_t kLongJson = 64 * 1024;

} // namespace

Status HttpInference::Open(const HttpRoute& route) {
  name_ = route.model;
  return inference_.Open(route.model, route.version);
}

bool HttpInference::is_long_to_decode() const {
  return body_.json_bytes > kLongJson;
}

Result<HttpInferRequest> HttpInference::DecodeRaw() const {
  AVOCET_ASSIGN_OR_RETURN(const auto signature, inference_.signature());
  return DecodeRawRequest(body_.bytes, *signature);
}

Result<InferenceProgress> HttpInference::Begin(std::function<void()> ready) {
  AVOCET_RETURN_IF_ERROR(request_->status());
  HttpInferRequest& request = **request_;
  return inference_.Begin({std::move(request.inputs), request.outputs, std::nullopt, &request.parameters},
                          std::move(ready));
}

bool HttpInference::is_long_to_encode(HttpCoding coding) const {
  if (!inference_.status().ok()) return false;
  if (coding != HttpCoding::kIdentity) return true;
  const auto answer = inference_.answer();
  return answer.ok() && BytesToEncode(**request_, *answer) > kLongJson;
}

void HttpInference::Encode(HttpCoding coding) {
  const auto encode = [&]() -> Result<HttpReply> {
    AVOCET_RETURN_IF_ERROR(inference_.status());
    AVOCET_ASSIGN_OR_RETURN(auto answer, inference_.answer());
    classified_ = ClassifyOutputs(answer);
    auto reply = EncodeInferResponse(**request_, name_, answer);
    if (!reply.ok() || coding == HttpCoding::kIdentity) return reply;
    return Compressed(std::move(*reply), coding);
  };
  reply_.emplace(encode());
}

HttpReply HttpInference::End() {
  if (!reply_->ok()) return Fail(reply_->status());
  inference_.End({});
  return std::move(**reply_);
}

HttpReply HttpInference::Fail(const Status& status) {
  inference_.End(status);
  return ErrorReply(status);
}

} // namespace avocet
