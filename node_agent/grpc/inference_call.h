#pragma once

#include <grpcpp/grpcpp.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "inference/grpc_service.pb.h"
#include "messages/status.h"
#include "messages/units.h"
#include "node_agent/grpc/inference_codec.h"
#include "node_agent/inference/byte_budget.h"
#include "node_agent/inference/inference.h"
#include "node_agent/inference/inference_core.h"
#include "node_agent/inference/reply_sender.h"

namespace avocet {

/// A call's deadline on the local clock; nullopt when it has none.
std::optional<MonotonicTime> DeadlineOf(const grpc::CallbackServerContext& context, MonotonicTime now);

/// Has the answers of a call compressed as the client compresses, when `message` is. To be called before anything is
/// sent.
void AnswerAlike(const grpc::ByteBuffer& message, grpc::CallbackServerContext& context);

/// One request message and its way to the device, for unary calls and streams alike.
class MessageInference {
public:
  /// `max_bytes`: of the message, once it is decompressed.
  MessageInference(InferenceCore& core, uint64_t max_bytes);

  /// Reads the message, which frees it, then as Inference::Begin. On failure nothing will be called; what is left is
  /// End.
  Result<InferenceProgress> Begin(grpc::ByteBuffer& message, std::optional<MonotonicTime> call_deadline,
                                  std::function<void()> ready);
  void Cancel() { inference_.Cancel(); }
  /// Fills the response; the status of the run, or of the encoding.
  Status Encode(inference::ModelInferResponse& response);
  void End(const Status& sent) { inference_.End(sent); }
  /// Empty when it could not be read.
  const inference::ModelInferRequest& request() const { return request_; }

private:
  const uint64_t max_bytes_;
  inference::ModelInferRequest request_; ///< its inputs are used in place
  Inference inference_;
  ByteBudget::Lease bytes_;
  Parameters parameters_;
  std::vector<RequestedOutput> outputs_;
  std::vector<std::vector<std::byte>> converted_;
};

/// What gRPC has of a call, for as long as it lasts.
struct MessageCall {
  grpc::CallbackServerContext& context;
  grpc::ByteBuffer& request;
  grpc::ByteBuffer& response;
};

/// One ModelInfer call, from the complete request to the reply. Owns itself: gRPC says OnDone after
/// the reply and after every OnCancel.
class InferCall final : public grpc::ServerUnaryReactor, private Reply {
public:
  InferCall(const MessageCall& call, InferenceCore& core, uint64_t max_bytes, ReplySender& sender);

  /// Queues the request with its device, or replies why not. Never blocks.
  void Begin();

  void OnCancel() override { inference_.Cancel(); }
  void OnDone() override { delete this; }

private:
  void Send() override;
  void Answer(const Status& status);

  const MessageCall call_;
  ReplySender& sender_;
  MessageInference inference_;
};

} // namespace avocet
