#pragma once

#include <memory>
#include <optional>

#include "controller/placement/candidate.h"

namespace avocet {

/// Whether one more application would fit on a device, asked of many: memory, utilization, cores and goals, by the fast
/// models. Borrows.
class Fits {
public:
  Fits(const Tenancy& tenancy, const Policy& policy, PredictionCache& cache);

  bool With(const Demand& demand) { return With(demand, cache_.fits.ColumnOf(demand.key)); }
  /// For those who know the demand's column.
  bool With(const Demand& demand, size_t column);

private:
  bool Find(const Demand& demand);

  const Tenancy& tenancy_;
  const Policy& policy_;
  PredictionCache& cache_;
  std::shared_ptr<FitMemo::Row> row_;
  std::optional<Tenancy> after_; ///< with the last one that was asked about
};

} // namespace avocet
