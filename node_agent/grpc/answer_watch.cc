#include "node_agent/grpc/answer_watch.h"

#include <grpc/grpc.h>
#include <pthread.h>

#include <algorithm>
#include <vector>

namespace avocet {
namespace {

constexpr Duration kTick = std::chrono::seconds(1);

} // namespace

Duration TimeFor(uint64_t bytes, const AnswerWatchOptions& options) {
  const auto at_rate = FromSeconds(static_cast<double>(bytes) / static_cast<double>(options.least_rate));
  return std::min(options.longest, options.grace + at_rate);
}

AnswerWatch::AnswerWatch(const AnswerWatchOptions& options) : options_(options), thread_([this] { Loop(); }) {
  pthread_setname_np(thread_.native_handle(), "av-answers");
}

AnswerWatch::~AnswerWatch() {
  {
    const std::lock_guard lock(mutex_);
    is_stopping_ = true;
  }
  changed_.notify_one();
  thread_.join();
}

AnswerWatch::Token AnswerWatch::Begin(const grpc::CallbackServerContext& context, uint64_t bytes) {
  const MonotonicTime deadline = MonotonicTime::clock::now() + TimeFor(bytes, options_);
  std::list<Entry> made{{const_cast<grpc::CallbackServerContext&>(context).c_call(), deadline}};
  const std::lock_guard lock(mutex_);
  entries_.splice(entries_.end(), made);
  // Only the first of a second wakes the thread: waking costs more than all the rest.
  if (std::exchange(is_asleep_, false)) changed_.notify_one();
  return std::prev(entries_.end());
}

void AnswerWatch::End(Token token) {
  std::list<Entry> freed; // outside the lock
  const std::lock_guard lock(mutex_);
  freed.splice(freed.end(), entries_, token);
}

uint64_t AnswerWatch::cancelled() const {
  const std::lock_guard lock(mutex_);
  return cancelled_;
}

void AnswerWatch::Loop() {
  std::unique_lock lock(mutex_);
  while (!is_stopping_) {
    is_asleep_ = entries_.empty();
    if (is_asleep_)
      changed_.wait(lock, [this] { return is_stopping_ || !is_asleep_; });
    else
      changed_.wait_for(lock, kTick, [this] { return is_stopping_; });
    CancelLate(lock);
  }
}

void AnswerWatch::CancelLate(std::unique_lock<std::mutex>& lock) {
  const MonotonicTime now = MonotonicTime::clock::now();
  std::vector<grpc_call*> late;
  for (Entry& entry : entries_) {
    if (now < entry.deadline) continue;
    entry.deadline = MonotonicTime::max(); // once is enough
    grpc_call_ref(entry.call);
    late.push_back(entry.call);
  }
  cancelled_ += late.size();

  // Without the lock: gRPC may call back at once, on this thread, and that ends the entry.
  lock.unlock();
  for (grpc_call* call : late) {
    grpc_call_cancel_with_status(call, GRPC_STATUS_UNAVAILABLE, "the answer was not taken in time", nullptr);
    grpc_call_unref(call);
  }
  lock.lock();
}

} // namespace avocet
