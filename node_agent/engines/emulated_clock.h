#pragma once

#include <cstddef>
#include <cstdint>
#include <map>

#include "messages/units.h"

namespace avocet {

// The arithmetic of emulated devices: pure, time is passed in, not thread-safe.
//
// Both clocks take `ready_at` (when the work could have begun) beside `now` (when the executor's
// thread got to say so). Work begins at `ready_at`, so that a thread that woke late does not slow the
// modelled device; the credit is bounded, so that a wrong ready_at cannot run far ahead.

/// How far before `now` work may begin.
inline constexpr Duration kMaxLatenessCredit = std::chrono::milliseconds(100);

/// A device that serves one piece of work after the other, in the order of the calls.
class FifoDeviceClock {
public:
  /// Begins `work` when it is ready and all earlier work is done; returns the moment it finishes,
  /// which may have passed already.
  MonotonicTime Begin(MonotonicTime ready_at, MonotonicTime now, Duration work);
  /// Gives up, at `now`, the work that would have finished at `finish`; frees the device if it was the last.
  void Abandon(MonotonicTime finish, MonotonicTime now);

private:
  MonotonicTime free_at_{};
};

/// A device shared equally by all jobs present (egalitarian processor sharing): with n jobs each
/// progresses at rate 1/n. Exact for any order of calls in which nobody was late. A late Begin is
/// applied as of its ready_at: jobs still present are slowed for that time, too, but the end of a
/// job that was already reported stays as reported.
class SharedDeviceClock {
public:
  using Job = uint64_t;

  Job Begin(MonotonicTime ready_at, MonotonicTime now, Duration work);
  /// When the job finishes, or finished, given the jobs known now. Others' later arrivals only delay
  /// it, abandoned jobs bring it forward. Requires that the job has begun and not ended.
  MonotonicTime FinishOf(Job job) const;
  /// Reports the job's end: at FinishOf(job), or abandoned at `now` if that comes first. Returns the moment.
  MonotonicTime End(Job job, MonotonicTime now);
  /// Jobs begun and not ended.
  size_t jobs() const { return jobs_; }

private:
  struct Event {
    enum class Kind { kBegin, kEnd } kind;
    Job job;
    double work_ns; ///< of a kBegin
  };
  struct State {
    MonotonicTime at{};
    std::map<Job, double> remaining_ns;    ///< in service
    std::map<Job, MonotonicTime> finished; ///< done, end not yet reported
    void Advance(MonotonicTime to);
    void Apply(const Event& event);
  };

  State Current() const;
  void Forget(MonotonicTime horizon);

  State base_;                                 ///< at the horizon, before which nothing can change
  std::multimap<MonotonicTime, Event> events_; ///< since then, in order; few: the horizon is near
  Job next_job_ = 1;
  size_t jobs_ = 0;
};

} // namespace avocet
