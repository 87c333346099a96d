#pragma once

#include "actors/controller/placement_actor.h"

namespace avocet {

/// Sends agents the predictions of their applications where they differ from those sent last. Looks at a bounded number
/// of devices; the next call goes on behind them.
void NotifyPredictions(placement_actor::stateful_pointer<PlacementActorState> self);

} // namespace avocet
