#include "node_agent/http/transfer_rate.h"

namespace avocet {

void TransferRate::Begin(MonotonicTime now, uint64_t bytes) {
  since_ = now;
  bytes_ = bytes;
}

bool TransferRate::IsTooSlow(MonotonicTime now, uint64_t bytes) {
  const Duration passed = now - since_;
  if (passed < period_) return false;
  const bool is_slow = static_cast<double>(bytes - bytes_) < ToSeconds(passed) * static_cast<double>(least_);
  Begin(now, bytes);
  return is_slow;
}

} // namespace avocet
