#pragma once

#include <memory>
#include <vector>

#include "controller/placement/tenancy.h"

namespace avocet {

/// What the models say of one application's goal.
struct GoalAnswer {
  double latency_s = 0; ///< predicted statistic, pre-processing included; meaningless where not bounded
  bool bounded = false; ///< device and cores keep up
  bool kept = false;    ///< by the best method there is, unless `unsure`
  bool fast = false;    ///< latency_s is that of the fast model
  bool unsure = false;  ///< the limit is nearer than the fast model's error: only a simulation could tell
};

/// What the models say of a device: the part of a decision that costs time. Depends on the tenancy's content alone.
struct Assessment {
  bool stable = false;
  double utilization = 0;
  std::vector<GoalAnswer> answers; ///< as tenants
  /// The largest common factor on all rates that keeps every goal, as EstimatedRateFactor; 0 where the device or its
  /// cores do not keep up. Only where there are latencies.
  double rate_factor = 0;
  bool AllKept() const;
  bool AnyUnsure() const;
};

/// Solves the models. An application's latency is that of the first one of its model with the same statistic and
/// pre-processing, where there is one. Goals near their limits are judged exactly, latencies shown are fast.
Assessment Assess(const Tenancy& tenancy);

/// The same judgement without latencies: cheaper.
Assessment AssessGoals(const Tenancy& tenancy);

/// With the exact latencies of everyone, as far as the models have them.
Assessment AssessExactly(const Tenancy& tenancy);

/// With a simulation where the models are rough; as Assess elsewhere.
Assessment AssessBySimulation(const Tenancy& tenancy);

/// Whether the utilization is at most that and every goal is kept, without a simulation: where the models are rough, to
/// rank by, not to promise by.
bool KeepsGoals(const Tenancy& tenancy, double max_utilization);

} // namespace avocet
