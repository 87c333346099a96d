#include "node_agent/scheduling/meter.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace avocet {
namespace {

using std::chrono::milliseconds;

const AppId kApp{"cam"};
const ModelId kModel{"face:1"};
const MonotonicTime kStart{std::chrono::hours(1)};

MonotonicTime At(int ms) {
  return kStart + milliseconds(ms);
}

Meter MakeMeter() {
  return Meter(DeviceId("n1/gpu0"), BootId("boot1"), kStart);
}

Outcome Success(int service_ms, int response_ms, bool switched = false) {
  return Outcome{true, switched, milliseconds(service_ms), milliseconds(response_ms)};
}

TEST(Meter, NumbersWindowsFromOneWithTheirLengths) {
  Meter meter = MakeMeter();
  const auto first = meter.CloseWindow(At(200));
  const auto second = meter.CloseWindow(At(500));
  EXPECT_EQ(first.sequence, 1u);
  EXPECT_EQ(first.length, milliseconds(200));
  EXPECT_EQ(second.sequence, 2u);
  EXPECT_EQ(second.length, milliseconds(300));
  EXPECT_EQ(first.device, DeviceId("n1/gpu0"));
  EXPECT_EQ(first.boot, BootId("boot1"));
}

TEST(Meter, WindowsAreValidEvenWhenNoTimePassed) {
  Meter meter = MakeMeter();
  meter.Open(kApp, kModel);
  meter.RunBegan(At(0));
  EXPECT_TRUE(Validate(meter.CloseWindow(At(0))).ok());
  EXPECT_TRUE(Validate(meter.CloseWindow(At(0))).ok());
}

TEST(Meter, CountsEachKindOfEvent) {
  Meter meter = MakeMeter();
  meter.Open(kApp, kModel);
  for (int i = 0; i < 3; ++i)
    meter.Accepted(kApp, At(i));
  meter.Refused(kApp);
  meter.Answered(kApp, Success(1, 2));
  meter.Answered(kApp, Success(1, 2));
  meter.Answered(kApp, Outcome{});
  const auto window = meter.CloseWindow(At(200));
  ASSERT_EQ(window.apps.size(), 1u);
  EXPECT_EQ(window.apps[0].arrivals, 3u);
  EXPECT_EQ(window.apps[0].refusals, 1u);
  EXPECT_EQ(window.apps[0].completions, 2u);
  EXPECT_EQ(window.apps[0].failures, 1u);
}

TEST(Meter, InterarrivalSpansWindowsAndStartsWithTheSecondArrival) {
  Meter meter = MakeMeter();
  meter.Open(kApp, kModel);
  meter.Accepted(kApp, At(10));
  meter.Accepted(kApp, At(40));
  const auto first = meter.CloseWindow(At(100));
  meter.Accepted(kApp, At(110));
  const auto second = meter.CloseWindow(At(200));
  EXPECT_EQ(first.apps[0].interarrival.count, 1u);
  EXPECT_DOUBLE_EQ(first.apps[0].interarrival.sum, 0.030);
  EXPECT_EQ(second.apps[0].interarrival.count, 1u);
  EXPECT_DOUBLE_EQ(second.apps[0].interarrival.sum, 0.070);
}

TEST(Meter, ArrivalsOutOfOrderAreNeverNegative) {
  Meter meter = MakeMeter();
  meter.Open(kApp, kModel);
  for (const int ms : {10, 8, 20})
    meter.Accepted(kApp, At(ms));
  const auto window = meter.CloseWindow(At(100));
  EXPECT_EQ(window.apps[0].interarrival.count, 2u);
  EXPECT_DOUBLE_EQ(window.apps[0].interarrival.sum, 0.010);
}

TEST(Meter, CountsWhatExpiredAmongFailuresAndRefusals) {
  Meter meter = MakeMeter();
  meter.Open(kApp, kModel);
  meter.Refused(kApp);
  meter.Refused(kApp, true);
  meter.Answered(kApp, {.ok = false});
  meter.Answered(kApp, {.ok = false, .expired = true});
  meter.Answered(kApp, Success(4, 5));
  const AppWindow app = meter.CloseWindow(At(200)).apps.at(0);
  EXPECT_EQ(app.refusals, 2u);
  EXPECT_EQ(app.failures, 2u);
  EXPECT_EQ(app.expired, 2u);
  EXPECT_EQ(meter.CloseWindow(At(400)).apps.at(0).expired, 0u);
}

TEST(Meter, SplitsServiceBySwitchAndLeavesFailuresOut) {
  Meter meter = MakeMeter();
  meter.Open(kApp, kModel);
  meter.Answered(kApp, Success(4, 5));
  meter.Answered(kApp, Success(6, 7));
  meter.Answered(kApp, Success(10, 11, true));
  meter.Answered(kApp, Outcome{false, false, milliseconds(99), milliseconds(99)});
  const AppWindow app = meter.CloseWindow(At(200)).apps.at(0);
  EXPECT_EQ(app.service.count, 2u);
  EXPECT_DOUBLE_EQ(app.service.sum, 0.010);
  EXPECT_DOUBLE_EQ(app.service.sum2, 16e-6 + 36e-6);
  EXPECT_EQ(app.switched_service.count, 1u);
  EXPECT_DOUBLE_EQ(app.switched_service.sum, 0.010);
  EXPECT_EQ(app.response.count, 3u);
  EXPECT_DOUBLE_EQ(app.response.sum, 0.023);
  EXPECT_EQ(app.response_sketch.total(), 3u);
}

struct BusyCase {
  std::vector<std::pair<int, int>> runs; ///< began, ended; -1: still going on
  int expected_ms;
};

class MeterBusy : public testing::TestWithParam<BusyCase> {};

TEST_P(MeterBusy, CountsTimeWithAtLeastOneRun) {
  Meter meter = MakeMeter();
  std::vector<std::pair<int, bool>> events;
  for (const auto& [began, ended] : GetParam().runs) {
    events.emplace_back(began, true);
    if (ended >= 0) events.emplace_back(ended, false);
  }
  std::sort(events.begin(), events.end(), [](auto a, auto b) { return a.first < b.first; });
  for (const auto& [at, begins] : events)
    begins ? meter.RunBegan(At(at)) : meter.RunEnded(At(at));
  EXPECT_EQ(meter.CloseWindow(At(200)).busy, milliseconds(GetParam().expected_ms));
}

INSTANTIATE_TEST_SUITE_P(Cases, MeterBusy,
                         testing::Values(BusyCase{{}, 0}, BusyCase{{{10, 30}}, 20}, BusyCase{{{10, 30}, {50, 60}}, 30},
                                         BusyCase{{{10, 40}, {20, 60}}, 50}, BusyCase{{{10, 90}, {20, 30}}, 80},
                                         BusyCase{{{150, -1}}, 50}, BusyCase{{{0, 200}}, 200}));

TEST(Meter, ARunAcrossWindowsIsSplitBetweenThem) {
  Meter meter = MakeMeter();
  meter.RunBegan(At(150));
  EXPECT_EQ(meter.CloseWindow(At(200)).busy, milliseconds(50));
  EXPECT_EQ(meter.CloseWindow(At(400)).busy, milliseconds(200));
  meter.RunEnded(At(430));
  EXPECT_EQ(meter.CloseWindow(At(600)).busy, milliseconds(30));
}

TEST(Meter, StampsFromBeforeTheWindowCountFromItsBeginning) {
  Meter meter = MakeMeter();
  (void)meter.CloseWindow(At(200));
  meter.RunBegan(At(199)); // took its stamp, then waited for the lock
  meter.RunEnded(At(210));
  EXPECT_EQ(meter.CloseWindow(At(400)).busy, milliseconds(10));
}

TEST(Meter, ListsIdleApplicationsUntilOneWindowAfterTheyClose) {
  Meter meter = MakeMeter();
  meter.Open(kApp, kModel);
  EXPECT_EQ(meter.CloseWindow(At(200)).apps.size(), 1u);
  meter.Accepted(kApp, At(210));
  meter.Close(kApp);
  const auto last = meter.CloseWindow(At(400));
  ASSERT_EQ(last.apps.size(), 1u);
  EXPECT_EQ(last.apps[0].arrivals, 1u);
  EXPECT_TRUE(meter.CloseWindow(At(600)).apps.empty());
}

TEST(Meter, ReopeningWithinAWindowKeepsItsCounts) {
  Meter meter = MakeMeter();
  meter.Open(kApp, kModel);
  meter.Accepted(kApp, At(10));
  meter.Close(kApp);
  meter.Open(kApp, kModel);
  EXPECT_EQ(meter.CloseWindow(At(200)).apps.at(0).arrivals, 1u);
  EXPECT_EQ(meter.CloseWindow(At(400)).apps.size(), 1u);
}

TEST(Meter, AnotherModelNeverInheritsServiceTimes) {
  Meter meter = MakeMeter();
  meter.Open(kApp, kModel);
  meter.Accepted(kApp, At(10));
  meter.Answered(kApp, Success(4, 5));
  meter.Close(kApp);
  meter.Open(kApp, ModelId("face:2"));
  const auto window = meter.CloseWindow(At(200));
  EXPECT_TRUE(Validate(window).ok());
  ASSERT_EQ(window.apps.size(), 1u);
  EXPECT_EQ(window.apps[0].model, ModelId("face:2"));
  EXPECT_EQ(window.apps[0].completions, 1u);
  EXPECT_EQ(window.apps[0].service.count, 0u);
}

TEST(Meter, IgnoresApplicationsThatWereNeverOpened) {
  Meter meter = MakeMeter();
  meter.Accepted(kApp, At(10));
  meter.Refused(kApp);
  meter.Answered(kApp, Success(1, 1));
  EXPECT_TRUE(meter.CloseWindow(At(200)).apps.empty());
}

TEST(Meter, LosesNothingWhenWindowsCloseUnderLoad) {
  Meter meter = MakeMeter();
  meter.Open(kApp, kModel);
  constexpr int kThreads = 4;
  constexpr int kEach = 2000;
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&meter] {
      for (int i = 0; i < kEach; ++i) {
        meter.Accepted(kApp, At(i));
        meter.Answered(kApp, Success(1, 1));
      }
    });
  }
  uint64_t arrivals = 0;
  uint64_t completions = 0;
  const auto count = [&](const MeasurementWindow& window) {
    arrivals += window.apps.at(0).arrivals;
    completions += window.apps.at(0).completions;
  };
  for (int i = 1; i <= 50; ++i)
    count(meter.CloseWindow(At(i)));
  for (std::thread& thread : threads)
    thread.join();
  count(meter.CloseWindow(At(51)));
  EXPECT_EQ(arrivals, static_cast<uint64_t>(kThreads * kEach));
  EXPECT_EQ(completions, static_cast<uint64_t>(kThreads * kEach));
}

} // namespace
} // namespace avocet
