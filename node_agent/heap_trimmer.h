#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <thread>

#include "messages/units.h"

namespace avocet {

/// Decides when it is worth giving freed memory back to the system, which takes milliseconds, in which others wait for
/// the heap. No clock, no heap.
class TrimPolicy {
public:
  /// `resident`: bytes of the process; `free`: bytes of its heap that nobody uses, given back already or not.
  bool IsWorthIt(uint64_t resident, uint64_t free);
  void Trimmed(uint64_t resident_now) { least_ = resident_now; }

private:
  uint64_t least_ = UINT64_MAX; ///< resident bytes, at the end of the last trim or lower since
};

/// Gives memory back after a burst of large messages. The C library keeps what was freed behind anything that is still
/// in use; gRPC takes its buffers from there, each of its threads from a heap of its own. Looks every few seconds.
class HeapTrimmer {
public:
  explicit HeapTrimmer(Duration every = std::chrono::seconds(2));
  ~HeapTrimmer();
  HeapTrimmer(const HeapTrimmer&) = delete;
  HeapTrimmer& operator=(const HeapTrimmer&) = delete;

private:
  void Loop();

  const Duration every_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool is_stopping_ = false;
  std::thread thread_; // last: it uses the others
};

} // namespace avocet
