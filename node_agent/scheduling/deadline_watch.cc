#include "node_agent/scheduling/deadline_watch.h"

#include <algorithm>
#include <utility>

namespace avocet {

DeadlineWatch::Watch::Watch(DeadlineWatch& owner, MonotonicTime deadline, std::stop_source source)
    : owner_(owner), deadline_(deadline), source_(std::move(source)) {
  owner_.Add(*this);
}

DeadlineWatch::Watch::~Watch() {
  owner_.Remove(*this);
}

DeadlineWatch::DeadlineWatch() : thread_([this] { Loop(); }) {}

DeadlineWatch::~DeadlineWatch() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_one();
  thread_.join();
}

void DeadlineWatch::Add(Watch& watch) {
  bool is_nearest = false;
  {
    const std::lock_guard lock(mutex_);
    watches_.emplace(watch.deadline_, &watch);
    is_nearest = watch.deadline_ < awake_at_;
  }
  if (is_nearest) changed_.notify_one();
}

void DeadlineWatch::Remove(const Watch& watch) {
  const std::lock_guard lock(mutex_);
  const auto [first, last] = watches_.equal_range(watch.deadline_);
  const auto it = std::find_if(first, last, [&](const auto& entry) { return entry.second == &watch; });
  if (it != last) watches_.erase(it); // the thread may have been faster
}

void DeadlineWatch::Loop() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    // `awake_at_` tells Add whether its deadline is nearer: only then it must notify.
    if (watches_.empty()) {
      awake_at_ = MonotonicTime::max();
      changed_.wait(lock);
      continue;
    }

    // Looked up anew after each wait, as the nearest watch may be gone or have become another.
    const auto nearest = watches_.begin();
    if (MonotonicTime::clock::now() < nearest->first) {
      awake_at_ = nearest->first;
      changed_.wait_until(lock, awake_at_);
      continue;
    }

    // Removed and copied under the lock: once it is released, the Watch may be destroyed.
    std::stop_source source = nearest->second->source_;
    watches_.erase(nearest);
    lock.unlock(); // the engine's stop callbacks run inside request_stop
    source.request_stop();
    lock.lock();
  }
}

} // namespace avocet
