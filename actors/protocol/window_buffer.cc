#include "actors/protocol/window_buffer.h"

#include <algorithm>

namespace avocet {

void WindowBuffer::Push(MeasurementWindow window) {
  entries_.push_back({std::move(window), false, {}});
  if (entries_.size() <= options_.max_windows) return;
  entries_.pop_front();
  ++dropped_;
}

void WindowBuffer::Acknowledge(const DeviceId& device, const BootId& boot, uint64_t sequence) {
  std::erase_if(entries_, [&](const Entry& entry) {
    return entry.window.device == device && entry.window.boot == boot && entry.window.sequence <= sequence;
  });
}

std::vector<SentWindow> WindowBuffer::TakeToSend(MonotonicTime now) {
  struct Device {
    uint64_t oldest;
    size_t before = 0; ///< entries of the device so far: all are in flight, or go now
  };
  std::map<DeviceId, Device> devices;
  std::vector<SentWindow> windows;

  // In order of arrival, so the first entry of a device is its oldest: the controller waits for nothing before it.
  for (auto& entry : entries_) {
    auto& device = devices.try_emplace(entry.window.device, Device{entry.window.sequence}).first->second;
    // What is in flight counts against the bound: a slow controller must not be sent ever more.
    if (++device.before > options_.max_in_flight) continue;
    if (entry.sent && now - entry.sent_at < options_.resend_after) continue;

    entry.sent = true;
    entry.sent_at = now;
    windows.push_back({entry.window, device.oldest});
  }

  return windows;
}

void WindowBuffer::SendAgain() {
  for (auto& entry : entries_)
    entry.sent = false;
}

} // namespace avocet
