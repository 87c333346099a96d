#include "node_agent/grpc/inference_stream.h"

#include <utility>

#include "node_agent/grpc/inference_message.h"
#include "node_agent/grpc/inference_status.h"

namespace avocet {

InferStream::InferStream(grpc::CallbackServerContext& context, InferenceCore& core, uint64_t max_bytes,
                         ReplySender& sender)
    : context_(context), core_(core), max_bytes_(max_bytes), sender_(sender), next_(std::make_shared<Exchange>(*this)) {
  StartRead(&next_->message);
}

void InferStream::OnReadDone(bool ok) {
  std::unique_lock lock(mutex_);
  const std::shared_ptr<Exchange> exchange = std::exchange(next_, nullptr);
  is_read_out_ = !ok;
  if (ok) {
    exchanges_.push_back(exchange);
    lock.unlock();
    if (std::exchange(is_first_, false)) AnswerAlike(exchange->message, context_);
    Begin(*exchange);
    lock.lock();
  }
  Proceed(std::move(lock));
}

void InferStream::Begin(Exchange& exchange) {
  exchange.inference.emplace(core_, max_bytes_);
  const auto deadline = DeadlineOf(context_, MonotonicTime::clock::now());
  const auto progress =
      exchange.inference->Begin(exchange.message, deadline, [this, &exchange] { sender_.Post(exchange); });
  if (!progress.ok()) return Complete(exchange, progress.status());
  if (*progress == InferenceProgress::kReady) return exchange.Send();
  std::unique_lock lock(mutex_);
  exchange.is_begun = true;
  const bool is_too_late = is_cancelled_;
  lock.unlock();
  if (is_too_late) exchange.inference->Cancel();
}

/// On the sender's thread nothing but `exchange`, while it is not done, keeps this object alive.
void InferStream::Complete(Exchange& exchange, const Status& status) {
  const Status sent = status.ok() ? SerializeMessage(exchange.response, exchange.answer) : status;
  exchange.inference->End(sent);
  if (!sent.ok()) {
    exchange.response.Clear();
    exchange.response.set_error_message(ToGrpc(sent).error_message());
    exchange.response.mutable_infer_response()->set_id(exchange.inference->request().id());
    (void)SerializeMessage(exchange.response, exchange.answer); // a text cannot be too long
  }
  exchange.response.Clear();
  std::unique_lock lock(mutex_);
  exchange.is_done = true;
  Proceed(std::move(lock));
}

void InferStream::OnWriteDone(bool) {
  std::unique_lock lock(mutex_);
  is_writing_ = false;
  exchanges_.pop_front();
  Proceed(std::move(lock));
}

void InferStream::OnCancel() {
  std::vector<std::shared_ptr<Exchange>> begun;
  {
    const std::lock_guard lock(mutex_);
    is_cancelled_ = true;
    for (const auto& exchange : exchanges_) {
      if (exchange->is_begun) begun.push_back(exchange);
    }
  }
  for (const auto& exchange : begun)
    exchange->inference->Cancel();
}

/// Starts whatever can go on: the next write, the next read, the end.
void InferStream::Proceed(std::unique_lock<std::mutex> lock) {
  if (is_finished_) return;
  // Answers go out in the order of the requests, so the oldest decides, however many others are done.
  const bool writes = !is_writing_ && !exchanges_.empty() && exchanges_.front()->is_done;
  // kMaxPending bounds what a client can make the stream hold: beyond it nothing is read, and TCP slows the client.
  const bool reads = !is_read_out_ && !next_ && exchanges_.size() < kMaxPending;
  const bool finishes = is_read_out_ && exchanges_.empty();
  const bool is_cancelled = is_cancelled_;

  is_writing_ = is_writing_ || writes;
  is_finished_ = finishes;
  // All state is settled before the lock is released: gRPC may call back at once, on another thread.
  if (reads) next_ = std::make_shared<Exchange>(*this);
  const auto* answer = writes ? &exchanges_.front()->answer : nullptr;
  auto* message = reads ? &next_->message : nullptr;

  // Nothing of this object may be touched after Finish: it may be gone.
  lock.unlock();
  if (writes) StartWrite(answer);
  if (reads) StartRead(message);
  if (finishes) Finish(is_cancelled ? grpc::Status::CANCELLED : grpc::Status::OK);
}

} // namespace avocet
