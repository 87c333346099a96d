#pragma once

#include <cstdint>
#include <vector>

#include "controller/placement/decide.h"
#include "controller/placement/prediction_cache.h"

namespace avocet {

/// What can be done knowing all applications beforehand, with the same decision function: a lower bound of the best
/// placement there is, to compare online policies with.
struct OfflineOptions {
  int orders = 60; ///< that are tried; the first three without chance
  uint64_t seed = 1;
};

/// Positions of the applications in order number `number`: by decreasing load, by model (its heaviest applications
/// first), or by increasing objective, in turn; with a random factor on what is sorted by from the fourth on. A
/// function of its arguments.
std::vector<size_t> OfflineOrder(const ClusterView& view, const std::vector<Application>& apps, size_t count,
                                 int number, uint64_t seed);

/// Whether the first `count` applications are all placed in some of the orders.
bool FitsOffline(const ClusterView& view, const std::vector<Application>& apps, size_t count, const Policy& policy,
                 const OfflineOptions& options, PredictionCache& cache);

/// The largest `count` for which FitsOffline says yes, from `at_least` on (which is taken to fit), by doubling
/// steps and bisection.
size_t LargestOfflinePrefix(const ClusterView& view, const std::vector<Application>& apps, const Policy& policy,
                            const OfflineOptions& options, size_t at_least);

} // namespace avocet
