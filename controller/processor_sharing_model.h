#pragma once

#include <vector>

#include "controller/gamma_mixture.h"
#include "controller/latency_model.h"

namespace avocet {

/// Every request in service at once, each with an equal share of the device: M/G/1 processor sharing.
///
/// Mean s/(1-rho): exact and insensitive to the distribution (L. Kleinrock, J. ACM 14, 1967).
/// Variance: S. F. Yashkov (Probl. Control Inf. Theory 12, 1983): of a request of size x,
///   Var T(x) = 2/(1-rho)^2 * Int_0^x (x-u) P(W > u) du, W the wait of the FIFO queue of the same load;
/// W given W > 0 is taken as a gamma with the exact first two moments.
/// Percentiles: P(T = x) exact, the rest a gamma with the remaining mean and variance. A fit; errors
/// in docs/MODELS.md. Assumes Poisson arrivals; burstier ones stretch the delay by BurstinessShare.
class ProcessorSharingModel {
public:
  /// Requires Utilization(load) < 1.
  explicit ProcessorSharingModel(const DeviceLoad& load);

  double Mean(size_t app) const;
  GammaMixture Approximate(size_t app) const;

private:
  struct Spread {
    double variance = 0; ///< of the response given the service time, averaged over the service times
    double skew = 0;     ///< 3 Cov(mean, variance of the response given the service time)
  };

  double DelayVarianceOfSize(double size_s) const;
  Spread SpreadOf(size_t app) const;

  std::vector<ServiceTime> services_;
  double rho_ = 0;
  double total_rate_ = 0;
  double wait_mean_ = 0;     ///< of W given W > 0
  double wait_variance_ = 0; ///< of W given W > 0
  double stretch_ = 1;       ///< >= 1, for arrivals burstier than Poisson
};

} // namespace avocet
