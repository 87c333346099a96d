#pragma once

#include "actors/placement_actor.h"

namespace avocet {

/// Tells agents what is predicted of their applications where that differs from what they were told last: of a bounded
/// number of devices, the next ones at the next call.
void TellPredictions(placement_actor::stateful_pointer<PlacementActorState> self);

} // namespace avocet
