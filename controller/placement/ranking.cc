#include "controller/placement/ranking.h"

#include <algorithm>

#include "controller/placement/filters.h"

namespace avocet {
namespace {

constexpr double kEmptyHeadroom = 0.75;
constexpr double kMemoryWeight = 1.2;

bool IsGpu(const Tenancy& tenancy) {
  return tenancy.device->spec.kind == DeviceKind::kGpu;
}

bool HasModel(const Candidate& c) {
  return c.question().newcomer.model != nullptr && c.before().HasModel(c.question().newcomer.model->id());
}

/// Sharing a loaded model saves memory, which is what GPUs run out of.
int GpuTier(const Candidate& c) {
  return IsGpu(c.before()) && !HasModel(c) ? 1 : 0;
}

Preference BreadthFirst(const Candidate& c) {
  if (HasModel(c)) return {0, 0};
  if (c.before().tenants.empty()) return {1, 0};
  return {2, c.assessed_before().utilization};
}

/// With the newcomer: where its model is loaded already, more is left.
double MemoryLeft(const Candidate& c) {
  return static_cast<double>(c.device().spec.memory_bytes) - static_cast<double>(c.memory_after());
}

bool IsPreprocessing(const Tenancy& tenancy) {
  return tenancy.BusyCores() > 0;
}

/// `core_share` is 0 where the device's applications do not pre-process.
double Headroom(const Assessment& assessed, double core_share, const Policy& policy) {
  double factor = std::min(assessed.rate_factor, policy.max_utilization / assessed.utilization);
  if (core_share > 0) factor = std::min(factor, policy.max_preprocess_cpu / core_share);
  return assessed.utilization * (factor - 1);
}

/// What is lost, and the price of the memory.
double CostOf(const Tenancy& before, double headroom_lost, uint64_t memory_after) {
  if (!IsGpu(before)) return headroom_lost;
  const double taken = static_cast<double>(memory_after) - static_cast<double>(before.memory_bytes);
  return headroom_lost + kMemoryWeight * taken / static_cast<double>(before.device->spec.memory_bytes);
}

} // namespace

double HeadroomOf(const Tenancy& tenancy, const Policy& policy, PredictionCache& cache) {
  if (tenancy.tenants.empty()) return kEmptyHeadroom;
  const double share = IsPreprocessing(tenancy) ? tenancy.preprocessing.share() : 0;
  return Headroom(*AssessmentOf(tenancy, cache), share, policy);
}

double HeadroomWith(const Tenancy& tenancy, const Demand& demand, const Policy& policy, PredictionCache& cache) {
  Preprocessing cores = tenancy.preprocessing;
  cores.busy += demand.load.rate_rps * demand.tenant.goal.preprocess_s;
  const bool any = demand.tenant.goal.preprocess_s > 0 || IsPreprocessing(tenancy);
  return Headroom(*AssessmentWith(tenancy, demand, cache), any ? cores.share() : 0, policy);
}

double PlacementCost(const Tenancy& before, const Demand& demand, const Policy& policy, PredictionCache& cache) {
  const double lost = HeadroomOf(before, policy, cache) - HeadroomWith(before, demand, policy, cache);
  return CostOf(before, lost, before.memory_bytes + before.BytesFor(demand));
}

double PlacementCost(const Tenancy& before, const Tenancy& after, const Policy& policy, PredictionCache& cache) {
  return CostOf(before, HeadroomOf(before, policy, cache) - HeadroomOf(after, policy, cache), after.memory_bytes);
}

Preference PreferenceFor(PlacementPolicy policy, const Candidate& c) {
  // Pairs are compared in order: first a tier, where the policy has one, then a cost. No default, so that a new
  // policy cannot forget its preference.
  switch (policy) {
  case PlacementPolicy::kFragmentation:
  case PlacementPolicy::kHeadroom:
    return {0, c.demand() ? PlacementCost(c.before(), *c.demand(), c.question().policy, c.question().cache) : 0};
  case PlacementPolicy::kFirstFit:
  case PlacementPolicy::kUtilizationFirst:
    // Everything equal: the first by id is taken.
    return {};
  case PlacementPolicy::kPaperBfs:
    return BreadthFirst(c);
  case PlacementPolicy::kPaperDfs:
  case PlacementPolicy::kMemoryFirst:
    return {GpuTier(c), 0};
  case PlacementPolicy::kMemoryBest:
    return {GpuTier(c), MemoryLeft(c)};
  case PlacementPolicy::kMemoryWorst:
    // A negative cost turns "least" into "most".
    return {GpuTier(c), -MemoryLeft(c)};
  case PlacementPolicy::kUtilizationBest:
    return {0, -c.assessed_after().utilization};
  case PlacementPolicy::kUtilizationWorst:
    return {0, c.assessed_after().utilization};
  }
  return {};
}

bool ChoosesByKind(PlacementPolicy policy) {
  return RulesOf(policy) != Rules::kOurs;
}

} // namespace avocet
