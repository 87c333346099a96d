#pragma once

#include "controller/queueing/gamma_mixture.h"
#include "controller/queueing/latency_model.h"

namespace avocet {

/// What is known of a response time on a device that several requests share.
struct SharedResponse {
  ServicePart service;
  double idle = 1;           ///< P(an arrival finds nothing that delays it)
  double disturbing_rps = 0; ///< rate of the arrivals that would delay a request in service
  double mean_s = 0;
  double delay_variance = 0; ///< of the response given the service time
  double delay_skew = 0;     ///< 3 Cov(mean, variance of the response given the service time)
  double slow_down = 1;      ///< mean response over service, of a request once in service; >= 1
};

/// The distribution with this mean and variance, as: undelayed with probability
/// idle x E[exp(-disturbing_rps x service)], which is exact; else a shifted gamma.
GammaMixture MixtureOf(const SharedResponse& response);

} // namespace avocet
