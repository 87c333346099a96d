#include "controller/reconcile.h"

#include <algorithm>
#include <map>

#include "controller/cluster_changes.h"

namespace avocet {
namespace {

using Report = std::map<AppId, RunningApp>;

bool IsOn(const Placement& placement, const NodeId& node) {
  const auto device = ParseDeviceId(placement.device.str());
  return device && device->node == node;
}

/// Requires that the placement is on the node of the report.
bool IsWanted(const Placement& placement, const RunningApp& running) {
  return placement.device == running.device && placement.model == running.model && placement.format == running.format &&
         placement.file == running.file && placement.epoch == running.epoch;
}

const RunningApp* Find(const Report& report, const AppId& app) {
  const auto it = report.find(app);
  return it == report.end() ? nullptr : &it->second;
}

Command StopOf(const RunningApp& running) {
  return {.kind = CommandKind::kStop,
          .epoch = running.epoch + 1,
          .device = running.device,
          .app = running.app,
          .model = running.model,
          .format = running.format,
          .file = running.file};
}

void Adopt(Placement placement, PlacementPhase phase, const std::string& reason, Reconciliation& result) {
  if (placement.phase == phase && placement.reason == reason) return;
  placement.phase = phase;
  placement.reason = reason;
  result.adopted.push_back(std::move(placement));
}

/// Agents ignore epochs that they have seen, so a start must come after the stop of what runs there.
void Start(Placement placement, const RunningApp* replaced, Reconciliation& result) {
  const uint64_t epoch = replaced == nullptr ? placement.epoch : std::max(placement.epoch, replaced->epoch + 2);
  const bool renumbered = epoch != placement.epoch;
  placement.epoch = epoch;
  result.commands.push_back(StartCommand(placement));
  if (renumbered || placement.phase != PlacementPhase::kStarting) {
    placement.phase = PlacementPhase::kStarting;
    placement.reason.clear();
    result.adopted.push_back(std::move(placement));
  }
}

} // namespace

Reconciliation Reconcile(const ClusterView& view, const NodeId& node, const std::vector<RunningApp>& report) {
  Report running;
  for (const auto& app : report)
    running[app.app] = app;
  Reconciliation result;
  for (const auto& [app, one] : running) {
    const auto wanted = view.placements.find(app);
    const bool here = wanted != view.placements.end() && IsOn(wanted->second, node);
    if (!here || !IsWanted(wanted->second, one)) result.commands.push_back(StopOf(one));
  }
  for (const auto& [app, placement] : view.placements) {
    if (!IsOn(placement, node)) continue;
    const RunningApp* found = Find(running, app);
    if (found != nullptr && IsWanted(placement, *found))
      Adopt(placement, found->phase, found->reason, result);
    else
      Start(placement, found, result);
  }
  return result;
}

} // namespace avocet
