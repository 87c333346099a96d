#pragma once

#include <grpcpp/grpcpp.h>

#include <optional>
#include <string>
#include <vector>

#include "inference/grpc_service.pb.h"
#include "messages/status.h"
#include "messages/units.h"
#include "node_agent/byte_budget.h"
#include "node_agent/inference.h"
#include "node_agent/inference_codec.h"
#include "node_agent/reply_sender.h"

namespace avocet {

/// A call's deadline on the local clock; nullopt when it has none.
std::optional<MonotonicTime> DeadlineOf(const grpc::CallbackServerContext& context, MonotonicTime now);

/// One request message and its way to the device, for unary calls and streams alike. The messages must
/// outlive it: the inputs are used in place.
class MessageInference {
public:
  MessageInference(InferenceCore& core, const inference::ModelInferRequest& request,
                   inference::ModelInferResponse& response);

  /// As Inference::Begin. On failure nothing will be called; what is left is End.
  Result<InferenceProgress> Begin(std::optional<MonotonicTime> call_deadline, std::function<void()> ready);
  void Cancel() { inference_.Cancel(); }
  /// Fills the response; the status of the run, or of the encoding.
  Status Encode();
  void End(const Status& sent) { inference_.End(sent); }

private:
  const inference::ModelInferRequest& request_;
  inference::ModelInferResponse& response_;
  Inference inference_;
  ByteBudget::Lease bytes_;
  Parameters parameters_;
  std::vector<RequestedOutput> outputs_;
  std::vector<std::vector<std::byte>> converted_;
};

/// One ModelInfer call, from the complete request to the reply. Owns itself: gRPC says OnDone after
/// the reply and after every OnCancel.
class InferCall final : public grpc::ServerUnaryReactor, private Reply {
public:
  InferCall(const grpc::CallbackServerContext& context, InferenceCore& core,
            const inference::ModelInferRequest& request, inference::ModelInferResponse& response, ReplySender& sender);

  /// Queues the request with its device, or replies why not. Never blocks.
  void Begin();

  void OnCancel() override { inference_.Cancel(); }
  void OnDone() override { delete this; }

private:
  void Send() override;
  void Answer(const Status& status);

  const grpc::CallbackServerContext& context_;
  ReplySender& sender_;
  MessageInference inference_;
};

} // namespace avocet
