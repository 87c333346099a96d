#pragma once

#include <cstddef>
#include <cstdint>
#include <random>
#include <vector>

#include "controller/queueing/latency_model.h"

namespace avocet {

/// One request of a simulation. Seconds.
struct SimulatedRequest {
  size_t app = 0; ///< position in the list that the source was made for
  double arrival_s = 0;
  double work_s = 0; ///< service time, without switch
};

/// Draws the requests of applications in order of arrival: rate, arrival_scv and service of each. Arrivals are
/// Poisson where arrival_scv is 1, else renewals with gamma intervals (evenly spaced with a drawn phase where it
/// is 0); services are as ServiceTime says. A function of the list and the seed.
class RequestSource {
public:
  /// Requires positive rates and at least one application.
  RequestSource(const std::vector<AppLoad>& apps, uint64_t seed);

  SimulatedRequest Next();

private:
  using Gamma = std::gamma_distribution<>;
  struct Part {
    double probability = 1;
    double mean_s = 0;
    Gamma gamma;
    bool varies = false;
  };
  using Service = std::vector<Part>;
  struct Renewal {
    size_t app = 0;
    double next_s = 0;
    double interval_s = 0; ///< used where it does not vary
    Gamma gamma;
    bool varies = false;
  };

  double Uniform() { return static_cast<double>(random_() >> 11) * 0x1p-53; }
  void AddRenewal(size_t app, const AppLoad& load);
  double Interval(Renewal& renewal) { return renewal.varies ? renewal.gamma(random_) : renewal.interval_s; }
  Part& PartOf(Service& service);
  SimulatedRequest Arrive(size_t app, double at_s);
  SimulatedRequest NextPoisson();

  std::mt19937_64 random_;
  std::vector<Service> services_; ///< by application
  std::vector<double> up_to_;     ///< cumulated Poisson rates
  std::vector<size_t> poisson_;   ///< the applications behind up_to_
  std::vector<Renewal> renewals_; ///< the others
  double poisson_next_s_ = 0;     ///< the next Poisson arrival; infinite where there are none
};

} // namespace avocet
