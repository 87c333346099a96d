#include "controller/queueing/rolling_totals.h"

#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "messages/codec/codec.h"

namespace avocet {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

const DeviceId kDevice{"n1/gpu0"};
const AppId kApp{"cam"};
const WallTime kStart{hours(500'000)}; // the start of a minute

AppWindow WindowOf(const AppId& app, uint64_t requests) {
  AppWindow window{.app = app, .model = ModelId("pose:1"), .arrivals = requests, .completions = requests};
  for (uint64_t i = 0; i < requests; ++i) {
    window.response.Add(0.005);
    window.response_sketch.Add(milliseconds(5));
  }
  return window;
}

MeasurementWindow Window(uint64_t requests, const AppId& app = kApp) {
  return {.device = kDevice,
          .boot = BootId("b"),
          .sequence = 1,
          .length = milliseconds(200),
          .busy = {},
          .apps = {WindowOf(app, requests)}};
}

/// Completions of the last 1, 5, 60 minutes and in all.
std::vector<uint64_t> Counts(const RollingTotals& totals, WallTime now, const AppId& app = kApp) {
  const auto all = totals.Describe(now);
  const auto found = all.find(app);
  if (found == all.end()) return {};
  const AppMeasured& m = found->second;
  return {m.recent.minute.completions, m.recent.five_minutes.completions, m.recent.hour.completions,
          m.total.completions};
}

/// The records on a disk: the last one written under each id.
class Disk {
public:
  void Write(const std::vector<TotalsSlot>& records) {
    for (const TotalsSlot& record : records) {
      ASSERT_TRUE(Validate(record).ok()) << Validate(record).ToString();
      records_[SlotId(record)] = Encode(record);
      bytes_ += Encode(record).size();
    }
  }
  RollingTotals Load() const {
    std::vector<TotalsSlot> all;
    for (const auto& [id, bytes] : records_)
      all.push_back(*Decode<TotalsSlot>(bytes));
    return RollingTotals(kDevice, std::move(all));
  }
  size_t records() const { return records_.size(); }
  size_t TakeBytes() { return std::exchange(bytes_, 0); }

private:
  std::map<std::string, std::string> records_;
  size_t bytes_ = 0;
};

struct Step {
  Duration at; ///< of the window, since kStart
  uint64_t requests = 1;
};

struct Case {
  std::string name;
  std::vector<Step> steps;
  Duration now; ///< when it is looked at
  std::vector<uint64_t> counts;
};

const std::vector<Case>& Cases() {
  static const std::vector<Case> kCases = {
      {"one window", {{seconds(0), 3}}, seconds(1), {3, 3, 3, 3}},
      {"two in one slot", {{seconds(0)}, {seconds(4), 2}}, seconds(4), {3, 3, 3, 3}},
      {"the next slot", {{seconds(4)}, {seconds(5), 2}}, seconds(5), {3, 3, 3, 3}},
      {"the last moment of the minute", {{seconds(0)}}, milliseconds(59'999), {1, 1, 1, 1}},
      {"a minute later", {{seconds(0)}}, seconds(60), {0, 1, 1, 1}},
      {"a minute later, going on", {{seconds(0)}, {seconds(60), 2}}, seconds(60), {2, 3, 3, 3}},
      {"at the end of five minutes", {{seconds(0)}}, milliseconds(299'999), {0, 1, 1, 1}},
      {"five minutes later", {{seconds(0)}, {seconds(300), 2}}, seconds(300), {2, 2, 3, 3}},
      {"at the end of the hour", {{seconds(0)}, {minutes(59), 2}}, minutes(59), {2, 2, 3, 3}},
      {"an hour later", {{seconds(0)}, {minutes(60), 2}}, minutes(60), {2, 2, 2, 3}},
      {"a gap of a week", {{seconds(0)}, {hours(168), 2}}, hours(168), {2, 2, 2, 3}},
      {"nothing for a week", {{seconds(0)}}, hours(168), {0, 0, 0, 1}},
      {"clock back by seconds", {{seconds(30)}, {seconds(20), 2}}, seconds(20), {3, 3, 3, 3}},
      {"clock back by seconds, ageing", {{seconds(30)}, {seconds(20), 2}}, seconds(80), {0, 3, 3, 3}},
      {"clock back by minutes", {{minutes(10)}, {seconds(0), 2}}, seconds(0), {2, 3, 3, 3}},
      {"clock back over closed minutes",
       {{minutes(9)}, {minutes(10), 2}, {minutes(11), 4}, {minutes(9), 8}, {minutes(10), 16}},
       minutes(10),
       {16, 31, 31, 31}},
      {"clock back by an hour, ageing", {{hours(2)}, {hours(1), 2}, {hours(2), 4}}, hours(2), {4, 4, 4, 7}},
      {"clock back and forth", {{seconds(61)}, {seconds(59), 2}, {seconds(61), 4}}, seconds(61), {6, 7, 7, 7}},
      {"before 1970", {{-hours(600'000)}, {-hours(500'001), 2}}, -hours(600'000), {3, 3, 3, 3}},
  };
  return kCases;
}

TEST(RollingTotals, PlacesWindowsByTime) {
  for (const Case& one : Cases()) {
    RollingTotals totals(kDevice);
    for (const Step& step : one.steps)
      totals.Add(Window(step.requests), kStart + step.at);
    EXPECT_EQ(Counts(totals, kStart + one.now), one.counts) << one.name;
  }
}

TEST(RollingTotals, AreTheSameWhenRestartedBehindEveryWindow) {
  for (const Case& one : Cases()) {
    Disk disk;
    for (const Step& step : one.steps) {
      RollingTotals totals = disk.Load();
      totals.Add(Window(step.requests), kStart + step.at);
      disk.Write(totals.TakeChanges());
    }
    EXPECT_EQ(Counts(disk.Load(), kStart + one.now), one.counts) << one.name;
  }
}

/// Whatever the clock does and wherever it is restarted: every request is in the total once, and a longer stretch never
/// holds less than a shorter one.
RC_GTEST_PROP(RollingTotals, LoseAndDoubleNothing, ()) {
  RollingTotals totals(kDevice);
  Disk disk;
  uint64_t sum = 0;
  WallTime now = kStart;
  for (size_t i = static_cast<size_t>(*rc::gen::inRange(1, 60)); i > 0; --i) {
    const int64_t jump = *rc::gen::element<int64_t>(0, 1, 5, 59, 60, 61, 300, 3600, 7200, -1, -5, -60, -61, -3600);
    now += seconds(jump);
    const auto requests = static_cast<uint64_t>(*rc::gen::inRange(0, 5));
    totals.Add(Window(requests), now);
    sum += requests;
    if (*rc::gen::arbitrary<bool>()) disk.Write(totals.TakeChanges());
    if (!totals.has_changes() && *rc::gen::arbitrary<bool>()) totals = disk.Load();
    const auto counts = Counts(totals, now);
    RC_ASSERT(counts[3] == sum);
    RC_ASSERT(counts[2] <= counts[3]);
    RC_ASSERT(counts[1] <= counts[2]);
    RC_ASSERT(counts[0] <= counts[2]);
  }
}

TEST(RollingTotals, MeasureTheTimeThatTheyCover) {
  RollingTotals totals(kDevice);
  for (int i = 0; i < 600; ++i) // two minutes, two requests each 200 ms
    totals.Add(Window(2), kStart + i * milliseconds(200));
  const AppMeasured measured = totals.Describe(kStart + seconds(120) - milliseconds(1)).at(kApp);
  EXPECT_EQ(measured.total.measured, seconds(120));
  EXPECT_EQ(measured.recent.minute.measured, seconds(60));
  EXPECT_EQ(measured.recent.minute.arrivals_per_second(), 10);
  EXPECT_EQ(measured.total.response_sketch.total(), 1200U);
  EXPECT_EQ(AppTotals().arrivals_per_second(), 0);
}

TEST(RollingTotals, WriteOnlyWhatChanged) {
  RollingTotals totals(kDevice);
  totals.Add(Window(1), kStart);
  (void)totals.TakeChanges();
  EXPECT_FALSE(totals.has_changes());
  totals.Add(Window(1), kStart + seconds(2));
  const auto slot = totals.TakeChanges();
  ASSERT_EQ(slot.size(), 1U);
  EXPECT_EQ(SlotId(slot[0]), "n1/gpu0/5s/" + std::to_string(slot[0].number % 12));
  totals.Add(Window(1), kStart + minutes(1));
  EXPECT_EQ(totals.TakeChanges().size(), 3U) << "the slot, the minute that is over, the sum";
}

TEST(RollingTotals, GiveAgainWhatWasNotWritten) {
  RollingTotals totals(kDevice);
  Disk disk;
  totals.Add(Window(1), kStart);
  totals.PutBack(totals.TakeChanges());
  EXPECT_TRUE(totals.has_changes());
  totals.Add(Window(2), kStart + seconds(1));
  disk.Write(totals.TakeChanges());
  EXPECT_EQ(Counts(disk.Load(), kStart).back(), 3U);
}

TEST(RollingTotals, KeepABoundedNumberOfRecords) {
  RollingTotals totals(kDevice);
  Disk disk;
  for (int i = 0; i < 300; ++i) {
    totals.Add(Window(1), kStart + i * seconds(25));
    disk.Write(totals.TakeChanges());
  }
  EXPECT_EQ(disk.records(), 73U);
}

TEST(RollingTotals, ForgetAnApplicationOnDiskToo) {
  RollingTotals totals(kDevice);
  Disk disk;
  const AppId other("dog");
  for (int i = 0; i < 30; ++i) {
    totals.Add(Window(1), kStart + i * seconds(10));
    totals.Add(Window(1, other), kStart + i * seconds(10));
    disk.Write(totals.TakeChanges());
  }
  totals.Forget(kApp);
  disk.Write(totals.TakeChanges());
  const RollingTotals loaded = disk.Load();
  EXPECT_TRUE(Counts(loaded, kStart + minutes(5)).empty());
  EXPECT_EQ(Counts(loaded, kStart + minutes(5), other).back(), 30U);
  totals.Forget(kApp);
  EXPECT_FALSE(totals.has_changes()) << "of an application that is not known there is nothing to write";
}

TEST(RollingTotals, CountAtMostSoManyApplications) {
  RollingTotals totals(kDevice);
  for (size_t i = 0; i < kMaxAppsPerDevice; ++i)
    totals.Add(Window(1, AppId("app-" + std::to_string(i))), kStart);
  EXPECT_EQ(totals.not_counted(), 0U);
  totals.Add(Window(1, AppId("one-more")), kStart);
  EXPECT_EQ(totals.not_counted(), 1U);
  EXPECT_EQ(totals.Describe(kStart).size(), kMaxAppsPerDevice);
  totals.Forget(AppId("app-0"));
  totals.Add(Window(1, AppId("one-more")), kStart);
  EXPECT_EQ(totals.not_counted(), 1U) << "there is room again";
}

} // namespace
} // namespace avocet
