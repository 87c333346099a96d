#include "actors/window_buffer.h"

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
  WindowBuffer buffer(10);
  buffer.Push(Window(kA, 1));
  EXPECT_EQ(buffer.TakeToSend(At(0), std::chrono::seconds(5)).size(), 1U);
  EXPECT_EQ(buffer.TakeToSend(At(4), std::chrono::seconds(5)).size(), 0U);
  EXPECT_EQ(buffer.TakeToSend(At(5), std::chrono::seconds(5)).size(), 1U);
  EXPECT_EQ(buffer.TakeToSend(At(9), std::chrono::seconds(5)).size(), 0U);
}

TEST(WindowBuffer, ForgetsWhatIsAcknowledgedAndNothingElse) {
  WindowBuffer buffer(10);
  for (uint64_t i = 1; i <= 3; ++i) {
    buffer.Push(Window(kA, i));
    buffer.Push(Window(kB, i));
  }
  buffer.Acknowledge(kA, kBoot, 2);
  buffer.Acknowledge(kA, BootId("another"), 3);
  EXPECT_EQ(buffer.size(), 4U);
  const auto left = buffer.TakeToSend(At(0), {});
  EXPECT_EQ(left[0].device, kB);
  EXPECT_EQ(left[2], Window(kA, 3));
}

TEST(WindowBuffer, DropsTheOldestAtItsBoundAndCounts) {
  WindowBuffer buffer(2);
  buffer.Push(Window(kA, 1));
  buffer.Push(Window(kA, 2));
  EXPECT_EQ(buffer.dropped(), 0U);
  buffer.Push(Window(kA, 3));
  EXPECT_EQ(buffer.dropped(), 1U);
  EXPECT_EQ(buffer.TakeToSend(At(0), {})[0].sequence, 2U);
}

TEST(WindowBuffer, SendsEverythingToANewController) {
  WindowBuffer buffer(10);
  buffer.Push(Window(kA, 1));
  (void)buffer.TakeToSend(At(0), std::chrono::hours(1));
  buffer.SendAgain();
  EXPECT_EQ(buffer.TakeToSend(At(1), std::chrono::hours(1)).size(), 1U);
}

} // namespace
} // namespace avocet
