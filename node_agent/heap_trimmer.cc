#include "node_agent/heap_trimmer.h"

#include <malloc.h>
#include <pthread.h>

#include <algorithm>

#include "node_agent/engines/process_usage.h"

namespace avocet {

bool TrimPolicy::IsWorthIt(uint64_t resident, uint64_t free) {
  constexpr uint64_t kLeast = 64 * kMiB; // below that the next burst would only have to take it again
  least_ = std::min(least_, resident);
  return free >= kLeast && resident >= least_ + kLeast;
}

HeapTrimmer::HeapTrimmer(Duration every) : every_(every), thread_([this] { Loop(); }) {
  pthread_setname_np(thread_.native_handle(), "av-trim");
}

HeapTrimmer::~HeapTrimmer() {
  {
    const std::lock_guard lock(mutex_);
    is_stopping_ = true;
  }
  changed_.notify_one();
  thread_.join();
}

void HeapTrimmer::Loop() {
  TrimPolicy policy;
  std::unique_lock lock(mutex_);
  while (!changed_.wait_for(lock, every_, [this] { return is_stopping_; })) {
    if (!policy.IsWorthIt(ResidentBytes(), mallinfo2().fordblks)) continue;
    ReturnFreedMemory();
    policy.Trimmed(ResidentBytes());
  }
}

} // namespace avocet
