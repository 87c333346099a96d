#pragma once

#include <vector>

#include "controller/queueing/gamma_mixture.h"
#include "controller/queueing/latency_model.h"

namespace avocet {

/// Every request in service at once, each with an equal share of the device: M/G/1 processor sharing.
///
/// Mean s/(1-rho): exact and insensitive to the distribution (L. Kleinrock, J. ACM 14, 1967).
/// Variance and third moment: S. F. Yashkov (Probl. Control Inf. Theory 12, 1983), T. J. Ott (J. Appl. Probab.
/// 21, 1984): of a request of size x, 1 / E[exp(-s T(x))] = 1 + sum_n s^n a_n(x) with
///   a_n(x) = E[(x - W_1 - ... - W_(n-1))+^n] / (n! (1-rho)^n),
/// W_i independent waits of the FIFO queue of the same load. The transform of a_n is known, so numerical
/// inversion gives exact moments.
/// Percentiles: P(T = x) exact, the rest a shifted gamma with the remaining mean, variance and skew. A fit; errors
/// in docs/MODELS.md. Assumes Poisson arrivals; burstier ones stretch the delay by BurstinessShare.
class ProcessorSharingModel {
public:
  /// Requires Utilization(load) < 1.
  explicit ProcessorSharingModel(const DeviceLoad& load);

  double Mean(size_t app) const;
  GammaMixture Approximate(size_t app) const;

private:
  /// Of a request of size x, Poisson arrivals.
  Cumulants ResponseOfSize(double x) const;
  /// Of requests with this service time, Poisson arrivals.
  Cumulants ResponseOf(const ServicePart& part) const;
  GammaMixture OfPart(const ServicePart& part) const;

  std::vector<ServiceTime> services_; ///< by application
  std::vector<ServicePart> parts_;    ///< of all applications,
  std::vector<double> part_rates_;    ///< with their rates
  double rho_ = 0;
  double total_rate_ = 0;
  double stretch_ = 1; ///< >= 1, for arrivals burstier than Poisson
};

} // namespace avocet
