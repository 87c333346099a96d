#pragma once

#include <cstdint>
#include <vector>

#include "messages/device.h"
#include "messages/reports.h"
#include "node_agent/scheduling/meter.h"

namespace avocet {

/// A device as monitoring sees it.
struct DeviceMetrics {
  DeviceId id;
  DeviceKind kind = DeviceKind::kCpu;
  bool emulated = false;
  uint64_t memory_used_bytes = 0;
  uint64_t memory_bytes = 0;
  DeviceActivity totals;
  std::vector<PredictedLatency> predicted; ///< of its applications, as the controller said last
};

} // namespace avocet
