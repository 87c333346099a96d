#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "messages/status.h"
#include "messages/units.h"
#include "node_agent/scheduling/work.h"

namespace avocet {

struct ExecutorOptions {
  std::string name;       ///< of the thread, for top and gdb
  std::vector<int> cores; ///< the thread stays on these; empty: anywhere
};

/// A thread that serves work one by one in the order it was pushed. The queue has no bound: users bound what they push.
/// While nothing waits, another thread may serve a piece of work itself.
/// Thread-safe; Stop() and destruction must not come from a thread that serves work.
class Executor {
public:
  using Serve = std::function<void(Work)>;

  Executor(const ExecutorOptions& options, Serve serve);
  ~Executor();
  Executor(const Executor&) = delete;
  Executor& operator=(const Executor&) = delete;

  /// Whether the thread got its cores.
  const Status& pinned() const { return pinned_; }
  void Push(Work work);
  /// True when nothing waits or is being served: what is pushed from now on waits until the caller, who must, has
  /// called ServeHere.
  bool TryReserve();
  /// Serves the work on the calling thread, which has reserved the executor.
  void ServeHere(Work work);
  /// Takes matching work out of the queue, in order; the rest keeps its order.
  std::vector<Work> Extract(const std::function<bool(const Work&)>& matches);
  /// Ends the thread after the work in hand and returns what it left. Idempotent.
  std::vector<Work> Stop();

private:
  void Loop();
  void AwaitWork(std::unique_lock<std::mutex>& lock);
  bool is_due() const { return stopping_ || (!is_reserved_ && !queue_.empty()); }

  const Serve serve_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Work> queue_;
  std::atomic<bool> has_work_ = false; ///< work is queued or the end has come; for the look without the lock
  Duration last_idle_ = Duration::max();
  bool is_serving_ = false;  ///< the thread is
  bool is_reserved_ = false; ///< another thread is, or is about to
  bool stopping_ = false;
  Status pinned_;
  std::thread thread_; // last: it uses the others
};

} // namespace avocet
