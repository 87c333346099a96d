#include "node_agent/http/http_inference.h"

#include <utility>

#include "node_agent/http/http_infer_response.h"
#include "node_agent/inference/answer_room.h"
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

void HttpInference::Decode(ByteBudget::Lease& lease) {
  request_.emplace(body_.is_raw ? DecodeRaw() : DecodeInferRequest(body_));
  if (!request_->ok()) return;

  uint64_t bytes = 0;
  for (const auto& tensor : (*request_)->converted)
    bytes += tensor.size();
  if (const Status reserved = lease.Reserve(bytes); !reserved.ok()) request_.emplace(reserved);
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

void HttpInference::Encode(HttpCoding coding, ByteBudget::Lease& lease) {
  reply_.emplace(MakeReply(coding, lease));
}

Result<HttpReply> HttpInference::MakeReply(HttpCoding coding, ByteBudget::Lease& lease) {
  AVOCET_RETURN_IF_ERROR(inference_.status());
  const uint64_t outputs = inference_.output_bytes();
  AVOCET_RETURN_IF_ERROR(lease.Reserve(outputs));

  AVOCET_ASSIGN_OR_RETURN(auto answer, inference_.answer());
  classified_ = ClassifyOutputs(answer);
  AnswerRoom room(lease, core_.options().max_answer_bytes);
  auto reply = EncodeInferResponse(**request_, name_, answer, room);
  if (reply.ok() && coding != HttpCoding::kIdentity) reply = Compressed(std::move(*reply), coding);
  if (!reply.ok() || !reply->tails.empty()) return reply;

  // All is in the text now.
  inference_.TakeOutputs();
  classified_.clear();
  lease.Shrink(outputs);
  return reply;
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
