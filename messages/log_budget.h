#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <utility>

#include "messages/units.h"

namespace avocet {

/// How many lines others may cause in our log: `burst` at once, then one per `interval`. Time is passed in.
/// Not thread-safe.
class LogBudget {
public:
  using Time = std::chrono::steady_clock::time_point;

  LogBudget(int burst, Duration interval) : burst_(burst), interval_(interval), left_(burst) {}

  /// Whether a line may be written at `now`, which never goes back.
  bool Take(Time now) {
    const auto earned = (now - since_) / interval_;
    if (earned > 0) {
      since_ = now;
      left_ = static_cast<int>(std::min<int64_t>(burst_, left_ + earned));
    }
    if (left_ == 0) {
      ++dropped_;
      return false;
    }
    --left_;
    return true;
  }
  /// How many were refused since this was asked last.
  uint64_t TakeDropped() { return std::exchange(dropped_, 0); }

private:
  int burst_;
  Duration interval_;
  int left_;
  Time since_{};
  uint64_t dropped_ = 0;
};

} // namespace avocet
