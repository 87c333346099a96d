#pragma once

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

namespace avocet {

/// A reply that waits to be encoded and handed to the transport.
class Reply {
public:
  virtual ~Reply() = default;
  virtual void Send() = 0;
};

/// One thread that sends replies in their order, so that executors get back to their device at once:
/// encoding and writing costs 50 us of CPU for 4 KiB and 500 us for 600 KiB, which would be service
/// time that no model knows of. Thread-safe.
class ReplySender {
public:
  static constexpr size_t kMaxWaiting = 64;

  ReplySender();
  /// Sends what is left.
  ~ReplySender();
  ReplySender(const ReplySender&) = delete;
  ReplySender& operator=(const ReplySender&) = delete;

  /// Has the reply sent by the thread; by the caller itself when kMaxWaiting others wait already, so
  /// executors slow down to what the transport takes. The reply must live until its Send returns.
  void Post(Reply& reply);

private:
  bool TryQueue(Reply& reply);
  void Loop();

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Reply*> waiting_;
  bool stopping_ = false;
  std::thread thread_; // last: it uses the others
};

} // namespace avocet
