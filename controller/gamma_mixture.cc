#include "controller/gamma_mixture.h"

#include <algorithm>
#include <cmath>

#include <boost/math/special_functions/gamma.hpp>

#include "controller/root_finding.h"

namespace avocet {
namespace {

namespace policies = boost::math::policies;
using Quiet = policies::policy<policies::promote_double<false>, policies::overflow_error<policies::ignore_error>,
                               policies::underflow_error<policies::ignore_error>,
                               policies::evaluation_error<policies::ignore_error>>;

/// Below this squared coefficient of variation a gamma is a constant to within rounding.
constexpr double kConstantScv = 1e-12;
constexpr int kMaxDoublings = 1100; // covers every finite double

double GammaSurvival(double t, double mean, double variance) {
  if (t <= 0) return t < 0 || mean > 0 ? 1 : 0;
  if (mean <= 0) return 0;
  if (variance <= kConstantScv * mean * mean) return t < mean ? 1 : 0;
  return boost::math::gamma_q(mean * mean / variance, t * mean / variance, Quiet());
}

} // namespace

Cumulants GammaCumulants(double mean, double variance) {
  return {mean, variance, mean > 0 ? 2 * variance * variance / mean : 0};
}

MixturePart ShiftedGamma(double weight, const Cumulants& k) {
  if (k.variance <= 0 || k.third <= 0) return {weight, k.mean, 0, 0};
  // A gamma of shape a and scale b has variance a b^2 and third cumulant 2 a b^3.
  const double mean = std::min(2 * k.variance * k.variance / k.third, k.mean);
  return {weight, k.mean - mean, mean, k.variance};
}

void GammaMixture::Add(const MixturePart& part) {
  if (part.weight != 0) parts_.push_back(part);
}

void GammaMixture::Add(double weight, const GammaMixture& other) {
  for (auto part : other.parts_) {
    part.weight *= weight;
    Add(part);
  }
}

double GammaMixture::Mean() const {
  double mean = 0;
  for (const auto& part : parts_)
    mean += part.weight * (part.shift_s + part.mean_s);
  return mean;
}

double GammaMixture::Survival(double t) const {
  double sum = 0;
  for (const auto& part : parts_) {
    sum += part.weight * GammaSurvival(t - part.shift_s, part.mean_s, part.variance);
  }
  return std::clamp(sum, 0.0, 1.0);
}

double GammaMixture::Cdf(double t) const {
  return 1 - Survival(t);
}

double GammaMixture::UpperBound(double survival) const {
  double t = 1e-9;
  for (const auto& part : parts_) {
    t = std::max(t, part.shift_s + part.mean_s + 2 * std::sqrt(part.variance));
  }
  for (int i = 0; i < kMaxDoublings && Survival(t) > survival; ++i)
    t *= 2;
  return t;
}

double GammaMixture::Quantile(double p, double tolerance) const {
  const double survival = 1 - p;
  // Atoms first: exactly the smallest t where enough probability has come together.
  for (const auto& part : parts_) {
    const double t = part.shift_s + part.mean_s;
    if (part.variance > kConstantScv * part.mean_s * part.mean_s) continue;
    if (Survival(t) <= survival && Survival(std::nextafter(t, 0.0)) > survival) return t;
  }
  // log(survival) is close to a line in the tail, which suits the interpolation.
  const double target = std::log(survival);
  const auto excess = [&](double t) { return std::log(std::max(Survival(t), 1e-300)) - target; };
  double low = parts_.front().shift_s;
  for (const auto& part : parts_)
    low = std::min(low, part.shift_s);
  const double high = UpperBound(survival);
  return FindRoot(excess, {low, high, excess(low), excess(high)}, tolerance);
}

} // namespace avocet
