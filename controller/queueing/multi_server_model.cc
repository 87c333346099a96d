#include "controller/queueing/multi_server_model.h"

#include <algorithm>
#include <cmath>

#include "controller/queueing/service_classes.h"
#include "messages/invariant.h"

namespace avocet {
namespace {

/// Rates closer than this (relative) are one: the two exponentials of the sum become an Erlang.
constexpr double kSameRate = 1e-6;

bool IsExponential(double scv) {
  return std::abs(scv - 1) < 1e-12;
}

/// The sum of two exponential times, weighted: the difference of two exponentials.
void AddExponentialSum(GammaMixture& mixture, double weight, double mean_a, double mean_b) {
  if (std::abs(mean_a - mean_b) < kSameRate * mean_a) {
    const double mean = mean_a + mean_b;
    mixture.Add({weight, 0, mean, mean * mean / 2});
    return;
  }
  mixture.Add({weight * mean_a / (mean_a - mean_b), 0, mean_a, mean_a * mean_a});
  mixture.Add({-weight * mean_b / (mean_a - mean_b), 0, mean_b, mean_b * mean_b});
}

} // namespace

double ErlangC(int servers, double offered) {
  if (offered >= servers) return 1;
  double blocking = 1; // Erlang B with k servers
  for (int k = 1; k <= servers; ++k)
    blocking = offered * blocking / (k + offered * blocking);
  const double rho = offered / servers;
  return blocking / (1 - rho * (1 - blocking));
}

double MultiServerSharingFactor(int servers, double offered) {
  AVOCET_CHECK(offered < servers);
  return 1 + ErlangC(servers, offered) / (servers - offered);
}

MultiServerModel::MultiServerModel(const DeviceLoad& load) {
  double rate = 0;
  RawMoments m;

  // One queue for all: what matters of the applications is their mixture.
  for (const auto& app : load.apps) {
    services_.push_back(app.service);
    rate += app.rate_rps;
    m += app.rate_rps * MomentsOf(app.service);
  }

  const double offered = m.first, rho = offered / load.cores;
  AVOCET_CHECK(load.cores >= 1 && rho < 1);
  m = 1 / rate * m;
  const double mixture_scv = m.second / (m.first * m.first) - 1;

  // The mean by Lee and Longton: Erlang's wait, scaled by the variability; bursts add theirs.
  wait_probability_ = ErlangC(load.cores, offered);
  wait_mean_ = (1 + BurstinessShare(load)) * (1 + mixture_scv) / 2 * m.first / (load.cores - offered);
  // Exact for one server, by the third moment; more servers keep the shape.
  wait_scv_ = 2 * rho - 1 + 4 * m.third * m.first * (1 - rho) / (3 * m.second * m.second);
}

GammaMixture MultiServerModel::OfPart(const ServicePart& part) const {
  const double s = part.mean_s, scv = part.scv;
  GammaMixture mixture;
  mixture.Add({1 - wait_probability_, 0, s, scv * s * s});
  if (IsExponential(scv) && IsExponential(wait_scv_)) {
    AddExponentialSum(mixture, wait_probability_, s, wait_mean_);
    return mixture;
  }
  const Cumulants wait = GammaCumulants(wait_mean_, std::max(wait_scv_, 0.0) * wait_mean_ * wait_mean_);
  mixture.Add(ShiftedGamma(wait_probability_, wait + GammaCumulants(s, scv * s * s)));
  return mixture;
}

GammaMixture MultiServerModel::Approximate(size_t app) const {
  GammaMixture mixture;
  for (const auto& part : ServiceParts(services_[app]))
    mixture.Add(part.probability, OfPart(part));
  return mixture;
}

} // namespace avocet
