#pragma once

#include <grpcpp/grpcpp.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "inference/grpc_service.pb.h"
#include "messages/status.h"
#include "messages/units.h"
#include "node_agent/grpc/answer_watch.h"
#include "node_agent/grpc/call_drain.h"
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

/// What all calls for inference on a server share. Outlives them.
struct CallShared {
  InferenceCore& core;
  uint64_t max_bytes; ///< of one message, once it is decompressed
  ReplySender sender;
  AnswerWatch answers;
  CallDrain drain;
};

/// The budget's share of the call's client.
std::shared_ptr<BudgetShare> ClientOf(const grpc::CallbackServerContext& context, InferenceCore& core);

/// One request message and its way to the device, for unary calls and streams alike.
class MessageInference {
public:
  MessageInference(CallShared& shared, std::shared_ptr<BudgetShare> client);

  /// Reads the message, which frees it, then as Inference::Begin. On failure nothing will be called; what is left is
  /// End.
  Result<InferenceProgress> Begin(grpc::ByteBuffer& message, std::optional<MonotonicTime> call_deadline,
                                  std::function<void()> ready);
  void Cancel() { inference_.Cancel(); }
  /// Makes the answer, in a ModelStreamInferResponse if it is streamed; the status of the run, or of the encoding.
  Status Encode(bool is_streamed, grpc::ByteBuffer& bytes);
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
/// the reply was taken and after every OnCancel.
class InferCall final : public grpc::ServerUnaryReactor, private Reply {
public:
  InferCall(const MessageCall& call, CallShared& shared);

  /// Queues the request with its device, or replies why not. Never blocks.
  void Begin();

  void OnCancel() override { inference_.Cancel(); }
  void OnDone() override;

private:
  void Send() override;
  void Answer(const Status& status);

  const MessageCall call_;
  CallShared& shared_;
  const CallDrain::Ticket ticket_;
  MessageInference inference_;
  AnswerWatch::Token answering_; ///< once it is answered
};

} // namespace avocet
