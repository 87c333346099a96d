#pragma once

#include <complex>
#include <cstddef>
#include <vector>

namespace avocet {

/// A component of a service time: gamma-distributed; a constant where the SCV is 0, exponential where it is 1.
struct ServicePart {
  double probability = 1; ///< of a mixture's parts: > 0, together 1
  double mean_s = 0;      ///< > 0
  double scv = 0;         ///< >= 0, variance over squared mean
};

/// A service-time distribution, and how well its mean is known. Seconds.
struct ServiceTime {
  double mean_s = 0; ///< > 0
  double scv = 0;    ///< >= 0
  /// Empty: one gamma (see ServicePart) with that mean and SCV. Else a mixture that has them: ServiceMixture.
  std::vector<ServicePart> parts = {};
  double observations = 0; ///< requests that the mean rests on; 0: it is taken as certain
};

/// Parts of a mixture that the models accept; each costs as much as an application.
inline constexpr size_t kMaxServiceParts = 8;

/// Requires parts as described; scales their probabilities to a sum of 1.
ServiceTime ServiceMixture(std::vector<ServicePart> parts);

/// What a service time consists of: its parts, or itself as the only one. Borrows.
class ServiceParts {
public:
  explicit ServiceParts(const ServiceTime& service) : alone_{1, service.mean_s, service.scv}, service_(service) {}
  const ServicePart* begin() const { return service_.parts.empty() ? &alone_ : service_.parts.data(); }
  const ServicePart* end() const { return begin() + (service_.parts.empty() ? 1 : service_.parts.size()); }

private:
  ServicePart alone_;
  const ServiceTime& service_;
};

/// First three raw moments of a time.
struct RawMoments {
  double first = 0;
  double second = 0;
  double third = 0;

  RawMoments& operator+=(const RawMoments& other);
  friend RawMoments operator*(double weight, const RawMoments& moments);
};

/// Moments of a service time plus a constant.
RawMoments MomentsOf(const ServicePart& part, double plus_s = 0);
RawMoments MomentsOf(const ServiceTime& service, double plus_s = 0);

/// Laplace-Stieltjes transform E[exp(-x S)] of one part (its probability left out), x >= 0 or Re x >= 0.
double Transform(const ServicePart& part, double x);
std::complex<double> Transform(const ServicePart& part, std::complex<double> x);

/// One-sided 95 % quantile of the normal distribution.
inline constexpr double kZ95 = 1.6449;

/// Of the mean: mean sqrt(scv / observations); 0 where it is taken as certain.
double StandardError(const ServiceTime& service);

/// The one-sided 95 % upper confidence bound of the mean, by the normal approximation, takes the place of
/// the mean, and is certain from then on. The shape stays.
ServiceTime AtUpperEnd(const ServiceTime& service);

} // namespace avocet
