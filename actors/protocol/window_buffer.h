#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <vector>

#include "messages/measurement.h"
#include "messages/units.h"

namespace avocet {

struct WindowBufferOptions {
  size_t max_windows = 4096;  ///< beyond it the oldest is dropped and counted
  size_t max_in_flight = 128; ///< windows of one device that are sent, and neither acknowledged nor due again
  Duration resend_after = std::chrono::seconds(5); ///< > the controller's persist_every, or all is sent twice
};

/// A window on its way, and the earliest one of its device and boot that the agent still has.
struct SentWindow {
  MeasurementWindow window;
  uint64_t oldest = 0; ///< <= window.sequence; 0: unknown
};

/// The agent's measurement windows that the controller has not made durable yet. Bounded: the oldest
/// goes first, and is counted. The controller's half is WindowOrder. Driven by calls; knows no clock, no
/// actor. Not thread-safe.
class WindowBuffer {
public:
  explicit WindowBuffer(const WindowBufferOptions& options) : options_(options) {}

  void Push(MeasurementWindow window);
  /// Forgets the device's windows of that boot up to and including the sequence number.
  void Acknowledge(const DeviceId& device, const BootId& boot, uint64_t sequence);
  /// Windows never sent, or sent a while before `now`, as far as their device's bound allows, in order;
  /// counts them as sent now. Acknowledgements make room for the next ones.
  std::vector<SentWindow> TakeToSend(MonotonicTime now);
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
  WindowBufferOptions options_;
  std::deque<Entry> entries_;
  uint64_t dropped_ = 0;
};

} // namespace avocet
