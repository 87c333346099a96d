#include "actors/window_buffer.h"

#include <algorithm>

namespace avocet {

void WindowBuffer::Push(MeasurementWindow window) {
  entries_.push_back({std::move(window), false, {}});
  if (entries_.size() <= max_windows_) return;
  entries_.pop_front();
  ++dropped_;
}

void WindowBuffer::Acknowledge(const DeviceId& device, const BootId& boot, uint64_t sequence) {
  std::erase_if(entries_, [&](const Entry& entry) {
    return entry.window.device == device && entry.window.boot == boot && entry.window.sequence <= sequence;
  });
}

std::vector<MeasurementWindow> WindowBuffer::TakeToSend(MonotonicTime now, Duration resend_after) {
  std::vector<MeasurementWindow> windows;
  for (auto& entry : entries_) {
    if (entry.sent && now - entry.sent_at < resend_after) continue;
    entry.sent = true;
    entry.sent_at = now;
    windows.push_back(entry.window);
  }
  return windows;
}

void WindowBuffer::SendAgain() {
  for (auto& entry : entries_)
    entry.sent = false;
}

} // namespace avocet
