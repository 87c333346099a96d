#pragma once

#include <cstdint>
#include <vector>

#include "messages/placement.h"

namespace avocet {

/// Most moves of one rebalance.
inline constexpr int kMaxRebalanceMoves = 64;

/// One move of a rebalance and what it changes. Utilizations are fractions.
struct RebalanceMove {
  Move move;
  double from_utilization_before = 0;
  double from_utilization_after = 0;
  double to_utilization_before = 0;
  double to_utilization_after = 0;
  double room_after = 0; ///< of the cluster, once this and all moves before it are done
  friend bool operator==(const RebalanceMove&, const RebalanceMove&) = default;
};

/// Moves that make room in a fragmented cluster. Room: on how many devices one more application like those seen so far
/// would fit, the mean over them. Empty where no move was found that makes more.
struct RebalancePlan {
  uint64_t view_version = 0; ///< of the ClusterView it was made against
  double room_before = 0;
  double room_after = 0;
  std::vector<RebalanceMove> moves;
  bool executed = false; ///< the moves are decided and on disk
  friend bool operator==(const RebalancePlan&, const RebalancePlan&) = default;
};

} // namespace avocet
