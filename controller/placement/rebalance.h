#pragma once

#include "controller/cluster/cluster_view.h"
#include "controller/placement/decide.h"
#include "messages/rebalance.h"

namespace avocet {

/// Up to `max_moves` moves, each the one that makes most room among those looked at, while there is one that makes
/// more. Every target passes all filters with what it then hosts, beside all of its residents from before; no device
/// both gives and takes, and no node takes that pre-processes less by then, so the moves may be made in any order or at
/// once, and a part of them is safe, too. Only applications that serve are moved, each once. Looks at a bounded number
/// of residents and targets. A function of its arguments alone; the cache only makes it faster. Baseline policies know
/// no room: their plan is empty. Requires 0 <= max_moves <= kMaxRebalanceMoves.
RebalancePlan PlanRebalance(const ClusterView& view, const Policy& policy, int max_moves, PredictionCache& cache);

} // namespace avocet
