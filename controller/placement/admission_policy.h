#pragma once

#include "messages/policy.h"
#include "messages/status.h"

namespace avocet {

/// Margins of admission, each a fraction, and how to choose; ranges are those Validate enforces.
struct Policy {
  double mean_tolerance = 0.95;       ///< predicted mean <= this x objective; (0, 1]
  double percentile_tolerance = 0.90; ///< predicted percentile <= this x objective; (0, 1]
  double max_utilization = 0.92;      ///< (0, 1)
  double max_preprocess_cpu = 0.75;   ///< share of a node's cores for pre-processing; (0, 1]
  double memory_fraction = 1.0;       ///< usable share of a device's memory; (0, 1]
  PlacementPolicy placement = PlacementPolicy::kFragmentation;
  int max_moves = 3; ///< residents that may be moved to make room; 0 .. kMaxMovesPerDecision
};
Status Validate(const Policy& policy);

/// The cluster's policy with what one request wants otherwise.
Policy WithOptions(Policy policy, const PlacementOptions& options);

} // namespace avocet
