#pragma once

#include <map>
#include <optional>

#include "actors/interfaces.h"
#include "actors/options.h"
#include "actors/window_order.h"
#include "controller/estimator.h"

namespace avocet {

/// One accelerator's measurements: fits its model from windows, persists the fit, acknowledges the
/// windows that the persisted fit covers, and tells the placement actor of significant moves.
struct DeviceActorState {
  static inline const char* name = "device";
  WindowOrder order;
  std::optional<DeviceEstimator> estimator;
  std::map<AppId, AppTotals> totals;
  window_ack_handle acks;
  BootId persisted_boot;
  uint64_t persisted_sequence = 0;
  bool persisting = false;
};

struct DeviceActorArgs {
  DeviceFit fit; ///< the persisted one, or one with only the device id
  store_actor store;
  placement_actor placement;
  ControllerOptions options;
};

device_actor::behavior_type DeviceBehavior(device_actor::stateful_pointer<DeviceActorState> self, DeviceActorArgs args);

} // namespace avocet
