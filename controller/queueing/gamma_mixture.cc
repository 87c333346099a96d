#include "controller/queueing/gamma_mixture.h"

#include <algorithm>
#include <cmath>

#include <boost/math/special_functions/gamma.hpp>

#include "controller/queueing/root_finding.h"

namespace avocet {
namespace {

namespace policies = boost::math::policies;
using Quiet = policies::policy<policies::promote_double<false>, policies::overflow_error<policies::ignore_error>,
                               policies::underflow_error<policies::ignore_error>,
                               policies::evaluation_error<policies::ignore_error>>;
/// A third of the price.
using QuietSixDigits = policies::normalise<Quiet, policies::digits10<6>>::type;

/// Below this squared coefficient of variation a gamma is a constant to within rounding.
constexpr double kConstantScv = 1e-12;
constexpr int kMaxNewtonSteps = 8;
constexpr double kMaxNewtonScales = 4;
constexpr double kCoarse = 1e-5; ///< tolerances for which six digits do

template <class Precision> double GammaSurvival(double t, double mean, double variance) {
  if (t <= 0) return t < 0 || mean > 0 ? 1 : 0;
  if (mean <= 0) return 0;
  if (variance <= kConstantScv * mean * mean) return t < mean ? 1 : 0;
  return boost::math::gamma_q(mean * mean / variance, t * mean / variance, Precision());
}

/// Zero where the survival is the wanted one, and close to a line in the tail, which suits the interpolation.
double Excess(double survival, double wanted) {
  return std::log(std::max(survival, 1e-300) / wanted);
}

double GammaDensity(double t, double mean, double variance) {
  if (t <= 0 || mean <= 0 || variance <= kConstantScv * mean * mean) return 0;
  return boost::math::gamma_p_derivative(mean * mean / variance, t * mean / variance, Quiet()) * mean / variance;
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

template <class Precision> double GammaMixture::SurvivalBy(double t) const {
  double sum = 0;
  for (const auto& part : parts_) {
    sum += part.weight * GammaSurvival<Precision>(t - part.shift_s, part.mean_s, part.variance);
  }
  return std::clamp(sum, 0.0, 1.0);
}

double GammaMixture::Survival(double t) const {
  return SurvivalBy<Quiet>(t);
}

double GammaMixture::Cdf(double t) const {
  return 1 - Survival(t);
}

double GammaMixture::StandardDeviation() const {
  const double mean = Mean();
  double variance = 0;
  for (const auto& part : parts_) {
    const double off = part.shift_s + part.mean_s - mean;
    variance += part.weight * (part.variance + off * off);
  }
  return std::sqrt(std::max(variance, 0.0));
}

/// The smallest t inside the bracket where an atom brings the survival down to that. The others narrow the bracket.
std::optional<double> GammaMixture::AtomIn(Bracket& times, double survival) const {
  for (const auto& part : parts_) {
    const double t = part.shift_s + part.mean_s;
    if (part.variance > kConstantScv * part.mean_s * part.mean_s || t < times.low || t > times.high) continue;
    const double at = Survival(t), until = Survival(std::nextafter(t, 0.0));
    if (at <= survival && until > survival) return t;
    if (at > survival)
      times.low = t, times.at_low = Excess(at, survival);
    else
      times.high = t, times.at_high = Excess(until, survival);
  }
  return std::nullopt;
}

double GammaMixture::Density(double t) const {
  double sum = 0;
  for (const auto& part : parts_)
    sum += part.weight * GammaDensity(t - part.shift_s, part.mean_s, part.variance);
  return sum;
}

/// Newton's method on log(survival), which is close to a line in the tail. nullopt where it does not settle: near an
/// atom, or where hardly any time falls.
std::optional<double> GammaMixture::SmoothQuantile(const RootGuess& guess, double survival, double tolerance) const {
  const bool coarse = tolerance >= kCoarse;
  double t = guess.start;
  for (int step = 0; step < kMaxNewtonSteps; ++step) {
    const double at = coarse ? SurvivalBy<QuietSixDigits>(t) : Survival(t), density = Density(t);
    if (!(at > 0 && density > 0)) return std::nullopt;
    const double delta = std::log(at / survival) * at / density;
    t += delta;
    if (!(t > guess.least && std::abs(delta) < guess.scale * kMaxNewtonScales)) return std::nullopt;
    const double share = std::abs(delta) / t;
    if ((coarse ? share * share : share) <= tolerance) return t; // what is left is about the square, between atoms
  }
  return std::nullopt;
}

double GammaMixture::Quantile(double p, double tolerance) const {
  const double survival = 1 - p;
  RootGuess guess{0, StandardDeviation(), parts_.front().shift_s};
  for (const auto& part : parts_)
    guess.least = std::min(guess.least, part.shift_s);
  guess.start = std::max(Mean() - guess.scale * (std::log(survival) + 1), guess.least); // of an exponential
  if (const auto t = SmoothQuantile(guess, survival, tolerance)) return *t;
  const auto excess = [&](double t) { return Excess(Survival(t), survival); };
  Bracket bracket = BracketFrom(excess, guess);
  if (const auto atom = AtomIn(bracket, survival)) return *atom;
  return FindRoot(excess, bracket, tolerance);
}

} // namespace avocet
