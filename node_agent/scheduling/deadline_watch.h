#pragma once

#include <condition_variable>
#include <map>
#include <mutex>
#include <stop_token>
#include <thread>

#include "messages/units.h"

namespace avocet {

/// Requests a stop when a deadline passes. One thread, asleep until the nearest deadline; watching
/// costs no wake-up unless the new deadline is nearer than all others. Thread-safe.
class DeadlineWatch {
public:
  DeadlineWatch();
  ~DeadlineWatch();
  DeadlineWatch(const DeadlineWatch&) = delete;
  DeadlineWatch& operator=(const DeadlineWatch&) = delete;

  /// A watched deadline; ends when destroyed (the stop may then still be on its way).
  class Watch {
  public:
    Watch(DeadlineWatch& owner, MonotonicTime deadline, std::stop_source source);
    ~Watch();
    Watch(const Watch&) = delete;
    Watch& operator=(const Watch&) = delete;

  private:
    friend class DeadlineWatch;
    DeadlineWatch& owner_;
    const MonotonicTime deadline_;
    std::stop_source source_;
  };

private:
  void Add(Watch& watch);
  void Remove(const Watch& watch);
  void Loop();

  std::mutex mutex_;
  std::condition_variable changed_;
  std::multimap<MonotonicTime, Watch*> watches_;
  MonotonicTime awake_at_ = MonotonicTime::max(); ///< when the thread will look again by itself
  bool stopping_ = false;
  std::thread thread_; // last: it uses the others
};

} // namespace avocet
