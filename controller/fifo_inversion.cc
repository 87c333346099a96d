// The exact distribution of FifoModel: numerical inversion of its transform, with the atoms split off.
#include <algorithm>
#include <array>
#include <cmath>
#include <complex>
#include <numbers>

#include "controller/fifo_model.h"
#include "controller/plain_complex.h"
#include "controller/root_finding.h"

namespace avocet {
namespace {

using Complex = PlainComplex;

// Abate & Whitt, "Numerical inversion of Laplace transforms of probability distributions" (ORSA J.
// Computing 7, 1995): an alternating series, its partial sums n .. n + m averaged with binomial weights.
constexpr double kA = 18.4; // discretisation error e^-A = 1e-8
constexpr int kTerms = 38;
constexpr int kAveraged = 11;
constexpr double kQuantileTolerance = 1e-5;
constexpr double kLeastSurvival = 1e-12; // the inversion knows no smaller ones
constexpr int kMaxWidenings = 200;
/// Nearer to saturation D(x) drowns in rounding, and the wait is gamma-distributed for all purposes.
constexpr double kMaxInvertedLoad = 0.9995;
/// So much after an atom, relatively, its probability counts whatever the rounding.
constexpr double kAtomMargin = 1e-12;

std::array<double, kAveraged + 1> BinomialWeights() {
  std::array<double, kAveraged + 1> weights{};
  double binomial = 1;
  for (int k = 0; k <= kAveraged; ++k) {
    weights[static_cast<size_t>(k)] = std::ldexp(binomial, -kAveraged);
    binomial = binomial * (kAveraged - k) / (k + 1);
  }
  return weights;
}

Complex GammaTransform(const ServiceTime& service, Complex x) {
  return Complex(Transform(service, static_cast<std::complex<double>>(x)));
}

/// w(x) and w_i(x), the transforms of the wait, and of the wait while class i was served last.
struct WaitTransforms {
  Complex all;
  Complex same;
};

/// exp(-x t) at equidistant nodes x, by rotation instead of an exponential for each.
struct Rotor {
  Complex value;
  Complex step;

  Rotor(double t, Complex first, Complex distance) : value(Exp(-first * t)), step(Exp(-distance * t)) {}
  void Next() { value *= step; }
};

/// The transforms of the wait at the nodes x = (A + 2 k pi i) / (2 u), k = 0, 1, ...
class NodeWalk {
public:
  NodeWalk(const std::vector<FifoClass>& classes, const std::vector<double>& idle, size_t own, double u)
      : classes_(classes), idle_(idle), own_(own), total_(TotalRate(classes)), x_(kA / (2 * u), 0),
        distance_(0, std::numbers::pi / u) {
    for (const auto& one : classes) {
      for (const auto& part : one.parts) {
        rotors_.push_back(
            {part.service.scv == 0, Rotor(part.service.mean_s, x_, distance_), Rotor(part.switch_s, x_, distance_)});
      }
    }
  }

  Complex x() const { return x_; }

  void Next() {
    x_ += distance_;
    for (auto& part : rotors_) {
      part.service.Next();
      part.change.Next();
    }
  }

  WaitTransforms At() const {
    Complex d_sum(1), c_sum(0), own_switched, own_d;
    auto rotor = rotors_.begin();
    for (size_t i = 0; i < classes_.size(); ++i) {
      Complex plain(0), switched(0);
      for (const auto& part : classes_[i].parts) {
        const Complex service =
            part.weight * (rotor->constant ? rotor->service.value : GammaTransform(part.service, x_));
        plain += service;
        switched += service * rotor++->change.value;
      }
      const Complex d = total_ - x_ - classes_[i].rate_rps * (plain - switched);
      const Complex inverse = 1.0 / d;
      d_sum -= classes_[i].rate_rps * switched * inverse;
      c_sum += idle_[i] * inverse;
      if (i == own_) own_switched = switched, own_d = d;
    }
    const Complex all = -x_ * c_sum / d_sum;
    return {all, (classes_[own_].rate_rps * own_switched * all - x_ * idle_[own_]) / own_d};
  }

private:
  struct PartRotors {
    bool constant;
    Rotor service;
    Rotor change;
  };

