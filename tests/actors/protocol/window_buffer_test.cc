#include "actors/protocol/window_buffer.h"

#include <gtest/gtest.h>

namespace avocet {
namespace {

const DeviceId kA{"n/a"};
const DeviceId kB{"n/b"};
const BootId kBoot{"boot"};

MeasurementWindow Window(const DeviceId& device, uint64_t sequence) {
  return {.device = device, .boot = kBoot, .sequence = sequence, .length = FromMillis(200)};
}

MonotonicTime At(int seconds) {
  return MonotonicTime(std::chrono::seconds(seconds));
}

TEST(WindowBuffer, SendsEachWindowOnceThenAgainWhenDue) {
  WindowBuffer buffer({.max_windows = 10, .resend_after = std::chrono::seconds(5)});
  buffer.Push(Window(kA, 1));
  EXPECT_EQ(buffer.TakeToSend(At(0)).size(), 1U);
  EXPECT_EQ(buffer.TakeToSend(At(4)).size(), 0U);
  EXPECT_EQ(buffer.TakeToSend(At(5)).size(), 1U);
  EXPECT_EQ(buffer.TakeToSend(At(9)).size(), 0U);
}

TEST(WindowBuffer, ForgetsWhatIsAcknowledgedAndNothingElse) {
  WindowBuffer buffer({.max_windows = 10});
  for (uint64_t i = 1; i <= 3; ++i) {
    buffer.Push(Window(kA, i));
    buffer.Push(Window(kB, i));
  }
  buffer.Acknowledge(kA, kBoot, 2);
  buffer.Acknowledge(kA, BootId("another"), 3);
  EXPECT_EQ(buffer.size(), 4U);
  const auto left = buffer.TakeToSend(At(0));
  EXPECT_EQ(left[0].window.device, kB);
  EXPECT_EQ(left[2].window, Window(kA, 3));
}

TEST(WindowBuffer, DropsTheOldestAtItsBoundAndCounts) {
  WindowBuffer buffer({.max_windows = 2});
  buffer.Push(Window(kA, 1));
  buffer.Push(Window(kA, 2));
  EXPECT_EQ(buffer.dropped(), 0U);
  buffer.Push(Window(kA, 3));
  EXPECT_EQ(buffer.dropped(), 1U);
  EXPECT_EQ(buffer.TakeToSend(At(0))[0].window.sequence, 2U);
}

TEST(WindowBuffer, SendsEverythingToANewController) {
  WindowBuffer buffer({.max_windows = 10});
  buffer.Push(Window(kA, 1));
  (void)buffer.TakeToSend(At(0));
  buffer.SendAgain();
  EXPECT_EQ(buffer.TakeToSend(At(1)).size(), 1U);
}

TEST(WindowBuffer, SaysForEachDeviceWhatIsTheOldestItHas) {
  WindowBuffer buffer({.max_windows = 3});
  for (uint64_t i = 1; i <= 3; ++i)
    buffer.Push(Window(kA, i));
  buffer.Push(Window(kB, 7));
  const auto sent = buffer.TakeToSend(At(0));
  ASSERT_EQ(sent.size(), 3U);
  EXPECT_EQ(sent[0].oldest, 2U) << "the first one was dropped";
  EXPECT_EQ(sent[1].oldest, 2U);
  EXPECT_EQ(sent[2].oldest, 7U);
}

TEST(WindowBuffer, HasABoundedNumberInFlightOfEachDevice) {
  WindowBuffer buffer({.max_in_flight = 2});
  for (uint64_t i = 1; i <= 3; ++i)
    buffer.Push(Window(kA, i));
  buffer.Push(Window(kB, 1));
  EXPECT_EQ(buffer.TakeToSend(At(0)).size(), 3U) << "two of one device, one of the other";
  EXPECT_TRUE(buffer.TakeToSend(At(1)).empty());
  buffer.Acknowledge(kA, kBoot, 1);
  const auto next = buffer.TakeToSend(At(1));
  ASSERT_EQ(next.size(), 1U);
  EXPECT_EQ(next[0].window.sequence, 3U);
}

} // namespace
} // namespace avocet
