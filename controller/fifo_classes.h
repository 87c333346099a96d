#pragma once

#include <cmath>
#include <vector>

#include "controller/latency_model.h"
#include "controller/service_classes.h"

namespace avocet {

/// A component of a class's service time: applications that share a model need not take equally long.
struct FifoPart {
  double weight = 0; ///< share of the class's requests
  ServiceTime service;
  double switch_s = 0;
};

/// A class of a FIFO device with switches: the applications of one model.
struct FifoClass {
  double rate_rps = 0;
  double share = 0;    ///< of the device's requests
  RawMoments plain;    ///< service after a request of the same class
  RawMoments switched; ///< service after a request of another class
  std::vector<FifoPart> parts;

  double overhead_s() const { return switched.first - plain.first; }
  /// Mean service, switches included: the previous request is of another class with 1 - share.
  double mean_s() const { return plain.first + (1 - share) * overhead_s(); }

  struct Transforms {
    double plain = 0;
    double switched = 0;
  };
  /// Plain(x) and Switched(x) for little more than the price of one.
  Transforms Both(double x) const {
    Transforms sum;
    for (const auto& part : parts) {
      const double plain = part.weight * Transform(part.service, x);
      sum.plain += plain;
      sum.switched += part.switch_s == 0 ? plain : plain * std::exp(-x * part.switch_s);
    }
    return sum;
  }
  template <class Number> Number Plain(Number x) const {
    Number sum(0);
    for (const auto& part : parts)
      sum += part.weight * Transform(part.service, x);
    return sum;
  }
  template <class Number> Number Switched(Number x) const {
    Number sum(0);
    for (const auto& part : parts)
      sum += part.weight * Transform(part.service, x) * std::exp(-x * part.switch_s);
    return sum;
  }
};

/// In order of model. A single class never switches, so its switch time counts as 0.
std::vector<FifoClass> FifoClassesOf(const DeviceLoad& load, const std::vector<ServiceClass>& classes);

double TotalRate(const std::vector<FifoClass>& classes);
/// sum of rate times mean service, switches included.
double OfferedLoad(const std::vector<FifoClass>& classes);

/// c_i = P(an arrival finds the device idle and class i was served last), step 1 to 3 of the M/SM/1
/// solution (see fifo_model.h). Non-negative; they sum to 1 - rho. Requires rho < 1.
std::vector<double> IdleProbabilities(const std::vector<FifoClass>& classes);

} // namespace avocet
