#include "node_agent/grpc/inference_stream.h"

#include <utility>

#include "node_agent/grpc/inference_message.h"
#include "node_agent/grpc/inference_status.h"

namespace avocet {

std::shared_ptr<InferStream> InferStream::Make(grpc::CallbackServerContext& context, CallShared& shared) {
  const std::shared_ptr<InferStream> stream(new InferStream(context, shared));
  stream->self_ = stream;
  stream->StartRead(&stream->next_->message);
  shared.drain.Add(stream);
  return stream;
}

InferStream::InferStream(grpc::CallbackServerContext& context, CallShared& shared)
    : context_(context), shared_(shared), client_(ClientOf(context, shared.core)),
      next_(std::make_shared<Exchange>(*this)) {}

void InferStream::Drain() {
  std::unique_lock lock(mutex_);
  is_draining_ = true;
  Proceed(std::move(lock));
}

void InferStream::OnReadDone(bool ok) {
  std::unique_lock lock(mutex_);
  const std::shared_ptr<Exchange> exchange = std::exchange(next_, nullptr);
  is_read_out_ = is_read_out_ || !ok;
  // What comes after the end was announced is not begun any more.
  if (ok && !is_finished_) {
    if (exchanges_.empty()) ticket_.emplace(shared_.drain);
    exchanges_.push_back(exchange);
    lock.unlock();
    if (std::exchange(is_first_, false)) AnswerAlike(exchange->message, context_);
    Begin(*exchange);
    lock.lock();
  }
  Proceed(std::move(lock));
}

void InferStream::Begin(Exchange& exchange) {
  exchange.inference.emplace(shared_, client_);
  const auto deadline = DeadlineOf(context_, MonotonicTime::clock::now());
  const auto progress =
      exchange.inference->Begin(exchange.message, deadline, [this, &exchange] { shared_.sender.Post(exchange); });
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
  exchange.inference->End(status);
  if (!status.ok()) {
    inference::ModelStreamInferResponse error;
    error.set_error_message(ToGrpc(status).error_message());
    error.mutable_infer_response()->set_id(exchange.inference->request().id());
    (*error.mutable_infer_response()->mutable_parameters())["triton_final_response"].set_bool_param(true);
    (void)SerializeMessage(error, exchange.answer); // a text cannot be too long
  }
  std::unique_lock lock(mutex_);
  exchange.is_done = true;
  Proceed(std::move(lock));
}

void InferStream::OnWriteDone(bool) {
  std::unique_lock lock(mutex_);
  is_writing_ = false;
  shared_.answers.End(answering_);
  exchanges_.pop_front();
  if (exchanges_.empty()) ticket_.reset();
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

grpc::Status InferStream::End() const {
  if (is_cancelled_) return grpc::Status::CANCELLED;
  if (is_read_out_) return grpc::Status::OK;
  return {grpc::StatusCode::UNAVAILABLE, "the server is stopping; retry"};
}

/// Starts whatever can go on: the next write, the next read, the end.
void InferStream::Proceed(std::unique_lock<std::mutex> lock) {
  if (is_finished_) return;
  // Answers go out in the order of the requests, so the oldest decides, however many others are done.
  const bool writes = !is_writing_ && !exchanges_.empty() && exchanges_.front()->is_done;
  // kMaxPending bounds what a client can make the stream hold: beyond it nothing is read, and TCP slows the client.
  const bool reads = !is_read_out_ && !is_draining_ && !next_ && exchanges_.size() < kMaxPending;
  const bool finishes = (is_read_out_ || is_draining_) && exchanges_.empty();
  const grpc::Status end = End();

  is_writing_ = is_writing_ || writes;
  is_finished_ = finishes;
  // All state is settled before the lock is released: gRPC may call back at once, on another thread.
  if (reads) next_ = std::make_shared<Exchange>(*this);
  const auto* answer = writes ? &exchanges_.front()->answer : nullptr;
  auto* message = reads ? &next_->message : nullptr;
  if (writes) answering_ = shared_.answers.Begin(context_, exchanges_.front()->answer.Length());

  // Nothing of this object may be touched after Finish: it may be gone.
  lock.unlock();
  if (writes) StartWrite(answer);
  if (reads) StartRead(message);
  if (finishes) Finish(end);
}

} // namespace avocet
