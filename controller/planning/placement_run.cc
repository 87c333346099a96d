#include "controller/planning/placement_run.h"

#include <algorithm>

#include "controller/cluster/cluster_changes.h"

namespace avocet {
namespace {

std::string ReasonOf(const Decision& decision) {
  // Kinds are numbered in the order in which they are asked.
  const auto earlier = [](const Verdict& a, const Verdict& b) { return a.filter < b.filter; };
  const auto last = std::max_element(decision.verdicts.begin(), decision.verdicts.end(), earlier);
  return last == decision.verdicts.end() ? "no devices" : std::string(FilterName(*last));
}

void Place(ClusterView& view, const Application& app, const DeviceId& device) {
  Decision decision;
  decision.kind = DecisionKind::kAdmit;
  decision.app = app;
  decision.device = device;
  decision.model = view.FindModel(app.model)->id();
  AdmitApp(view, decision, view.version + 1);
}

void CarryOut(ClusterView& view, const PlacementStep& step) {
  for (const auto& move : step.moves)
    MoveApp(view, move, view.version + 1);
  if (step.device)
    Place(view, step.app, *step.device);
  else
    RefuseApp(view, step.app);
}

} // namespace

const PlacementStep& PlacementRun::Take(const Decision& decision) {
  const bool admitted = decision.device.has_value();
  steps_.push_back({decision.app, decision.device, admitted ? decision.moves : std::vector<Move>(),
                    admitted ? "" : ReasonOf(decision)});
  moves_ += steps_.back().moves.size();
  CarryOut(view_, steps_.back());
  return steps_.back();
}

ClusterView PlacementRun::NodeAfter(const NodeId& node, size_t steps) const {
  std::map<AppId, std::pair<const Application*, DeviceId>> hosted;
  for (size_t i = 0; i < steps; ++i) {
    for (const auto& move : steps_[i].moves)
      hosted.at(move.app).second = move.to;
    if (steps_[i].device) hosted[steps_[i].app.name] = {&steps_[i].app, *steps_[i].device};
  }
  ClusterView view = start_;
  for (const auto& [app, place] : hosted) {
    if (view.devices.at(place.second).spec.node == node) Place(view, *place.first, place.second);
  }
  return view;
}

std::vector<NodeChange> PlacementRun::ChangesOf(const NodeId& node, size_t steps) const {
  const auto is_here = [&](const DeviceId& device) { return start_.devices.at(device).spec.node == node; };
  std::vector<NodeChange> changes;
  for (size_t i = 0; i < std::min(steps, steps_.size()); ++i) {
    const auto& step = steps_[i];
    const auto any = [&](DeviceId Move::*end) {
      return std::any_of(step.moves.begin(), step.moves.end(), [&](const Move& move) { return is_here(move.*end); });
    };
    const bool shrinks = any(&Move::from);
    if (shrinks || any(&Move::to) || (step.device && is_here(*step.device))) changes.push_back({i, shrinks});
  }
  return changes;
}

} // namespace avocet
