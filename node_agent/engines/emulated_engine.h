#pragma once

#include <memory>

#include "messages/device.h"
#include "node_agent/engines/engine.h"

namespace avocet {

/// One emulated device: loads models of format `emulated` (see emulated_model.h) and holds its caller
/// for the modelled time without using a core. All models of one engine share its device: under
/// kFifo they queue (and RunRequest::switched adds the switch overhead), under kTimeShared they share
/// it equally. Service times are drawn from a generator seeded by the model's id. ready_at, when set,
/// is when the request was accepted: a late executor thread does not slow the device. Outputs are
/// zeros. A run can be cancelled. kUnsupported for another discipline; loading a model without a
/// section for `device_kind` is kUnsupported, too.
Result<std::unique_ptr<Engine>> MakeEmulatedEngine(DeviceKind device_kind, Discipline discipline);

} // namespace avocet
