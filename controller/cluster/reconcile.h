#pragma once

#include <vector>

#include "controller/cluster/cluster_view.h"
#include "controller/cluster/removals.h"
#include "messages/command.h"

namespace avocet {

/// What an agent says when it registers.
struct NodeReport {
  NodeId node;
  std::vector<Placement> running; ///< all copies that it runs, or was told to
  uint64_t highest_epoch = 0;     ///< of all commands that it ever took
};

/// What closes the difference between what should run on a node and what it reports.
struct Reconciliation {
  std::vector<Command> commands;  ///< stops first, then starts, each in order of application
  std::vector<Placement> adopted; ///< placements whose phase or epoch changed
  std::vector<Placement> kept;    ///< copies that go on serving until the current one, elsewhere, does (PendingMoves)
  std::vector<Placement> orphans; ///< copies that the records do not know: left running
  uint64_t last_epoch = 0;        ///< none up to this one may be handed out again
};

/// Compares the view's placements for a node with its agent's report. Keeps what already runs (same device, model,
/// file and epoch); stops what is not wanted; starts what is missing. Never moves anything. Pure. What is neither
/// placed nor was removed is not stopped: these records may be older than it, or another cluster's.
///
/// A copy of an application that is placed elsewhere is stopped only when the current one serves: after a restart the
/// controller finds this way the copies that a move under way still needs.
///
/// An agent drops starts that are past. So a start of an epoch that it may have seen, by its word, gets a new one above
/// `last_epoch` (the last that the controller handed out) and above all that the agent knows: it may know later ones
/// than a controller that was restored from an old copy. The caller persists `adopted` and `last_epoch`.
Reconciliation Reconcile(const ClusterView& view, const Removals& removals, const NodeReport& report,
                         uint64_t last_epoch);

} // namespace avocet
