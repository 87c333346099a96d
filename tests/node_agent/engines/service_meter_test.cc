#include "node_agent/engines/service_meter.h"

#include <thread>

#include <gtest/gtest.h>

namespace avocet {
namespace {

using std::chrono::milliseconds;

MonotonicTime At(int ms) {
  return MonotonicTime(std::chrono::hours(1)) + milliseconds(ms);
}

TEST(SharedService, AloneARunAttainsAllTheTime) {
  SharedService shared;
  const auto begun = shared.Begin(At(0));
  EXPECT_EQ(shared.Attained(At(10), begun), milliseconds(10));
}

TEST(SharedService, IdleTimeIsNobodys) {
  SharedService shared;
  (void)shared.Begin(At(0));
  shared.End(At(5));
  const auto begun = shared.Begin(At(100));
  EXPECT_EQ(shared.Attained(At(103), begun), milliseconds(3));
}

// One from 0 to 30, another from 10 to 20: alone for 10 ms, two for 10 ms, alone for 10 ms.
TEST(SharedService, RunsAtTheSameTimeShareIt) {
  SharedService shared;
  const auto first = shared.Begin(At(0));
  const auto second = shared.Begin(At(10));
  EXPECT_EQ(shared.Attained(At(20), second), milliseconds(5));
  shared.End(At(20));
  EXPECT_EQ(shared.Attained(At(30), first), milliseconds(25));
}

TEST(SharedService, WhatAllAttainIsTheTimeThatPassed) {
  SharedService shared;
  Duration sum{};
  std::vector<Duration> begun;
  for (int i = 0; i < 7; ++i)
    begun.push_back(shared.Begin(At(3 * i)));
  for (int i = 0; i < 7; ++i) {
    sum += shared.Attained(At(30 + 11 * i), begun[static_cast<size_t>(i)]);
    shared.End(At(30 + 11 * i));
  }
  EXPECT_NEAR(ToMillis(sum), 30 + 11 * 6, 1e-3); // whole nanoseconds lose a little
}

TEST(ServiceMeter, ATimeSharedCpuCountsTheThreadsOwnTimeOnly) {
  ServiceMeter meter(DeviceKind::kCpu, Discipline::kTimeShared);
  const ServiceMeter::Run run(meter);
  std::thread([] { // burns another thread's time
    const auto begin = MonotonicTime::clock::now();
    while (MonotonicTime::clock::now() - begin < milliseconds(20)) {
    }
  })
      .join();
  EXPECT_LT(run.Attained(), milliseconds(20));
}

TEST(ServiceMeter, AFifoDeviceCountsAllTheTime) {
  for (const DeviceKind kind : {DeviceKind::kCpu, DeviceKind::kGpu, DeviceKind::kEdgeTpu}) {
    ServiceMeter meter(kind, Discipline::kFifo);
    const auto begin = MonotonicTime::clock::now();
    const ServiceMeter::Run run(meter);
    const auto attained = run.Attained();
    EXPECT_LE(attained, MonotonicTime::clock::now() - begin);
    EXPECT_GT(attained, Duration{});
  }
}

TEST(ServiceMeter, ATimeSharedAcceleratorSharesEqually) {
  ServiceMeter meter(DeviceKind::kGpu, Discipline::kTimeShared);
  const auto begin = MonotonicTime::clock::now();
  const ServiceMeter::Run one(meter), two(meter);
  while (MonotonicTime::clock::now() - begin < milliseconds(10)) {
  }
  const auto both = one.Attained() + two.Attained();
  EXPECT_GE(both, milliseconds(9));
  EXPECT_LE(both, MonotonicTime::clock::now() - begin + milliseconds(1));
}

} // namespace
} // namespace avocet
