#include "node_agent/inference/reply_sender.h"

#include <pthread.h>

namespace avocet {

ReplySender::ReplySender() : thread_([this] { Loop(); }) {
  pthread_setname_np(thread_.native_handle(), "av-replies");
}

ReplySender::~ReplySender() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_one();
  thread_.join();
}

void ReplySender::Post(Reply& reply) {
  if (TryQueue(reply))
    changed_.notify_one();
  else
    reply.Send();
}

bool ReplySender::TryQueue(Reply& reply) {
  const std::lock_guard lock(mutex_);
  if (stopping_ || waiting_.size() >= kMaxWaiting) return false;
  waiting_.push_back(&reply);
  return true;
}

void ReplySender::Loop() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
    if (waiting_.empty()) return;
    Reply& reply = *waiting_.front();
    waiting_.pop_front();
    lock.unlock();
    reply.Send();
    lock.lock();
  }
}

} // namespace avocet
