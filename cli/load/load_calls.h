#pragma once

#include <condition_variable>
#include <deque>
#include <mutex>
#include <vector>

#include "cli/load/load_report.h"
#include "cli/load/load_transport.h"

namespace avocet {

/// The requests in flight of a run, and what came of the others. Thread-safe: shared by the thread
/// that sends, the one that hears the answers, and the one that watches. Times are since the start.
class LoadCalls {
public:
  LoadCalls(const LoadPlan& plan, uint64_t max_outstanding);

  /// A call for a request that is due; nullptr (and counted) when too many of its target are
  /// outstanding, nullptr once the run is closed or has sent kMaxLoadRequests. Valid until End().
  LoadCall* Begin(const ScheduledRequest& due);
  void End(LoadCall& call, LoadAnswer answer, MonotonicTime start, MonotonicTime now);

  /// No more calls: Begin() gives none.
  void Close();
  bool WaitUntilAllEnded(MonotonicTime until);
  /// What is still in flight stays unanswered in the report, even when it ends.
  void Abandon();

  std::vector<AppLoadProgress> Progress(Duration elapsed);
  std::vector<AppLoadReport> Reports(Duration elapsed) const;

private:
  void Roll(Duration elapsed);

  const uint64_t max_outstanding_;
  mutable std::mutex mutex_;
  std::condition_variable all_ended_;
  std::vector<LoadRecorder> recorders_;
  std::deque<LoadCall> calls_;    ///< all that ever were needed at once
  std::vector<LoadCall*> unused_; ///< of them
  uint64_t begun_ = 0;
  bool closed_ = false;
  bool abandoned_ = false;

  Duration rolled_at_{};                ///< when `latest_` was taken
  std::vector<AppLoadProgress> latest_; ///< only the figures of the latest second
};

} // namespace avocet
