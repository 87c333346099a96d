#include "node_agent/engines/emulated_clock.h"
#include "messages/invariant.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace avocet {
namespace {

constexpr double kDoneNs = 1e-3; // rounding residue of jobs that finish together

Duration Nanos(double ns) {
  return Duration(static_cast<int64_t>(std::llround(ns)));
}

} // namespace

MonotonicTime FifoDeviceClock::Begin(MonotonicTime ready_at, MonotonicTime now, Duration work) {
  const MonotonicTime start = std::clamp(ready_at, now - kMaxLatenessCredit, now);
  free_at_ = std::max(start, free_at_) + work;
  return free_at_;
}

void FifoDeviceClock::Abandon(MonotonicTime finish, MonotonicTime now) {
  if (free_at_ == finish) free_at_ = std::min(finish, now);
}

void SharedDeviceClock::State::Advance(MonotonicTime to) {
  while (!remaining_ns.empty()) {
    // Processor sharing: each of n jobs gets 1/n of the device, so the one with the least left ends first.
    const auto n = static_cast<double>(remaining_ns.size());
    const auto least = std::min_element(remaining_ns.begin(), remaining_ns.end(),
                                        [](const auto& a, const auto& b) { return a.second < b.second; });
    const double least_ns = least->second;

    // 4e18 ns is below the range of Duration: a job of centuries must not overflow into the past.
    const MonotonicTime next_finish = at + Nanos(std::min(least_ns * n, 4e18));
    const double progress_ns = next_finish <= to ? least_ns : static_cast<double>((to - at).count()) / n;
    for (auto& [job, left_ns] : remaining_ns)
      left_ns -= progress_ns;

    if (next_finish > to) break;
    at = next_finish;

    // All within kDoneNs, not the first alone: jobs that end together must not see each other's rounding residue.
    std::erase_if(remaining_ns, [this](const auto& entry) {
      const bool done = entry.second <= kDoneNs;
      if (done) finished.emplace(entry.first, at);
      return done;
    });
  }
  at = std::max(at, to);
}

void SharedDeviceClock::State::Apply(const Event& event) {
  switch (event.kind) {
  case Event::Kind::kBegin:
    remaining_ns.emplace(event.job, event.work_ns);
    return;
  case Event::Kind::kEnd:
    remaining_ns.erase(event.job);
    finished.erase(event.job);
    return;
  }
}

SharedDeviceClock::Job SharedDeviceClock::Begin(MonotonicTime ready_at, MonotonicTime now, Duration work) {
  Forget(now - kMaxLatenessCredit);
  const MonotonicTime start = std::max(base_.at, std::min(ready_at, now));
  const Job job = next_job_++;
  events_.emplace(start, Event{Event::Kind::kBegin, job, static_cast<double>(work.count())});
  ++jobs_;
  return job;
}

MonotonicTime SharedDeviceClock::FinishOf(Job job) const {
  State state = Current();
  while (state.remaining_ns.contains(job)) {
    const double left_ns = state.remaining_ns.at(job);
    // All present ones finish after at most n * (their least remaining work); step to this job's bound.
    state.Advance(state.at + Nanos(std::min(left_ns * static_cast<double>(state.remaining_ns.size()), 4e18)) +
                  Duration(1));
  }
  AVOCET_CHECK(state.finished.contains(job));
  return state.finished.at(job);
}

MonotonicTime SharedDeviceClock::End(Job job, MonotonicTime now) {
  const MonotonicTime end = std::min(FinishOf(job), now);
  events_.emplace(std::max(end, base_.at), Event{Event::Kind::kEnd, job, 0});
  --jobs_;
  return end;
}

SharedDeviceClock::State SharedDeviceClock::Current() const {
  State state = base_;
  for (const auto& [at, event] : events_) {
    state.Advance(at);
    state.Apply(event);
  }
  return state;
}

void SharedDeviceClock::Forget(MonotonicTime horizon) {
  while (!events_.empty() && events_.begin()->first <= horizon) {
    base_.Advance(events_.begin()->first);
    base_.Apply(events_.begin()->second);
    events_.erase(events_.begin());
  }
  base_.Advance(horizon);
}

} // namespace avocet
