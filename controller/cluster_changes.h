#pragma once

#include <optional>

#include "controller/cluster_view.h"
#include "messages/command.h"

namespace avocet {

/// The ways in which a ClusterView changes. Each bumps `version` when a decision could turn out
/// differently afterwards. Pure.

/// An agent registered: its devices are healthy; fits of known devices stay.
void NodeArrived(ClusterView& view, const NodeInfo& node);

/// A node's lease ran out, or its agent was stopped: its devices are away, its placements lost.
void NodeLost(ClusterView& view, const NodeId& node, std::string_view why);

/// Enters an admitted application with its placement and returns it. A new epoch is used unless the
/// application stays where it runs, with the same model file; then the placement is kept.
/// Requires that the decision admits, that its moves were made before, and that the model has the variant of the
/// device.
Placement AdmitApp(ClusterView& view, const Decision& decision, uint64_t new_epoch);

/// Gives an application another device and returns its placement there. Requires that it is placed and that its
/// model has the variant of the device.
Placement MoveApp(ClusterView& view, const Move& move, uint64_t new_epoch);

/// Remembers an application that was refused.
void RefuseApp(ClusterView& view, const Application& app);

/// Forgets an application and its placement; the placement it had, if any.
std::optional<Placement> ForgetPlacement(ClusterView& view, const AppId& app);

/// Takes over the phase that an agent reports; false when the report is about another epoch or
/// device than the placement, which then stays as it is.
bool TakeReport(ClusterView& view, const RunningApp& report);

/// A device's fitted parameters changed.
void TakeFit(ClusterView& view, const DeviceFit& fit);

void AddModel(ClusterView& view, const Model& model);
void AddProfile(ClusterView& view, const Profile& profile);

/// The command that makes an agent run a placement.
Command StartCommand(const Placement& placement);
/// The command that ends it, with an epoch after its own.
Command StopCommand(const Placement& placement, uint64_t epoch);

} // namespace avocet
