#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "actors/interfaces.h"
#include "actors/options.h"
#include "actors/protocol/window_order.h"
#include "controller/queueing/estimator.h"
#include "controller/queueing/rolling_totals.h"
#include "messages/log_budget.h"

namespace avocet {

/// One accelerator's measurements: fits its model from windows, sums up what its applications did, persists both in one
/// batch (so that a window is in both or in none), acknowledges the windows that the persisted fit covers, and tells
/// the placement actor of significant moves.
struct DeviceActorState {
  static inline const char* name = "device";
  WindowOrder order;
  std::optional<DeviceEstimator> estimator;
  std::optional<RollingTotals> totals;
  window_ack_handle acks;
  BootId persisted_boot;
  uint64_t persisted_sequence = 0;
  bool persisting = false;
  LogBudget lines{10, std::chrono::seconds(10)}; ///< that the agent causes in the log
};

struct DeviceActorArgs {
  DeviceFit fit;                  ///< the persisted one, or one with only the device id
  std::vector<TotalsSlot> totals; ///< the persisted ones of the device
  store_actor store;
  placement_actor placement;
  ControllerOptions options;
  std::function<WallTime()> wall_clock = std::chrono::system_clock::now;
};

device_actor::behavior_type DeviceBehavior(device_actor::stateful_pointer<DeviceActorState> self, DeviceActorArgs args);

} // namespace avocet
