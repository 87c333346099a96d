#pragma once

#include <cstdint>
#include <deque>
#include <vector>

#include "messages/measurement.h"
#include "messages/units.h"

namespace avocet {

/// The agent's measurement windows that the controller has not made durable yet. Bounded: the oldest
/// goes first, and is counted. Driven by calls; knows no clock, no actor. Not thread-safe.
class WindowBuffer {
public:
  explicit WindowBuffer(size_t max_windows) : max_windows_(max_windows) {}

  void Push(MeasurementWindow window);
  /// Forgets the device's windows of that boot up to and including the sequence number.
  void Acknowledge(const DeviceId& device, const BootId& boot, uint64_t sequence);
  /// Windows never sent, or sent at least `resend_after` before `now`; marks them sent now.
  std::vector<MeasurementWindow> TakeToSend(MonotonicTime now, Duration resend_after);
  /// Everything counts as never sent: the controller is another one.
  void SendAgain();

  size_t size() const { return entries_.size(); }
  uint64_t dropped() const { return dropped_; }

private:
  struct Entry {
    MeasurementWindow window;
    bool sent = false;
    MonotonicTime sent_at{};
  };
  std::deque<Entry> entries_;
  size_t max_windows_;
  uint64_t dropped_ = 0;
};

} // namespace avocet
