#pragma once

#include <cstdint>

#include "messages/ids.h"

namespace avocet {

/// A window's place in its device's stream, and the earliest one that its sender still has.
struct WindowPlace {
  BootId boot;
  uint64_t sequence = 0; ///< from 1
  uint64_t oldest = 0;   ///< <= sequence; 0: the sender does not say, nothing before this one will come
};

/// The receiving end of one device's windows: takes each once, in order. A window that the sender
/// dropped is skipped as soon as the sender says so, and counted; one that is on its way again is waited
/// for. Driven by calls. Not thread-safe.
class WindowOrder {
public:
  enum class Arrival {
    kNext,  ///< to be counted now
    kSeen,  ///< counted before
    kEarly, ///< an earlier one is still to come, and this one again after it
  };

  WindowOrder() = default;
  /// Goes on after the windows up to `covered` of that boot.
  WindowOrder(BootId boot, uint64_t covered) : boot_(std::move(boot)), covered_(covered) {}

  /// What the window is; kNext counts it as taken.
  Arrival Take(const WindowPlace& place);

  const BootId& boot() const { return boot_; }
  uint64_t covered() const { return covered_; }
  /// Windows that their senders dropped before they arrived.
  uint64_t missed() const { return missed_; }

private:
  BootId boot_;
  uint64_t covered_ = 0;
  uint64_t missed_ = 0;
};

} // namespace avocet
