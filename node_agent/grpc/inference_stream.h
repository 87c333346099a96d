#pragma once

#include <grpcpp/grpcpp.h>

#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "inference/grpc_service.pb.h"
#include "node_agent/grpc/inference_call.h"
#include "node_agent/inference/inference_core.h"
#include "node_agent/inference/reply_sender.h"

namespace avocet {

/// One ModelStreamInfer call: requests run as they come, answers go out in the order of the requests.
/// Reads no further while kMaxPending requests are unanswered, so a client that does not read its
/// answers is slowed down by flow control. Owns itself: gRPC says OnDone when everything is over.
class InferStream final : public grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer> {
public:
  static constexpr size_t kMaxPending = 32;

  /// `max_bytes`: of one message, once it is decompressed.
  InferStream(grpc::CallbackServerContext& context, InferenceCore& core, uint64_t max_bytes, ReplySender& sender);

  void OnReadDone(bool ok) override;
  void OnWriteDone(bool ok) override;
  void OnCancel() override;
  void OnDone() override { delete this; }

private:
  /// One request and its answer.
  struct Exchange final : Reply {
    explicit Exchange(InferStream& owner) : stream(owner) {}
    void Send() override { stream.Complete(*this, inference->Encode(*response.mutable_infer_response())); }
    InferStream& stream;
    grpc::ByteBuffer message; ///< as it came
    inference::ModelStreamInferResponse response;
    grpc::ByteBuffer answer; ///< as it goes
    std::optional<MessageInference> inference;
    bool is_begun = false;
    bool is_done = false;
  };

  void Begin(Exchange& exchange);
  void Complete(Exchange& exchange, const Status& status);
  void Proceed(std::unique_lock<std::mutex> lock);

  grpc::CallbackServerContext& context_;
  InferenceCore& core_;
  const uint64_t max_bytes_;
  ReplySender& sender_;
  bool is_first_ = true; ///< message, which says how answers are compressed

  std::mutex mutex_;
  std::shared_ptr<Exchange> next_; ///< being read into; null while reading pauses
  /// Read and not yet written, in order. Shared with whoever begins or cancels one right now.
  std::deque<std::shared_ptr<Exchange>> exchanges_;
  bool is_writing_ = false;
  bool is_read_out_ = false; ///< the client sends no more
  bool is_cancelled_ = false;
  bool is_finished_ = false;
};

} // namespace avocet
