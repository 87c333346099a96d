#pragma once

#include <string_view>
#include <vector>

#include "cli/load/sample_statistics.h"
#include "controller/planning/node_simulation.h"
#include "controller/planning/placement_run.h"

namespace avocet {

enum class Promise { kKept = 1, kBroken = 2, kUndecided = 3 };
std::string_view ToString(Promise promise); ///< "kept", "broken", "undecided"

/// How long a check plays, in simulated seconds, and what it tolerates.
struct ObjectiveCheckOptions {
  uint64_t seed = 1;
  double tolerated_ratio = 1.03; ///< of measured to objective
  double warm_up_s = 20;
  double first_s = 3000;    ///< at least; enough where the answer is clear
  double confirm_s = 10000; ///< at least, of the second run, with another seed, of what the first run flagged
  double most_s = 30000;    ///< of each run
};

/// With fewer requests of an application no objective is judged.
inline constexpr size_t kLeastRequests = 200;

/// What was found of one application: its measured statistic over its objective, network allowance included.
struct ObjectiveFinding {
  AppId app;
  double ratio = 0;  ///< 0 where there were too few requests
  Interval interval; ///< of the ratio, see ConfidenceInterval
  Promise promise = Promise::kUndecided;
  double simulated_s = 0; ///< of the run that decided
};

/// Plays a node until every application's ratio is known to be above or below what is tolerated: its 95 % interval
/// lies on one side. Broken: so in the first run and again in a second one with another seed. Undecided: the bound
/// still lies within the interval after most_s. `objectives` are of the whole application (AppLoad::app), in the order
/// of the load. Deterministic. Memory: 8 bytes a request.
std::vector<ObjectiveFinding> CheckObjectives(const NodeLoad& load, const std::vector<Application>& objectives,
                                              const ObjectiveCheckOptions& options);

/// The same for what a view places on a node.
std::vector<ObjectiveFinding> CheckNode(const ClusterView& view, const NodeId& node,
                                        const ObjectiveCheckOptions& options);

/// The first of the first `steps` steps after which the node breaks a promise (see CheckNode), by bisection: more
/// applications are taken to be no easier, so states are checked where the next step takes something away, and
/// at the end. nullopt: none.
std::optional<size_t> FirstBrokenStep(const PlacementRun& run, const NodeId& node, size_t steps,
                                      const ObjectiveCheckOptions& options);

} // namespace avocet
