#pragma once

#include <compare>

#include "controller/placement/candidate.h"

namespace avocet {

/// How much a policy likes a device that passes: the lower tier, then the smaller value, then the first by id.
struct Preference {
  int tier = 0;
  double value = 0;
  auto operator<=>(const Preference&) const = default;
};

/// Definitions in docs/PLACEMENT.md; of kFragmentation the part that does not depend on other devices
/// (fragmentation.h adds the rest). By the fast models: a ranking promises nothing.
Preference PreferenceFor(PlacementPolicy policy, const Candidate& candidate);

/// Utilization x (f - 1), with f the largest factor on all rates that keeps every goal and bound, as estimated
/// (rate_growth.h); 0.75 where nothing runs.
double HeadroomOf(const Tenancy& tenancy, const Policy& policy, PredictionCache& cache);

/// What a change of a device costs: headroom before - headroom after + 1.2 x the share of a GPU's memory it takes.
double PlacementCost(const Tenancy& before, const Tenancy& after, const Policy& policy, PredictionCache& cache);
/// The same of one more application.
double PlacementCost(const Tenancy& before, const Demand& demand, const Policy& policy, PredictionCache& cache);

/// Baselines choose within each kind of device, then the kind whose utilization grows least. Ours
/// compare all devices with one another.
bool ChoosesByKind(PlacementPolicy policy);

} // namespace avocet
