#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "controller/queueing/latency_model.h"

namespace avocet {

/// How a simulation is run. The answer is a function of the load and of these.
struct SimulationOptions {
  uint64_t seed = 1;
  /// Those counted, of all applications together; a tenth more before them are not. Under sharing those that end
  /// before the same arrival as the last one count, too.
  int requests = 200000;
  int workers = 1;           ///< kTimeShared: requests of one model in service at once, >= 1
  bool shared_cores = false; ///< kMultiServer: processor sharing on the cores instead of first come first served
};

/// The response times that a simulation saw, by application. Immutable.
class ResponseSample {
public:
  explicit ResponseSample(std::vector<std::vector<double>> responses) : responses_(std::move(responses)) {}

  size_t Count(size_t app) const { return responses_[app].size(); }
  double Mean(size_t app) const;                ///< 0 without a request
  double Quantile(size_t app, double p) const;  ///< 0 without a request; linear in the number of requests
  double Cdf(size_t app, double limit_s) const; ///< share of the requests that took at most so long

private:
  std::vector<std::vector<double>> responses_; ///< seconds
};

/// Plays a load request by request: Poisson arrivals, gamma (or constant) service, every discipline.
/// Independent of the formulas: kFifo and kMultiServer by Lindley's recursion, sharing by events in virtual
/// time. Pure and deterministic; the cost is bounded by `requests` (of each: docs/MODELS.md) and does not depend on
/// the utilization, which must be below 1. Sampling error at 100,000 requests and utilization 0.8: about
/// 1 % on the mean, 2 % on p95, more for applications with a small share of the requests.
ResponseSample Simulate(const DeviceLoad& load, const SimulationOptions& options = {});

} // namespace avocet
