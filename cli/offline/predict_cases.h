#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "controller/queueing/latency_model.h"
#include "messages/status.h"

namespace avocet {

inline constexpr size_t kMaxCaseBytes = size_t{64} << 20;

/// One case of a file of queueing cases, see tests/data/queueing/README.md.
struct QueueingCase {
  std::string id;
  DeviceLoad load;
  int workers = 1;           ///< one-worker-per-model queues: workers of a model
  bool shared_cores = false; ///< several cores under processor sharing
};

/// A case's answer; the lists are by class, members empty where no model gives the value.
struct CaseAnswer {
  double rho = 0;
  bool stable = false;
  std::vector<std::optional<double>> mean_s, p50_s, p95_s, p99_s;
  std::string method;
};

/// {"cases":[{"id","model","inputs":{"lambda_per_s":[],"service_s":[],...}}]}; model is one of fcfs_switch,
/// hybrid_ps, mg1_ps, mmc_fcfs, mgc_ps, mgc_fcfs; of the inputs also switch_overhead_s, scv, service_parts, servers,
/// workers_per_model, service (deterministic or exponential), arrivals (poisson). Other keys of a case are
/// left alone: they are what the answers are compared with.
Result<std::vector<QueueingCase>> ParseCases(std::string_view text, const std::string& filename);

/// By the best method there is: simulates `simulated_requests` where only an approximation is known (0:
/// takes the approximation, or nothing). Pure.
CaseAnswer AnswerCase(const QueueingCase& one, int simulated_requests);

} // namespace avocet
