#include "messages/policy.h"

#include "messages/check.h"

namespace avocet {

std::string_view ToString(PlacementPolicy policy) {
  switch (policy) {
  case PlacementPolicy::kFragmentation:
    return "fragmentation";
  case PlacementPolicy::kHeadroom:
    return "headroom";
  case PlacementPolicy::kFirstFit:
    return "first_fit";
  case PlacementPolicy::kPaperBfs:
    return "paper_bfs";
  case PlacementPolicy::kPaperDfs:
    return "paper_dfs";
  case PlacementPolicy::kMemoryFirst:
    return "memory_first";
  case PlacementPolicy::kMemoryBest:
    return "memory_best";
  case PlacementPolicy::kMemoryWorst:
    return "memory_worst";
  case PlacementPolicy::kUtilizationFirst:
    return "utilization_first";
  case PlacementPolicy::kUtilizationBest:
    return "utilization_best";
  case PlacementPolicy::kUtilizationWorst:
    return "utilization_worst";
  }
  return "unknown";
}

std::optional<PlacementPolicy> ParsePlacementPolicy(std::string_view text) {
  for (const auto policy : kPlacementPolicies) {
    if (ToString(policy) == text) return policy;
  }
  return std::nullopt;
}

Status Validate(const PlacementOptions& options) {
  const int moves = options.max_moves.value_or(0);
  return Check("placement", options.policy ? ToString(*options.policy) : std::string_view("options"))
      .That(moves >= 0 && moves <= kMaxMovesPerDecision, "max_moves", moves, "0 to 16")
      .status();
}

} // namespace avocet
