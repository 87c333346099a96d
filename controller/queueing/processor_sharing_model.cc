#include "controller/queueing/processor_sharing_model.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <complex>
#include <numbers>

#include "controller/queueing/plain_complex.h"
#include "controller/queueing/service_classes.h"
#include "messages/invariant.h"

namespace avocet {
namespace {

using Complex = PlainComplex;

// Abate & Whitt 1995, as in fifo_inversion.cc; the functions inverted here are smooth.
constexpr double kA = 23; // discretisation error e^-A = 1e-10
constexpr int kTerms = 30;
constexpr int kAveraged = 12;
constexpr double kLeastSkew = 1e-3;

/// rho times the transform of the residual service, at the nodes y = (A + 2 k pi i) / (2 x), k = 0, 1, ...
/// It is b(y) of docs/models/sharing.md, eq. (S18).
class BusyWalk {
public:
  BusyWalk(const std::vector<ServicePart>& services, const std::vector<double>& rates, double x)
      : services_(services), rates_(rates), y_(kA / (2 * x)), distance_(0, std::numbers::pi / x) {
    for (const auto& service : services) { // constants by rotation instead of an exponential for each node
      values_.push_back(Exp(-y_ * service.mean_s));
      steps_.push_back(Exp(-distance_ * service.mean_s));
    }
  }

  Complex y() const { return y_; }

  Complex At() const {
    Complex sum(0);
    for (size_t i = 0; i < services_.size(); ++i) {
      const Complex transform =
          services_[i].scv == 0 ? values_[i] : Complex(Transform(services_[i], static_cast<std::complex<double>>(y_)));
      sum += rates_[i] * (1.0 - transform);
    }
    return sum / y_;
  }

