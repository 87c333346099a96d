#include "node_agent/grpc/call_drain.h"

namespace avocet {

void CallDrain::Add(const std::shared_ptr<DrainableCall>& call) {
  {
    const std::lock_guard lock(mutex_);
    if (!is_draining_) {
      calls_.push_back(call);
      // Those that are over are dropped when the list has doubled.
      if (calls_.size() < forget_at_) return;
      std::erase_if(calls_, [](const auto& one) { return one.expired(); });
      forget_at_ = 2 * calls_.size() + 16;
      return;
    }
  }
  call->Drain();
}

bool CallDrain::Drain(Duration limit) {
  std::vector<std::weak_ptr<DrainableCall>> calls;
  {
    const std::lock_guard lock(mutex_);
    is_draining_ = true;
    calls.swap(calls_);
  }

  // Without the lock, as a call may end at once.
  for (const auto& one : calls) {
    if (const auto call = one.lock()) call->Drain();
  }
  std::unique_lock lock(mutex_);
  return ended_.wait_for(lock, limit, [this] { return open_ == 0; });
}

void CallDrain::Ended() {
  if (--open_ > 0 || !is_draining_) return;
  const std::lock_guard lock(mutex_);
  ended_.notify_all();
}

} // namespace avocet
