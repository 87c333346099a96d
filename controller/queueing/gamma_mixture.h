#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "controller/queueing/root_finding.h"

namespace avocet {

/// The first three cumulants of a time: mean, variance, third central moment. Those of a sum of
/// independent times are the sums.
struct Cumulants {
  double mean = 0;
  double variance = 0;
  double third = 0;

  Cumulants operator+(const Cumulants& other) const {
    return {mean + other.mean, variance + other.variance, third + other.third};
  }
};

/// Cumulants of a gamma-distributed time; a constant when the variance is 0.
Cumulants GammaCumulants(double mean, double variance);

/// One part of a mixture: with probability `weight` the time is `shift_s` plus a gamma-distributed one
/// (a constant when its variance is 0).
struct MixturePart {
  double weight = 0;
  double shift_s = 0;
  double mean_s = 0;
  double variance = 0;
};

/// The shifted gamma distribution (Pearson type III) with these cumulants. Exact for a constant plus
/// a gamma; a close fit for the sum of two gammas.
MixturePart ShiftedGamma(double weight, const Cumulants& cumulants);

/// A response-time distribution as a mixture of shifted gammas. Value type.
/// Percentiles follow by root finding; Cdf costs about 0.2 us per part.
class GammaMixture {
public:
  /// Parts without weight are left out. Weights may be negative as long as the whole is a distribution.
  void Add(const MixturePart& part);
  void Add(double weight, const GammaMixture& other);

  double Mean() const;
  double StandardDeviation() const;
  double Cdf(double t) const;      ///< P(time <= t)
  double Survival(double t) const; ///< P(time > t), accurate in the tail
  /// Smallest t with Cdf(t) >= p, to about the tolerance, relative; p in [0, 1).
  double Quantile(double p, double tolerance = 1e-10) const;

private:
  template <class Precision> double SurvivalBy(double t) const;
  double Density(double t) const; ///< atoms apart
  std::optional<double> SmoothQuantile(const RootGuess& guess, double survival, double tolerance) const;
  std::optional<double> AtomIn(Bracket& times, double survival) const;

  std::vector<MixturePart> parts_;
};

} // namespace avocet
