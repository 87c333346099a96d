#include "node_agent/engines/emulated_clock.h"

#include <algorithm>
#include <map>
#include <optional>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace avocet {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

MonotonicTime At(Duration since) {
  return MonotonicTime(std::chrono::hours(1)) + since;
}
MonotonicTime Ms(int64_t ms) {
  return At(milliseconds(ms));
}

TEST(FifoDeviceClock, ServesOneAfterTheOther) {
  FifoDeviceClock clock;
  EXPECT_EQ(clock.Begin(Ms(0), Ms(0), milliseconds(10)), Ms(10));
  EXPECT_EQ(clock.Begin(Ms(4), Ms(4), milliseconds(5)), Ms(15));
  EXPECT_EQ(clock.Begin(Ms(40), Ms(40), milliseconds(5)), Ms(45));
}

TEST(FifoDeviceClock, ALateThreadCostsNoDeviceTime) {
  FifoDeviceClock clock;
  MonotonicTime finish = clock.Begin(Ms(0), Ms(0), milliseconds(10));
  for (int i = 0; i < 100; ++i) // queued since the beginning; every wake-up is 3 ms late
    finish = clock.Begin(Ms(0), finish + milliseconds(3), milliseconds(10));
  EXPECT_EQ(finish, Ms(1010));
}

