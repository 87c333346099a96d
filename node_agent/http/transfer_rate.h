#pragma once

#include <cstdint>

#include "messages/units.h"

namespace avocet {

/// Notices a transfer that is slower than a least rate: looks at one period after the other, so that a short stall
/// harms nobody and a steady trickle does not last. Time is passed in. Not thread-safe.
class TransferRate {
public:
  /// `period` > 0.
  TransferRate(uint64_t least_bytes_per_second, Duration period) : least_(least_bytes_per_second), period_(period) {}

  void Begin(MonotonicTime now, uint64_t bytes);
  /// True when a period has passed in which the bytes grew by less than the rate asks for.
  bool IsTooSlow(MonotonicTime now, uint64_t bytes);

private:
  const uint64_t least_;
  const Duration period_;
  MonotonicTime since_{};
  uint64_t bytes_ = 0; ///< at the begin of this period
};

} // namespace avocet
