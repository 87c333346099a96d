#pragma once

#include <optional>
#include <vector>

#include "controller/placement/candidate.h"
#include "messages/placement.h"

namespace avocet {

/// Residents that make room by moving, in order, and the cluster as it is then occupied. Each move is feasible when its
/// turn comes: every objective holds after every step.
struct MovePlan {
  std::vector<Move> moves;
  Occupancy occupancy;
  size_t device = 0; ///< where the newcomer then passes
};

/// The cheapest way found to make room for a newcomer that no device takes, with up to policy.max_moves moves:
/// residents of one device go, each to where it costs least or to where room is made for it in the same way; no
/// application moves twice. Cheap is what loses little headroom with few moves. nullopt where none was found. Looks at
/// a bounded number of ways: the most promising by the fast models; those are confirmed like any other placement, by
/// the filters.
std::optional<MovePlan> FindMoves(const Question& question);

/// The resident as one that looks for a place, at the rate that admission uses.
Newcomer AsNewcomer(const ClusterView& view, const Tenancy& tenancy, size_t tenant);

/// Whether the newcomer passes on the device: all filters, with a simulation where the models are unsure.
bool PassesSurely(const Question& question, size_t device);

} // namespace avocet
