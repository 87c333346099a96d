#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "controller/cluster/cluster_view.h"

namespace avocet {

/// One decision about an application that was offered, as it was carried out.
struct PlacementStep {
  Application app;
  std::optional<DeviceId> device; ///< empty: rejected
  std::vector<Move> moves;        ///< made before
  std::string reason;             ///< of a rejection: the last filter, in their order, that any device got to
};

/// A change of what a node hosts.
struct NodeChange {
  size_t step = 0;
  bool shrinks = false; ///< an application left, by a move
};

/// Carries out decisions on a view of its own, without agents, and records them: what a simulation and the
/// offline baselines place with. Every application is taken to be ready at once.
class PlacementRun {
public:
  explicit PlacementRun(ClusterView view) : start_(view), view_(std::move(view)) {}

  /// Requires that the decision was made against view().
  const PlacementStep& Take(const Decision& decision);

  const ClusterView& view() const { return view_; }
  const std::vector<PlacementStep>& steps() const { return steps_; }
  size_t moves() const { return moves_; }

  /// The node, and what it hosted after the first `steps` steps.
  ClusterView NodeAfter(const NodeId& node, size_t steps) const;
  /// In order of step, none from `steps` on.
  std::vector<NodeChange> ChangesOf(const NodeId& node, size_t steps) const;

private:
  ClusterView start_;
  ClusterView view_;
  std::vector<PlacementStep> steps_;
  size_t moves_ = 0;
};

} // namespace avocet
