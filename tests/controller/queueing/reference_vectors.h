#pragma once

#include <optional>
#include <string>
#include <vector>

#include "controller/queueing/latency_model.h"

namespace avocet {

/// One application's expected numbers. Empty where the vectors do not define them.
struct ReferenceRow {
  double mean_s = 0;
  std::optional<double> p50_s, p95_s, p99_s;
};

/// A case of tests/data/queueing/queueing_reference.json.
struct ReferenceCase {
  std::string id;
  std::string model; ///< "fcfs_switch", "mg1_ps", "hybrid_ps", "mmc_fcfs", "mgc_ps", "mgc_fcfs"
  DeviceLoad load;
  double rho = 0;
  bool stable = true;
  std::vector<ReferenceRow> rows;   ///< by application
  std::vector<double> paper_mean_s; ///< what the paper's formula gives; empty where it was not recorded
};

/// All cases of a model that this library predicts (those with several workers per model left out).
std::vector<ReferenceCase> ReferenceCases(const std::string& model);

} // namespace avocet
