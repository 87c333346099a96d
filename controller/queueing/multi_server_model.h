#pragma once

#include <vector>

#include "controller/queueing/gamma_mixture.h"
#include "controller/queueing/latency_model.h"

namespace avocet {

/// P(an arrival waits) in M/M/c with `offered` erlangs (rate x mean service), 0 <= offered < servers.
/// By the recursion of Erlang B, which neither overflows nor cancels. 1 where offered >= servers.
double ErlangC(int servers, double offered);

/// How many times its service time a request takes on average on `servers` cores under processor
/// sharing with `offered` erlangs: 1 + ErlangC/(c (1-rho)). Exact for Poisson arrivals and insensitive
/// to the service distribution (J. W. Cohen, "The multiple phase service network with generalized
/// processor sharing", Acta Informatica 12, 1979). Requires offered < servers.
double MultiServerSharingFactor(int servers, double offered);

/// c cores, first come first served, one request per core: M/G/c.
///
/// Mean wait: A. M. Lee, P. A. Longton (Oper. Res. Q. 10, 1959): (1 + scv)/2 times that of M/M/c, scv of
/// the mixture of all service times; exact for c = 1 and for exponential service. Wait given that
/// there is one: a gamma with the scv of the M/G/1 queue of the same load (exact for c = 1, and for
/// exponential service). One exponential service time: exact throughout.
/// Assumes Poisson arrivals; burstier ones stretch the wait by BurstinessShare. Errors: docs/MODELS.md.
class MultiServerModel {
public:
  /// Requires Utilization(load) < 1 and load.cores >= 1.
  explicit MultiServerModel(const DeviceLoad& load);

  double MeanWait() const { return wait_probability_ * wait_mean_; }
  double Mean(size_t app) const { return MeanWait() + services_[app].mean_s; }
  GammaMixture Approximate(size_t app) const;

private:
  GammaMixture OfPart(const ServicePart& part) const;

  std::vector<ServiceTime> services_;
  double wait_probability_ = 0;
  double wait_mean_ = 0; ///< given that there is a wait
  double wait_scv_ = 1;  ///< given that there is a wait
};

} // namespace avocet
