#pragma once

#include <vector>

#include "controller/cluster_view.h"
#include "messages/command.h"

namespace avocet {

/// What closes the difference between what should run on a node and what it reports.
struct Reconciliation {
  std::vector<Command> commands;  ///< stops first, then starts, each in order of application
  std::vector<Placement> adopted; ///< placements whose phase (or epoch, see Reconcile) changed
};

/// Compares the view's placements for `node` with the agent's report. Keeps what already runs
/// (same device, model, file and epoch); stops what is not wanted; starts what is missing.
/// Never moves anything. Pure.
///
/// Agents ignore an epoch that is not later than what they have seen of the application. So a stop
/// carries the running epoch + 1, and a start that replaces something at least the running epoch + 2;
/// where the placement's own epoch is earlier than that, the placement is adopted with the new one.
/// The caller must persist `adopted` and never again hand out an epoch up to theirs.
Reconciliation Reconcile(const ClusterView& view, const NodeId& node, const std::vector<RunningApp>& report);

} // namespace avocet
