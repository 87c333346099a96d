#pragma once

#include <grpcpp/grpcpp.h>

#include <condition_variable>
#include <cstdint>
#include <list>
#include <mutex>
#include <thread>

#include "messages/units.h"

namespace avocet {

struct AnswerWatchOptions {
  Duration grace = std::chrono::seconds(10);   ///< for any answer
  uint64_t least_rate = 32 * 1024;             ///< bytes per second, beyond the grace
  Duration longest = std::chrono::seconds(60); ///< for the largest answer
};

/// How long a client may take to take an answer of so many bytes.
Duration TimeFor(uint64_t bytes, const AnswerWatchOptions& options);

/// Cancels calls whose clients do not take their answers in time: what waits for them holds memory. gRPC tells no
/// progress, so each answer has a deadline that follows from its size. Looks once a second. Thread-safe.
class AnswerWatch {
public:
  explicit AnswerWatch(const AnswerWatchOptions& options);
  ~AnswerWatch();
  AnswerWatch(const AnswerWatch&) = delete;
  AnswerWatch& operator=(const AnswerWatch&) = delete;

  struct Entry {
    grpc_call* call;
    MonotonicTime deadline;
  };
  using Token = std::list<Entry>::iterator;

  /// The answer is about to be handed to gRPC. The call must live until End.
  Token Begin(const grpc::CallbackServerContext& context, uint64_t bytes);
  /// The answer was taken, or the call ended.
  void End(Token token);
  uint64_t cancelled() const;

private:
  void Loop();
  void CancelLate(std::unique_lock<std::mutex>& lock);

  const AnswerWatchOptions options_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::list<Entry> entries_;
  uint64_t cancelled_ = 0;
  bool is_asleep_ = false; ///< until there is an entry
  bool is_stopping_ = false;
  std::thread thread_; // last: it uses the others
};

} // namespace avocet