TEST(FifoDeviceClock, TheCreditIsBounded) {
  FifoDeviceClock clock;
  const auto now = Ms(10'000);
  EXPECT_EQ(clock.Begin(Ms(0), now, milliseconds(10)), now - kMaxLatenessCredit + milliseconds(10));
  EXPECT_EQ(FifoDeviceClock().Begin(Ms(20'000), now, milliseconds(10)), now + milliseconds(10));
}

TEST(FifoDeviceClock, AbandonedWorkFreesTheDevice) {
  FifoDeviceClock clock;
  const auto finish = clock.Begin(Ms(0), Ms(0), milliseconds(1000));
  clock.Abandon(finish, Ms(10));
  EXPECT_EQ(clock.Begin(Ms(20), Ms(20), milliseconds(5)), Ms(25));
}

TEST(SharedDeviceClock, AJobAloneTakesItsWork) {
  SharedDeviceClock clock;
  const auto job = clock.Begin(Ms(0), Ms(0), milliseconds(10));
  EXPECT_EQ(clock.FinishOf(job), Ms(10));
  EXPECT_EQ(clock.End(job, Ms(11)), Ms(10));
  EXPECT_EQ(clock.jobs(), 0u);
}

TEST(SharedDeviceClock, SharesEquallyAmongThosePresent) {
  SharedDeviceClock clock;
  const auto a = clock.Begin(Ms(0), Ms(0), milliseconds(10));
  const auto b = clock.Begin(Ms(4), Ms(4), milliseconds(10)); // a has 6 left
  EXPECT_EQ(clock.FinishOf(a), Ms(16));
  EXPECT_EQ(clock.End(a, Ms(16)), Ms(16)); // b has 4 left, alone
  EXPECT_EQ(clock.FinishOf(b), Ms(20));
}

TEST(SharedDeviceClock, JobsOfEqualWorkFinishTogether) {
  SharedDeviceClock clock;
  std::vector<SharedDeviceClock::Job> jobs(3);
  for (auto& job : jobs)
    job = clock.Begin(Ms(0), Ms(0), milliseconds(7));
  for (const auto job : jobs)
    EXPECT_EQ(clock.End(job, Ms(30)), Ms(21));
}

TEST(SharedDeviceClock, AnUnreportedEndDoesNotSlowTheOthers) {
  SharedDeviceClock clock;
  const auto a = clock.Begin(Ms(0), Ms(0), milliseconds(2));
  const auto b = clock.Begin(Ms(0), Ms(0), milliseconds(10));
  EXPECT_EQ(clock.FinishOf(b), Ms(12));
  EXPECT_EQ(clock.End(b, Ms(12)), Ms(12));
  EXPECT_EQ(clock.End(a, Ms(50)), Ms(4));
}

TEST(SharedDeviceClock, ALateBeginCountsFromWhenItWasReady) {
  SharedDeviceClock clock;
  const auto a = clock.Begin(Ms(0), Ms(0), milliseconds(10));
  EXPECT_EQ(clock.FinishOf(a), Ms(10));
  const auto b = clock.Begin(Ms(4), Ms(9), milliseconds(10)); // said so 5 ms late
  EXPECT_EQ(clock.FinishOf(a), Ms(16));
  EXPECT_EQ(clock.FinishOf(b), Ms(20));
}

TEST(SharedDeviceClock, AReportedEndStays) {
  SharedDeviceClock clock;
  const auto a = clock.Begin(Ms(0), Ms(0), milliseconds(10));
  EXPECT_EQ(clock.End(a, Ms(10)), Ms(10));
  const auto b = clock.Begin(Ms(8), Ms(11), milliseconds(10)); // shared with a for [8, 10)
  EXPECT_EQ(clock.FinishOf(b), Ms(19));
}

TEST(SharedDeviceClock, TheCreditIsBounded) {
  SharedDeviceClock clock;
  const auto now = Ms(10'000);
  const auto job = clock.Begin(Ms(0), now, milliseconds(1));
  EXPECT_EQ(clock.FinishOf(job), now - kMaxLatenessCredit + milliseconds(1));
}

TEST(SharedDeviceClock, AnAbandonedJobBringsTheOthersForward) {
  SharedDeviceClock clock;
  const auto a = clock.Begin(Ms(0), Ms(0), std::chrono::minutes(10));
  const auto b = clock.Begin(Ms(0), Ms(0), milliseconds(10));
  EXPECT_EQ(clock.FinishOf(b), Ms(20));
  EXPECT_EQ(clock.End(a, Ms(6)), Ms(6));
  EXPECT_EQ(clock.FinishOf(b), Ms(13));
}

struct Span {
  MonotonicTime begin;
  MonotonicTime end;
  Duration work;
};

/// Work that a job present over [begin, end) of `spans[i]` gets when the device is shared equally.
double AttainedNs(const std::vector<Span>& spans, size_t i) {
  std::vector<MonotonicTime> edges;
  for (const Span& span : spans)
    edges.insert(edges.end(), {span.begin, span.end});
  std::sort(edges.begin(), edges.end());
  double attained = 0;
  for (size_t e = 0; e + 1 < edges.size(); ++e) {
    if (edges[e] < spans[i].begin || edges[e] >= spans[i].end) continue;
    const auto present = std::count_if(spans.begin(), spans.end(),
                                       [&](const Span& span) { return span.begin <= edges[e] && edges[e] < span.end; });
    attained += static_cast<double>((edges[e + 1] - edges[e]).count()) / static_cast<double>(present);
  }
  return attained;
}

struct Arrival {
  MonotonicTime at;
  Duration work;
  Duration report_delay; ///< of the job's end
};

std::vector<Arrival> SomeArrivals() {
  const auto gaps = *rc::gen::resize(30, rc::gen::container<std::vector<int>>(rc::gen::inRange(0, 4000)));
  std::vector<Arrival> arrivals;
  arrivals.reserve(gaps.size());
  MonotonicTime at = Ms(0);
  for (const int gap : gaps)
    arrivals.push_back(
        {at += microseconds(gap), microseconds(*rc::gen::inRange(1, 9000)), microseconds(*rc::gen::inRange(0, 5000))});
  return arrivals;
}

/// Feeds the clock in the order in which threads would: ends are reported some time after they are due.
std::vector<Span> Play(const std::vector<Arrival>& arrivals) {
  SharedDeviceClock clock;
  std::vector<Span> spans;
  std::map<SharedDeviceClock::Job, size_t> active;
  const auto end_until = [&](std::optional<MonotonicTime> until) {
    for (;;) {
      std::optional<std::pair<MonotonicTime, SharedDeviceClock::Job>> next;
      for (const auto& [job, index] : active) {
        const MonotonicTime report = clock.FinishOf(job) + arrivals[index].report_delay;
        if ((!until || report <= *until) && (!next || report < next->first)) next = {report, job};
      }
      if (!next) return;
      spans[active.at(next->second)].end = clock.End(next->second, next->first);
      active.erase(next->second);
    }
  };
  for (const Arrival& arrival : arrivals) {
    end_until(arrival.at);
    active[clock.Begin(arrival.at, arrival.at, arrival.work)] = spans.size();
    spans.push_back({arrival.at, {}, arrival.work});
  }
  end_until(std::nullopt);
  return spans;
}

RC_GTEST_PROP(SharedDeviceClock, EveryJobAttainsItsWorkByEqualShares, ()) {
  const auto spans = Play(SomeArrivals());
  const double rounding_ns = 2.0 * static_cast<double>(spans.size() + 1);
  for (size_t i = 0; i < spans.size(); ++i)
    RC_ASSERT(std::abs(AttainedNs(spans, i) - static_cast<double>(spans[i].work.count())) <= rounding_ns);
}

RC_GTEST_PROP(SharedDeviceClock, WorkIsConserved, ()) {
  auto spans = Play(SomeArrivals());
  std::sort(spans.begin(), spans.end(), [](const Span& a, const Span& b) { return a.begin < b.begin; });
  MonotonicTime busy_until{}; // of a device that is never idle while there is work, whatever the sharing
  MonotonicTime last_end{};
  for (const Span& span : spans) {
    busy_until = std::max(busy_until, span.begin) + span.work;
    last_end = std::max(last_end, span.end);
  }
  RC_ASSERT(std::abs((busy_until - last_end).count()) <= static_cast<int64_t>(spans.size()));
}

/// Workers that always have a next job and whose threads wake late: the device must neither drift
/// behind (lateness lost) nor run ahead (credit given twice).
RC_GTEST_PROP(SharedDeviceClock, LateThreadsNeitherSlowNorSpeedTheDevice, ()) {
  struct Worker {
    SharedDeviceClock::Job job;
    Duration lateness;
  };
  const int workers = *rc::gen::inRange(1, 5);
  const auto draw_work = [] { return microseconds(*rc::gen::inRange(5000, 15000)); };
  const auto draw_lateness = [] { return microseconds(*rc::gen::inRange(0, 500)); };
  SharedDeviceClock clock;
  std::vector<Worker> all;
  Duration begun{};
  for (int i = 0; i < workers; ++i) {
    const Duration work = draw_work();
    begun += work;
    all.push_back({clock.Begin(Ms(0), Ms(0), work), draw_lateness()});
  }
  for (int i = 0; i < 200; ++i) {
    const auto wakes = [&](const Worker& w) { return clock.FinishOf(w.job) + w.lateness; };
    const auto next =
        std::min_element(all.begin(), all.end(), [&](const Worker& a, const Worker& b) { return wakes(a) < wakes(b); });
    const MonotonicTime now = wakes(*next);
    const MonotonicTime finish = clock.End(next->job, now);
    const Duration work = draw_work();
    begun += work;
    *next = {clock.Begin(finish, now, work), draw_lateness()};
  }
  MonotonicTime last{};
  for (const Worker& worker : all)
    last = std::max(last, clock.FinishOf(worker.job));
  const double speed = ToSeconds(begun) / ToSeconds(last - Ms(0));
  RC_ASSERT(speed > 0.99999);
  RC_ASSERT(speed < 1.01);
}

} // namespace
} // namespace avocet
