#include "node_agent/grpc/inference_call.h"

#include <utility>

#include "node_agent/grpc/inference_message.h"
#include "node_agent/grpc/inference_status.h"
#include "node_agent/grpc/peer_client.h"
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

std::shared_ptr<BudgetShare> ClientOf(const grpc::CallbackServerContext& context, InferenceCore& core) {
  // Mostly the peer of the call before on this thread: reading its address again would take a microsecond.
  struct Known {
    const InferenceCore* core = nullptr;
    std::string peer;
    std::shared_ptr<BudgetShare> share; ///< kept: else it would be made anew for each call of a client that waits
  };
  thread_local Known known;
  std::string peer = context.peer();
  if (known.core == &core && known.peer == peer) return known.share;
  auto share = core.clients().Of(ClientOfPeer(peer));
  known = {&core, std::move(peer), share};
  return share;
}

MessageInference::MessageInference(CallShared& shared, std::shared_ptr<BudgetShare> client)
    : max_bytes_(shared.max_bytes), inference_(shared.core, MonotonicTime::clock::now()),
      bytes_(shared.core.budget(), std::move(client)) {}

Result<InferenceProgress> MessageInference::Begin(grpc::ByteBuffer& message, std::optional<MonotonicTime> call_deadline,
                                                  std::function<void()> ready) {
  AVOCET_RETURN_IF_ERROR(ParseMessage(message, max_bytes_, bytes_, request_));
  AVOCET_RETURN_IF_ERROR(inference_.Open(request_.model_name(), request_.model_version()));
  bytes_.ChargeTo(inference_.share());
  AVOCET_ASSIGN_OR_RETURN(parameters_, DecodeParameters(request_));
  AVOCET_ASSIGN_OR_RETURN(outputs_, DecodeOutputs(request_));
  AVOCET_ASSIGN_OR_RETURN(auto inputs, DecodeInputs(request_));
  converted_ = std::move(inputs.converted);
  return inference_.Begin({std::move(inputs.views), outputs_, call_deadline, &parameters_}, std::move(ready));
}

Status MessageInference::Encode(bool is_streamed, grpc::ByteBuffer& bytes) {
  AVOCET_RETURN_IF_ERROR(inference_.status());
  AVOCET_RETURN_IF_ERROR(bytes_.Reserve(inference_.output_bytes()));
  AVOCET_ASSIGN_OR_RETURN(auto answer, inference_.answer());

  // What the message's slices point into lives until gRPC has sent them.
  struct Owned {
    std::vector<Tensor> classes, outputs;
  };
  const auto owned = std::make_shared<Owned>();
  owned->classes = ClassifyOutputs(answer);
  AnswerMessage message;
  EncodeAnswer(request_, answer, message.facts);
  // Triton's clients of streams look at this to know whether more follows for the request.
  if (is_streamed) (*message.facts.mutable_parameters())["triton_final_response"].set_bool_param(true);
  for (const Tensor* output : answer.outputs)
    message.raw.emplace_back(output->data);
  owned->outputs = inference_.TakeOutputs();
  message.owner = owned;
  return SerializeAnswer(message, is_streamed, bytes);
}

InferCall::InferCall(const MessageCall& call, CallShared& shared)
    : call_(call), shared_(shared), ticket_(shared.drain), inference_(shared, ClientOf(call.context, shared.core)) {}

void InferCall::Begin() {
  if (shared_.drain.is_draining()) return Answer(Unavailable("the server is stopping; retry"));
  AnswerAlike(call_.request, call_.context);
  const auto deadline = DeadlineOf(call_.context, MonotonicTime::clock::now());
  const auto progress = inference_.Begin(call_.request, deadline, [this] { shared_.sender.Post(*this); });
  if (!progress.ok()) return Answer(progress.status());
  if (*progress == InferenceProgress::kReady) Send();
}

void InferCall::Send() {
  Answer(inference_.Encode(false, call_.response));
}

/// The last thing that may touch this object.
void InferCall::Answer(const Status& status) {
  inference_.End(status);
  answering_ = shared_.answers.Begin(call_.context, call_.response.Length());
  Finish(ToGrpc(status));
}

void InferCall::OnDone() {
  shared_.answers.End(answering_);
  delete this;
}

} // namespace avocet