  const std::vector<FifoClass>& classes_;
  const std::vector<double>& idle_;
  size_t own_;
  double total_;
  Complex x_;
  Complex distance_;
  std::vector<PartRotors> rotors_;
};

/// f(u) of the transform `transform(walk)`, where the walk ends.
template <class Function> double Invert(const Function& transform, NodeWalk walk, double u) {
  static const auto kWeights = BinomialWeights();
  double sum = transform(walk).re / 2, average = 0;
  for (int k = 1; k <= kTerms + kAveraged; ++k) {
    walk.Next();
    const double term = transform(walk).re;
    sum += k % 2 == 0 ? term : -term;
    if (k >= kTerms) average += kWeights[static_cast<size_t>(k - kTerms)] * sum;
  }
  return std::exp(kA / 2) / u * average;
}

double ServiceCdf(const ServiceTime& service, double t) {
  GammaMixture one;
  one.Add({1, 0, service.mean_s, service.scv * service.mean_s * service.mean_s});
  return one.Cdf(t);
}

} // namespace

double FifoModel::InvertedCdf(const AppService& app, double t) const {
  const double p = classes_[app.class_index].share, c = idle_[app.class_index], c_other = std::max(1 - rho_ - c, 0.0);
  // P(0 < V <= u) for a part of mass m with transform f; V has a density, so the inversion is smooth.
  const auto inverse = [&](double mass, double u, const auto& f) {
    if (u <= 0 || mass <= 0) return 0.0;
    const auto tail = [&](const NodeWalk& walk) { return (mass - f(walk)) / walk.x(); };
    return std::clamp(mass - Invert(tail, NodeWalk(classes_, idle_, app.class_index, u), u), 0.0, mass);
  };
  const double atoms = c * ServiceCdf(app.service, t) + c_other * ServiceCdf(app.service, t - app.switch_s);
  if (app.service.scv > 0) {
    return atoms + inverse(rho_, t, [&](const NodeWalk& walk) {
             const auto w = walk.At();
             const Complex rest = w.all - w.same - c_other;
             return GammaTransform(app.service, walk.x()) * (w.same - c + rest * Exp(-walk.x() * app.switch_s));
           });
  }
  const double u = t - app.service.mean_s;
  return atoms + inverse(p - c, u, [&](const NodeWalk& walk) { return walk.At().same - c; }) +
         inverse(1 - p - c_other, u - app.switch_s, [&](const NodeWalk& walk) {
           const auto w = walk.At();
           return w.all - w.same - c_other;
         });
}

bool FifoModel::IsExact() const {
  return stretch_ == 1 && rho_ <= kMaxInvertedLoad;
}

double FifoModel::Cdf(size_t app, double t) const {
  if (!IsExact()) return Approximate(app).Cdf(t);
  return t < 0 ? 0 : std::min(InvertedCdf(apps_[app], t), 1.0);
}

/// The atoms at the service time and, with a switch, after it: no root search would end on one.
std::optional<double> FifoModel::AtomIn(const AppService& app, const Bracket& times, double p) const {
  if (app.service.scv > 0) return std::nullopt;
  const double c = idle_[app.class_index], jump = std::max(1 - rho_ - c, 0.0);
  const double first = app.service.mean_s, second = first + app.switch_s;
  if (p <= c + (app.switch_s > 0 ? 0 : jump)) return first;
  if (second < times.low || second > times.high) return std::nullopt;
  const double at_second = std::min(InvertedCdf(app, second * (1 + kAtomMargin)), 1.0);
  if (p <= at_second && p > at_second - jump) return second;
  return std::nullopt;
}

double FifoModel::Quantile(size_t app, double p) const {
  const double start = Approximate(app).Quantile(p);
  if (!IsExact()) return start;
  // log(survival) is close to a line in the tail, which suits the interpolation.
  const auto excess = [&](double t) { return std::log1p(-p) - std::log(std::max(1 - Cdf(app, t), kLeastSurvival)); };
  const double at_start = excess(start);
  Bracket bracket{start, start, at_start, at_start};
  for (int i = 0; i < kMaxWidenings && bracket.at_low > 0; ++i) {
    const double low = bracket.low * (i == 0 ? 0.98 : 0.8);
    bracket = {low, bracket.low, excess(low), bracket.at_low};
  }
  for (int i = 0; i < kMaxWidenings && bracket.at_high < 0; ++i) {
    const double high = bracket.high * (i == 0 ? 1.02 : 1.25);
    bracket = {bracket.high, high, bracket.at_high, excess(high)};
  }
  if (const auto atom = AtomIn(apps_[app], bracket, p)) return *atom;
  return FindRoot(excess, bracket, kQuantileTolerance);
}

} // namespace avocet
