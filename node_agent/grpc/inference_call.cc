#include "node_agent/grpc/inference_call.h"

#include <utility>

#include "node_agent/grpc/inference_message.h"
#include "node_agent/grpc/inference_status.h"
#include "node_agent/inference/classification.h"

namespace avocet {

std::optional<MonotonicTime> DeadlineOf(const grpc::CallbackServerContext& context, MonotonicTime now) {
  constexpr auto kFar = std::chrono::hours(24 * 365);
  const auto left = context.deadline() - std::chrono::system_clock::now();
  if (context.deadline() == std::chrono::system_clock::time_point::max() || left > kFar) return std::nullopt;
  return now + std::chrono::duration_cast<Duration>(left);
}

void AnswerAlike(const grpc::ByteBuffer& message, grpc::CallbackServerContext& context) {
  switch (CodingOf(message)) {
  case HttpCoding::kIdentity:
    return;
  case HttpCoding::kGzip:
    return context.set_compression_algorithm(GRPC_COMPRESS_GZIP);
  case HttpCoding::kDeflate:
    return context.set_compression_algorithm(GRPC_COMPRESS_DEFLATE);
  }
}

MessageInference::MessageInference(InferenceCore& core, uint64_t max_bytes)
    : max_bytes_(max_bytes), inference_(core, MonotonicTime::clock::now()), bytes_(core.budget()) {}

Result<InferenceProgress> MessageInference::Begin(grpc::ByteBuffer& message, std::optional<MonotonicTime> call_deadline,
                                                  std::function<void()> ready) {
  AVOCET_RETURN_IF_ERROR(ParseMessage(message, max_bytes_, bytes_, request_));
  AVOCET_RETURN_IF_ERROR(inference_.Open(request_.model_name(), request_.model_version()));
  AVOCET_ASSIGN_OR_RETURN(parameters_, DecodeParameters(request_));
  AVOCET_ASSIGN_OR_RETURN(outputs_, DecodeOutputs(request_));
  AVOCET_ASSIGN_OR_RETURN(auto inputs, DecodeInputs(request_));
  converted_ = std::move(inputs.converted);
  return inference_.Begin({std::move(inputs.views), outputs_, call_deadline, &parameters_}, std::move(ready));
}

Status MessageInference::Encode(inference::ModelInferResponse& response) {
  AVOCET_RETURN_IF_ERROR(inference_.status());
  AVOCET_ASSIGN_OR_RETURN(auto answer, inference_.answer());
  const std::vector<Tensor> classes = ClassifyOutputs(answer);
  EncodeAnswer(request_, answer, response);
  bytes_.Grow(response.ByteSizeLong());
  return {};
}

InferCall::InferCall(const MessageCall& call, InferenceCore& core, uint64_t max_bytes, ReplySender& sender)
    : call_(call), sender_(sender), inference_(core, max_bytes) {}

void InferCall::Begin() {
  AnswerAlike(call_.request, call_.context);
  const auto deadline = DeadlineOf(call_.context, MonotonicTime::clock::now());
  const auto progress = inference_.Begin(call_.request, deadline, [this] { sender_.Post(*this); });
  if (!progress.ok()) return Answer(progress.status());
  if (*progress == InferenceProgress::kReady) Send();
}

void InferCall::Send() {
  inference::ModelInferResponse response;
  Status status = inference_.Encode(response);
  if (status.ok()) status = SerializeMessage(response, call_.response);
  Answer(status);
}

/// The last thing that may touch this object.
void InferCall::Answer(const Status& status) {
  inference_.End(status);
  Finish(ToGrpc(status));
}

} // namespace avocet
