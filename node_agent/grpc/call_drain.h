#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>
#include <vector>

#include "messages/units.h"

namespace avocet {

/// A call that goes on for as long as its client likes, unless it is told to end.
class DrainableCall {
public:
  virtual ~DrainableCall() = default;
  /// Reads nothing more, answers what is in hand, ends. From any thread, also when the call is over.
  virtual void Drain() = 0;
};

/// The calls that a server has in hand, so that it can stop as soon as there are none. Thread-safe.
class CallDrain {
public:
  /// One call in hand, from its begin to its end.
  class Ticket {
  public:
    explicit Ticket(CallDrain& drain) : drain_(drain) { ++drain_.open_; }
    ~Ticket() { drain_.Ended(); }
    Ticket(const Ticket&) = delete;
    Ticket& operator=(const Ticket&) = delete;

  private:
    CallDrain& drain_;
  };

  bool is_draining() const { return is_draining_; }
  /// To be told when the server drains; at once when it does already.
  void Add(const std::shared_ptr<DrainableCall>& call);
  /// Tells all calls to end, and waits until none is left: at most `limit`. True when none is.
  bool Drain(Duration limit);

private:
  void Ended();

  std::atomic<bool> is_draining_ = false;
  std::atomic<size_t> open_ = 0;
  std::mutex mutex_;
  std::condition_variable ended_;
  std::vector<std::weak_ptr<DrainableCall>> calls_;
  size_t forget_at_ = 16; ///< calls
};

} // namespace avocet
