#include "node_agent/inference_call.h"

#include <utility>

#include "node_agent/classification.h"
#include "node_agent/inference_status.h"

namespace avocet {

std::optional<MonotonicTime> DeadlineOf(const grpc::CallbackServerContext& context, MonotonicTime now) {
  constexpr auto kFar = std::chrono::hours(24 * 365);
  const auto left = context.deadline() - std::chrono::system_clock::now();
  if (context.deadline() == std::chrono::system_clock::time_point::max() || left > kFar) return std::nullopt;
  return now + std::chrono::duration_cast<Duration>(left);
}

MessageInference::MessageInference(InferenceCore& core, const inference::ModelInferRequest& request,
                                   inference::ModelInferResponse& response)
    : request_(request), response_(response), inference_(core, MonotonicTime::clock::now()), bytes_(core.budget()) {}

Result<InferenceProgress> MessageInference::Begin(std::optional<MonotonicTime> call_deadline,
                                                  std::function<void()> ready) {
  AVOCET_RETURN_IF_ERROR(inference_.Open(request_.model_name(), request_.model_version()));
  AVOCET_RETURN_IF_ERROR(bytes_.Reserve(request_.ByteSizeLong()));
  auto parameters = DecodeParameters(request_);
  if (!parameters.ok()) return parameters.status();
  parameters_ = std::move(*parameters);
  auto outputs = DecodeOutputs(request_);
  if (!outputs.ok()) return outputs.status();
  outputs_ = std::move(*outputs);
  auto inputs = DecodeInputs(request_);
  if (!inputs.ok()) return inputs.status();
  converted_ = std::move(inputs->converted);
  return inference_.Begin({std::move(inputs->views), outputs_, call_deadline, &parameters_}, std::move(ready));
}

Status MessageInference::Encode() {
  AVOCET_RETURN_IF_ERROR(inference_.status());
  auto answer = inference_.answer();
  if (!answer.ok()) return answer.status();
  const std::vector<Tensor> classes = ClassifyOutputs(*answer);
  EncodeAnswer(request_, *answer, response_);
  bytes_.Grow(response_.ByteSizeLong());
  return {};
}

InferCall::InferCall(const grpc::CallbackServerContext& context, InferenceCore& core,
                     const inference::ModelInferRequest& request, inference::ModelInferResponse& response,
                     ReplySender& sender)
    : context_(context), sender_(sender), inference_(core, request, response) {}

void InferCall::Begin() {
  const auto progress =
      inference_.Begin(DeadlineOf(context_, MonotonicTime::clock::now()), [this] { sender_.Post(*this); });
  if (!progress.ok()) return Answer(progress.status());
  if (*progress == InferenceProgress::kReady) Send();
}

void InferCall::Send() {
  Answer(inference_.Encode());
}

/// The last thing that may touch this object.
void InferCall::Answer(const Status& status) {
  inference_.End(status);
  Finish(ToGrpc(status));
}

} // namespace avocet