  void Next() {
    y_ += distance_;
    for (size_t i = 0; i < values_.size(); ++i)
      values_[i] *= steps_[i];
  }

private:
  const std::vector<ServicePart>& services_;
  const std::vector<double>& rates_;
  Complex y_, distance_;
  std::vector<Complex> values_, steps_;
};

using Pair = std::array<double, 2>;

/// f(x) for two transforms at once, which `transforms(walk)` gives where the walk stands.
template <class Function> Pair Invert(const Function& transforms, BusyWalk walk, double x) {
  // docs/models/fifo.md, eq. (F26), with the constants of (S18).
  Pair sums{}, averages{};
  double weight = std::ldexp(1.0, -kAveraged); // binomial
  for (int k = 0; k <= kTerms + kAveraged; ++k, walk.Next()) {
    // Two transforms at once: the walk to the nodes costs more than either of them.
    const std::array<Complex, 2> terms = transforms(walk);
    const double sign = (k % 2 == 0 ? 1 : -1) * (k == 0 ? 0.5 : 1);

    for (size_t n = 0; n < sums.size(); ++n) {
      sums[n] += sign * terms[n].re;
      if (k >= kTerms) averages[n] += weight * sums[n];
    }
    // Partial sums are averaged with binomial weights: the alternating series converges much faster.
    if (k >= kTerms) weight *= static_cast<double>(kTerms + kAveraged - k) / (k - kTerms + 1);
  }

  const double scale = std::exp(kA / 2) / x;
  return {scale * averages[0], scale * averages[1]};
}

struct WeightedSize {
  double size, weight;
};

/// Two-point Gauss-Laguerre rule: nodes and weights match three moments of the gamma.
/// docs/models/sharing.md, eq. (S19).
std::array<WeightedSize, 2> SizesOf(const ServicePart& service) {
  const double mean = service.mean_s, scv = service.scv;
  if (scv <= 0) return {{{mean, 1}, {mean, 0}}};
  const double shape = 1 / scv, scale = mean * scv, root = std::sqrt(shape + 1);
  const double low = (shape + 1 - root) * scale, high = (shape + 1 + root) * scale;
  const double weight = (mean - low) / (high - low);
  return {{{low, 1 - weight}, {high, weight}}};
}

} // namespace

ProcessorSharingModel::ProcessorSharingModel(const DeviceLoad& load) : stretch_(1 + BurstinessShare(load)) {
  for (const auto& app : load.apps) {
    services_.push_back(app.service);
    for (const auto& part : ServiceParts(app.service)) {
      parts_.push_back(part);
      part_rates_.push_back(app.rate_rps * part.probability);
    }
    total_rate_ += app.rate_rps;
    rho_ += app.rate_rps * app.service.mean_s;
  }
  AVOCET_CHECK(rho_ < 1);
}

double ProcessorSharingModel::Mean(size_t app) const {
  // docs/models/sharing.md, eq. (S15).
  return services_[app].mean_s * (1 + stretch_ * rho_ / (1 - rho_));
}

Cumulants ProcessorSharingModel::ResponseOfSize(double x) const {
  // docs/models/sharing.md, eq. (S16) to (S18).
  // x^2 - E[(x-W)+^2] and x^3 - E[(x-W1-W2)+^3]: the differences are inverted, for nothing to cancel. In units
  // of x, for no power to overflow.
  const double c = 1 - rho_;
  const auto transforms = [&](const BusyWalk& walk) {
    const Complex busy = walk.At(), idle = 1.0 / (1.0 - busy), y = walk.y() * x;
    const Complex wait = c * idle, positive = (rho_ - busy) * idle, y3 = y * y * y; // positive: 1 - wait
    return std::array<Complex, 2>{2.0 * x * positive / y3, 6.0 * x * positive * (1.0 + wait) / (y3 * y)};
  };
  const auto [lost2, lost3] = Invert(transforms, BusyWalk(parts_, part_rates_, x), x);
  const double x_c = x / c, second = std::max(lost2, 0.0);
  // With 1/phi = 1 + a1 s + a2 s^2 + a3 s^3 the cumulants are a1, a1^2 - 2 a2, 2 a1^3 - 6 a1 a2 + 6 a3.
  return {x_c, x_c * x_c * second, x_c * x_c * x_c * (3 * second - lost3)};
}

/// docs/models/sharing.md, eq. (S19): central moments of the sizes' responses about the mean of all.
Cumulants ProcessorSharingModel::ResponseOf(const ServicePart& part) const {
  const double mean = part.mean_s / (1 - rho_);
  Cumulants sum{mean, 0, 0};
  for (const auto& [size, weight] : SizesOf(part)) {
    if (weight <= 0) continue;
    const Cumulants one = ResponseOfSize(size);
    const double off = one.mean - mean;
    sum.variance += weight * (one.variance + off * off);
    sum.third += weight * (one.third + off * (3 * one.variance + off * off));
  }
  return sum;
}

GammaMixture ProcessorSharingModel::OfPart(const ServicePart& service) const {
  // docs/models/sharing.md, eq. (S20).
  const Cumulants response = ResponseOf(service);
  const double undelayed = (1 - rho_) * Transform(service, total_rate_), delayed = 1 - undelayed;
  // Short requests escape more often: the service time of the undelayed is a gamma of smaller scale.
  const double short_s = service.mean_s / (1 + total_rate_ * service.mean_s * service.scv);
  const Cumulants alone = GammaCumulants(short_s, service.scv * short_s * short_s);

  GammaMixture mixture;
  mixture.Add({undelayed, 0, alone.mean, alone.variance});
  if (delayed <= 0) return mixture;
  // What is left for the delayed: central moments of both about the mean response.
  const double off = alone.mean - response.mean;
  // docs/models/sharing.md, eq. (S21).
  const double d = -undelayed * off / delayed;
  const double second = (response.variance - undelayed * (alone.variance + off * off)) / delayed;
  const double third = (response.third - undelayed * (alone.third + off * (3 * alone.variance + off * off))) / delayed;

  Cumulants rest{response.mean + d, second - d * d, third - d * (3 * second - 2 * d * d)};
  // Rounding, and sizes by two nodes only, may leave no skew: a shifted gamma needs some.
  rest.variance = std::max(rest.variance, 0.0);
  rest.third = std::max(rest.third, kLeastSkew * std::pow(rest.variance, 1.5));
  // Bursts stretch the delay.
  rest.mean += service.mean_s * (stretch_ - 1) * rho_ / (1 - rho_) / delayed;
  rest.variance *= stretch_ * stretch_;
  rest.third *= stretch_ * stretch_ * stretch_;

  mixture.Add(ShiftedGamma(delayed, rest));
  return mixture;
}

GammaMixture ProcessorSharingModel::Approximate(size_t app) const {
  GammaMixture mixture;
  for (const auto& part : ServiceParts(services_[app]))
    mixture.Add(part.probability, OfPart(part));
  return mixture;
}

} // namespace avocet
