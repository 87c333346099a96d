#pragma once

#include <grpcpp/grpcpp.h>

#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "inference/grpc_service.pb.h"
#include "node_agent/grpc/inference_call.h"

namespace avocet {

/// One ModelStreamInfer call: requests run as they come, answers go out in the order of the requests.
/// Reads no further while kMaxPending requests are unanswered, so a client that does not read its
/// answers is slowed down by flow control. Owns itself until gRPC says OnDone, when everything is over.
class InferStream final : public grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>, public DrainableCall {
public:
  static constexpr size_t kMaxPending = 32;

  static std::shared_ptr<InferStream> Make(grpc::CallbackServerContext& context, CallShared& shared);

  void OnReadDone(bool ok) override;
  void OnWriteDone(bool ok) override;
  void OnCancel() override;
  void OnDone() override { const auto last = std::move(self_); }
  void Drain() override;

private:
  /// One request and its answer.
  struct Exchange final : Reply {
    explicit Exchange(InferStream& owner) : stream(owner) {}
    void Send() override { stream.Complete(*this, inference->Encode(true, answer)); }
    InferStream& stream;
    grpc::ByteBuffer message; ///< as it came
    grpc::ByteBuffer answer;  ///< as it goes
    std::optional<MessageInference> inference;
    bool is_begun = false;
    bool is_done = false;
  };

  InferStream(grpc::CallbackServerContext& context, CallShared& shared);
  void Begin(Exchange& exchange);
  void Complete(Exchange& exchange, const Status& status);
  void Proceed(std::unique_lock<std::mutex> lock);
  grpc::Status End() const;

  grpc::CallbackServerContext& context_;
  CallShared& shared_;
  const std::shared_ptr<BudgetShare> client_;
  std::optional<CallDrain::Ticket> ticket_; ///< while a request is in hand; all have one in common
  std::shared_ptr<InferStream> self_;
  bool is_first_ = true; ///< message, which says how answers are compressed

  std::mutex mutex_;
  std::shared_ptr<Exchange> next_; ///< being read into; null while reading pauses
  /// Read and not yet written, in order. Shared with whoever begins or cancels one right now.
  std::deque<std::shared_ptr<Exchange>> exchanges_;
  AnswerWatch::Token answering_; ///< while it writes
  bool is_writing_ = false;
  bool is_read_out_ = false; ///< the client sends no more
  bool is_draining_ = false; ///< nothing more is read
  bool is_cancelled_ = false;
  bool is_finished_ = false;
};

} // namespace avocet
