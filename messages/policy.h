#pragma once

#include <array>
#include <optional>
#include <string_view>

#include "messages/status.h"

namespace avocet {

/// Which of the devices that pass is chosen; definitions in docs/PLACEMENT.md. The last eight are published
/// baselines: they pass devices by rules of their own and break objectives that ours keep.
enum class PlacementPolicy {
  kFragmentation = 1, ///< where the fewest applications seen so far lose a device that could take them
  kHeadroom,          ///< where the least headroom is lost
  kFirstFit,          ///< the first one
  kPaperBfs,
  kPaperDfs,
  kMemoryFirst,
  kMemoryBest,
  kMemoryWorst,
  kUtilizationFirst,
  kUtilizationBest,
  kUtilizationWorst,
};
inline constexpr std::array kPlacementPolicies = {
    PlacementPolicy::kFragmentation,   PlacementPolicy::kHeadroom,        PlacementPolicy::kFirstFit,
    PlacementPolicy::kPaperBfs,        PlacementPolicy::kPaperDfs,        PlacementPolicy::kMemoryFirst,
    PlacementPolicy::kMemoryBest,      PlacementPolicy::kMemoryWorst,     PlacementPolicy::kUtilizationFirst,
    PlacementPolicy::kUtilizationBest, PlacementPolicy::kUtilizationWorst};
/// "fragmentation", "headroom", "first_fit", "paper_bfs", "paper_dfs", "memory_first", "memory_best", "memory_worst",
/// "utilization_first", "utilization_best", "utilization_worst"
std::string_view ToString(PlacementPolicy policy);
std::optional<PlacementPolicy> ParsePlacementPolicy(std::string_view text);

/// Most residents that one decision may move.
inline constexpr int kMaxMovesPerDecision = 16;

/// What one request wants otherwise than the cluster's policy. Absent: as the cluster.
struct PlacementOptions {
  std::optional<PlacementPolicy> policy;
  std::optional<int> max_moves; ///< 0 .. kMaxMovesPerDecision
  friend bool operator==(const PlacementOptions&, const PlacementOptions&) = default;
};
Status Validate(const PlacementOptions& options);

} // namespace avocet
