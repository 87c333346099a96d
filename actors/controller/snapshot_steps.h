#pragma once

#include <functional>
#include <vector>

#include "actors/controller/snapshot_actor.h"

namespace avocet {

// The steps that the snapshot actor's handlers are made of. All run inside the actor.

using SnapshotSelf = snapshot_actor::stateful_pointer<SnapshotActorState>;

/// Adds the measured totals that the device actors keep, then hands the rows on. A device that does not answer costs
/// its totals, not the list.
void GatherTotals(SnapshotSelf self, std::vector<AppStatus> rows,
                  const std::function<void(std::vector<AppStatus>)>& then);

/// Sends agents the predictions of their applications where they differ from those sent last. Looks at a bounded number
/// of devices; the next call goes on behind them.
void TellPredictions(SnapshotSelf self);

} // namespace avocet
