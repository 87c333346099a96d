#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "cli/offline/objective_check.h"
#include "cli/offline/placement_instance.h"
#include "controller/planning/placement_run.h"

namespace avocet {

/// How an instance is played.
struct SimulatePlan {
  Policy policy;
  ObjectiveCheckOptions check;
  int jobs = 1;             ///< threads; the report does not depend on it
  bool check_prefix = true; ///< false: only the end; clean_prefix then knows rejections alone
};

/// What one instance under one policy came to. All but the timing is a function of the instance and the plan.
struct SimulateReport {
  struct Finding {
    ObjectiveFinding finding;
    NodeId node;
  };
  struct Timing {
    double decision_p50_us = 0;
    double decision_p99_us = 0;
    double decisions_per_s = 0;
    double wall_s = 0;
  };

  size_t offered = 0;
  size_t hosted = 0;       ///< at the end
  size_t clean_prefix = 0; ///< offers before the first that was rejected, or broke a promise
  std::optional<size_t> first_rejection;
  std::optional<size_t> first_violation;  ///< with check_prefix
  std::map<std::string, size_t> rejected; ///< by the last filter that any device got to
  size_t moves = 0;
  std::map<DeviceId, double> utilization; ///< at the end
  std::vector<Finding> violations;        ///< at the end, by node and application
  std::vector<Finding> undecided;         ///< at the end
  double worst_ratio = 0;                 ///< of all that is hosted at the end
  Timing timing;
};

/// `phase` is what is done now; `fraction` of the whole.
using SimulateProgress = std::function<void(const char* phase, double fraction)>;

/// Offers the applications one after the other, each decided with Decide and carried out, then plays every node and
/// checks every promise: at the end, and for the clean prefix as far back as necessary (FirstBrokenStep).
SimulateReport SimulateInstance(const PlacementInstance& instance, const SimulatePlan& plan,
                                const SimulateProgress& progress = {});

} // namespace avocet
