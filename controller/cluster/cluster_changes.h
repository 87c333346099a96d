#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "controller/cluster/cluster_view.h"
#include "messages/command.h"

namespace avocet {

/// The ways in which a ClusterView changes: no other file changes one. Each bumps `version` when a decision could turn
/// out differently afterwards. Pure.

/// An application's part of a view.
struct AppSnapshot {
  AppId name;
  std::optional<Application> app;
  std::optional<Placement> placement;
  friend bool operator==(const AppSnapshot&, const AppSnapshot&) = default;
};

AppSnapshot Snapshot(const ClusterView& view, const AppId& app);
/// Makes the application what it was, or unknown.
void RollBack(ClusterView& view, const AppSnapshot& before);

/// An agent registered: its devices are healthy; fits of known devices stay.
void NodeArrived(ClusterView& view, const NodeInfo& node);

/// How many nodes and devices a view may know.
struct ClusterLimits {
  size_t max_nodes = 4096;    ///< as many as may have a session
  size_t max_devices = 16384; ///< of all nodes together
};

/// What was forgotten.
struct Forgotten {
  std::vector<NodeId> nodes;
  std::vector<DeviceId> devices;
};

/// Makes room for a node that is about to arrive: while there are too many, forgets nodes that are away and on whose
/// devices nothing is placed, in order of name. kResourceExhausted where that is not enough.
Result<Forgotten> MakeRoom(ClusterView& view, const NodeInfo& newcomer, const ClusterLimits& limits);

/// Forgets the devices that a node does not list any more, but for those that an application is placed on.
std::vector<DeviceId> ForgetUnlistedDevices(ClusterView& view, const NodeId& node);

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

/// Records an application that was refused.
void RefuseApp(ClusterView& view, const Application& app);

/// Forgets an application and its placement; the placement it had, if any.
std::optional<Placement> ForgetPlacement(ClusterView& view, const AppId& app);

/// What a report about a copy means to the view.
enum class ReportEffect {
  kAnotherCopy = 1, ///< its device or epoch is not that of the placement
  kNothingNew = 2,  ///< the placement said so already
  kChanged = 3,     ///< the placement has another phase, or reason
};

/// Takes over what an agent reports of the current copy. One that serves, or failed, does not start again under the
/// same epoch, so a report of starting is late then, and nothing new.
ReportEffect TakeReport(ClusterView& view, const Placement& report);

/// Says why the copy that the command starts has not started yet; empty: nothing is in its way. Only where that copy is
/// placed, and starting.
void NoteStart(ClusterView& view, const Command& start, std::string reason);

/// Enters a placement as it is: from the disk, or with a new epoch after an agent's report.
void AdoptPlacement(ClusterView& view, const Placement& placement);

/// Places an application where an earlier copy of it is or was, under a new epoch, and returns its placement.
/// Requires that it is placed.
Placement PlaceAgain(ClusterView& view, const Placement& copy, uint64_t new_epoch);

/// The application cannot be run where it is placed. Nothing when it is not placed.
void MarkFailed(ClusterView& view, const AppId& app, const std::string& reason);

/// From the disk: a node whose agent is away until it registers, an application.
void RestoreNode(ClusterView& view, const NodeInfo& node);
void RestoreApp(ClusterView& view, const Application& app);

/// A device's fitted parameters changed.
void TakeFit(ClusterView& view, const DeviceFit& fit);

void AddModel(ClusterView& view, const Model& model);
void AddProfile(ClusterView& view, const Profile& profile);
/// A measurement gave no profile; `key` as of Profile.
void NoteProfileFailure(ClusterView& view, const std::string& key, const std::string& why);

} // namespace avocet
