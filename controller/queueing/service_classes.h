#pragma once

#include <cstddef>
#include <vector>

#include "controller/queueing/latency_model.h"

namespace avocet {

/// Applications that share a loaded model: what the queueing formulas call a class.
struct ServiceClass {
  std::vector<size_t> members; ///< positions in DeviceLoad::apps
  double rate_rps = 0;         ///< of all members
  RawMoments service;          ///< of a request of the class, without switch
};

/// One class per distinct model, in order of model.
std::vector<ServiceClass> ClassesOf(const DeviceLoad& load);

/// Position of each application's class in ClassesOf(load).
std::vector<size_t> ClassOfApp(const std::vector<ServiceClass>& classes, size_t apps);

/// Extra mean waiting work of arrivals that are burstier than Poisson, as a share of the mean wait
/// under Poisson arrivals: sum lam (ca2 - 1)+ s^2 / sum lam E[S^2], exact in heavy traffic for
/// independent renewal streams (Whitt, Bell Syst. Tech. J. 62, 1983). Streams smoother than Poisson
/// count as Poisson: the phases of periodic streams are frozen, so an average over them is no promise.
double BurstinessShare(const DeviceLoad& load);

} // namespace avocet
