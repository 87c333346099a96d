#include "controller/ranking.h"

#include <algorithm>

#include "controller/filters.h"

namespace avocet {
namespace {

constexpr double kEmptyHeadroom = 0.75;
constexpr double kMemoryWeight = 0.6;
constexpr int kHeadroomSteps = 7; // halvings of the range of the factor

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

double FreeMemory(const Candidate& c) {
  return static_cast<double>(c.device().spec.memory_bytes) - static_cast<double>(c.before().memory_bytes);
}

ContentKey WithBounds(ContentKey key, const Policy& policy) {
  return key.Add(policy.max_utilization).Add(policy.max_preprocess_cpu);
}

bool CoresKeepUp(const Tenancy& tenancy, const Policy& policy) {
  return tenancy.BusyCores() == 0 || tenancy.preprocessing.share() <= policy.max_preprocess_cpu;
}

double FindHeadroom(const Tenancy& tenancy, const Policy& policy) {
  const double rho = Utilization(tenancy.load);
  double fails = policy.max_utilization / rho;
  if (tenancy.BusyCores() > 0) fails = std::min(fails, policy.max_preprocess_cpu / tenancy.preprocessing.share());
  const auto holds_at = [&](double factor) {
    Tenancy scaled = tenancy;
    scaled.MultiplyRates(factor);
    return KeepsGoals(scaled);
  };
  double passes = fails > 1 && holds_at(1) ? 1 : 0;
  if (passes == 0) fails = std::min(fails, 1.0);
  for (int step = 0; step < kHeadroomSteps; ++step) {
    const double middle = (passes + fails) / 2;
    (holds_at(middle) ? passes : fails) = middle;
  }
  return rho * (passes - 1);
}

} // namespace

bool FitsRoughly(const Tenancy& tenancy, const Demand& demand, const Policy& policy, PredictionCache& cache) {
  const double capacity = policy.memory_fraction * static_cast<double>(tenancy.device->spec.memory_bytes);
  const uint64_t more = tenancy.BytesFor(demand);
  if (more > 0 && static_cast<double>(tenancy.memory_bytes + more) > capacity) return false;
  const ContentKey key = WithBounds(PredictionKey(tenancy, demand), policy);
  return cache.fits.Get(key, [&] {
    Tenancy after = tenancy;
    after.Add(demand);
    return CoresKeepUp(after, policy) && Utilization(after.load) <= policy.max_utilization && KeepsGoals(after);
  });
}

double HeadroomOf(const Tenancy& tenancy, const Policy& policy, PredictionCache& cache) {
  if (tenancy.tenants.empty()) return kEmptyHeadroom;
  return cache.headrooms.Get(WithBounds(PredictionKey(tenancy), policy), [&] { return FindHeadroom(tenancy, policy); });
}

double PlacementCost(const Tenancy& before, const Tenancy& after, const Policy& policy, PredictionCache& cache) {
  const double lost = HeadroomOf(before, policy, cache) - HeadroomOf(after, policy, cache);
  const double taken = static_cast<double>(after.memory_bytes) - static_cast<double>(before.memory_bytes);
  return lost + (IsGpu(before) ? kMemoryWeight * taken / static_cast<double>(before.device->spec.memory_bytes) : 0);
}

Preference PreferenceFor(PlacementPolicy policy, const Candidate& c) {
  switch (policy) {
  case PlacementPolicy::kFragmentation:
  case PlacementPolicy::kHeadroom:
    return {0, PlacementCost(c.before(), c.after(), c.question().policy, c.question().cache)};
  case PlacementPolicy::kFirstFit:
  case PlacementPolicy::kUtilizationFirst:
    return {};
  case PlacementPolicy::kPaperBfs:
    return BreadthFirst(c);
  case PlacementPolicy::kPaperDfs:
  case PlacementPolicy::kMemoryFirst:
    return {GpuTier(c), 0};
  case PlacementPolicy::kMemoryBest:
    return {GpuTier(c), FreeMemory(c)};
  case PlacementPolicy::kMemoryWorst:
    return {GpuTier(c), -FreeMemory(c)};
  case PlacementPolicy::kUtilizationBest:
    return {0, -c.assessed_before().utilization};
  case PlacementPolicy::kUtilizationWorst:
    return {0, c.assessed_before().utilization};
  }
  return {};
}

bool ChoosesByKind(PlacementPolicy policy) {
  return RulesOf(policy) != Rules::kOurs;
}

} // namespace avocet
