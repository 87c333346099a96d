#include "controller/placement/admission_policy.h"

#include <string_view>

#include "messages/check.h"

namespace avocet {

Status Validate(const Policy& policy) {
  const auto is_fraction = [](double x) { return x > 0 && x <= 1; };
  const auto rule = "> 0 and at most 1";
  return Check("policy", std::string_view("admission"))
      .That(is_fraction(policy.mean_tolerance), "mean_tolerance", policy.mean_tolerance, rule)
      .That(is_fraction(policy.percentile_tolerance), "percentile_tolerance", policy.percentile_tolerance, rule)
      .That(is_fraction(policy.max_utilization), "max_utilization", policy.max_utilization, rule)
      .That(is_fraction(policy.max_preprocess_cpu), "max_preprocess_cpu", policy.max_preprocess_cpu, rule)
      .That(is_fraction(policy.memory_fraction), "memory_fraction", policy.memory_fraction, rule)
      .That(policy.max_moves >= 0 && policy.max_moves <= kMaxMovesPerDecision, "max_moves", policy.max_moves, "0 to 16")
      .status();
}

Policy WithOptions(Policy policy, const PlacementOptions& options) {
  policy.placement = options.policy.value_or(policy.placement);
  policy.max_moves = options.max_moves.value_or(policy.max_moves);
  return policy;
}

} // namespace avocet
