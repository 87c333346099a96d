#include "controller/queueing/time_shared_model.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <utility>

#include "controller/queueing/sharing_mixture.h"
#include "messages/invariant.h"

namespace avocet {
namespace {

constexpr int kMaxIterations = 500;
constexpr double kFixedPointTolerance = 1e-12;
constexpr double kMaxBusyShare = 0.999; // of rho

/// Nodes and weights on [0, 1] of the Gauss-Legendre rule, exact for polynomials of degree 2n - 1.
struct Quadrature {
  std::vector<double> nodes, weights;
};

struct Legendre {
  double value = 1;
  double derivative = 0;
};

Legendre LegendreAt(int n, double x) {
  double p0 = 1, p1 = x;
  for (int k = 2; k <= n; ++k)
    p0 = std::exchange(p1, ((2 * k - 1) * x * p1 - (k - 1) * p0) / k);
  return {p1, n * (x * p1 - p0) / (x * x - 1)};
}

Quadrature GaussLegendre(int n) {
  Quadrature rule;

  for (int i = 0; i < n; ++i) {
    // A start near enough that Newton finds the node of its index and not a neighbour's.
    double x = std::cos(std::numbers::pi * (i + 0.75) / (n + 0.5));
    for (int step = 0; step < 20; ++step) { // Newton: from this start it converges in 5
      const auto p = LegendreAt(n, x);
      x -= p.value / p.derivative;
    }

    const double slope = LegendreAt(n, x).derivative;
    rule.nodes.push_back((1 + x) / 2);
    rule.weights.push_back(1 / ((1 - x * x) * slope * slope));
  }

  return rule;
}

/// Exact for `executors` - 1 factors, up to 64 executors; very close beyond: docs/models/sharing.md, eq. (S3).
const Quadrature& QuadratureFor(size_t executors) {
  static const std::array<Quadrature, 4> kRules = {GaussLegendre(4), GaussLegendre(8), GaussLegendre(16),
                                                   GaussLegendre(32)};
  return kRules[executors <= 8 ? 0 : executors <= 16 ? 1 : executors <= 32 ? 2 : 3];
}

/// E[1/(1+N)] for every i, N the number of busy executors among the others (independent):
/// the integral over z in [0, 1] of prod_{j != i} (1 - u_j + u_j z). docs/models/sharing.md, eq. (S3).
std::vector<double> MeanShares(const std::vector<double>& busy) {
  const auto& rule = QuadratureFor(busy.size());
  std::vector<double> shares(busy.size(), 0.0);

  for (size_t k = 0; k < rule.nodes.size(); ++k) {
    const double z = rule.nodes[k];
    // The product over all, divided by each: linear instead of quadratic in the executors.
    double product = rule.weights[k];
    for (const double u : busy)
      product *= 1 - u + u * z;
    for (size_t i = 0; i < busy.size(); ++i)
      shares[i] += product / (1 - busy[i] + busy[i] * z);
  }

  return shares;
}

/// u with r_i = u_i E[1/(1 + busy others)], u_i <= limit: docs/models/sharing.md, eq. (S2). Damped, from below.
std::vector<double> BusyFixedPoint(const std::vector<double>& loads, double limit) {
  std::vector<double> busy = loads;
  for (int step = 0; step < kMaxIterations; ++step) {
    const auto shares = MeanShares(busy);
    double change = 0;
    for (size_t i = 0; i < busy.size(); ++i) {
      // Half a step at a time: a whole one may overshoot, as every other executor moves with it.
      const double next = (busy[i] + std::min(loads[i] / shares[i], limit)) / 2;
      change = std::max(change, std::abs(next - busy[i]));
      busy[i] = next;
    }
    if (change < kFixedPointTolerance) break;
  }

  return busy;
}

} // namespace

TimeSharedModel::TimeSharedModel(const DeviceLoad& load) {
  const auto classes = ClassesOf(load);

  executor_of_ = ClassOfApp(classes, load.apps.size());
  for (const auto& app : load.apps)
    services_.push_back(app.service);
  const double stretch = 1 + BurstinessShare(load);

  // A single executor never meets another one: it is a plain queue, which the FIFO model solves.
  if (classes.size() == 1) {
    single_.emplace(load);
    return;
  }

  // Applications of a model share its executor, so it serves their mixture.
  for (const auto& one : classes) {
    const double s = one.service.first;
    executors_.push_back({.rate_rps = one.rate_rps,
                          .load = one.rate_rps * s,
                          .service = {1, s, std::max(one.service.second / (s * s) - 1, 0.0)}});
    total_rate_ += one.rate_rps;
    rho_ += executors_.back().load;
  }

  // Busy probabilities first: the waits are proportional to a function of them.
  AVOCET_CHECK(rho_ < 1);
  SolveBusy();
  SolveWaits();

  // Bursts stretch waits only after the scaling: (S6) is a balance of Poisson arrivals.
  for (auto& one : executors_)
    one.wait_s *= stretch;
}

void TimeSharedModel::SolveBusy() {
  // docs/models/sharing.md, eq. (S1): the mean-field value needs only this sum.
  std::vector<double> loads;
  double a = 0;
  for (const auto& one : executors_) {
    loads.push_back(one.load);
    a += one.load / (1 + one.load);
  }

  // docs/models/sharing.md, eq. (S2) and (S4): mostly the mean field, more of the fixed point at high loads.
  const auto fixed_point = BusyFixedPoint(loads, rho_);
  const double w = 0.2 * rho_;

  for (size_t i = 0; i < executors_.size(); ++i) {
    auto& one = executors_[i];
    const double mean_field = a < 1 ? one.load / (1 - a) / (1 + one.load) : rho_;
    // An executor is busy at least its own load, and never always while the device is stable.
    const double mixed = std::pow(mean_field, 1 - w) * std::pow(fixed_point[i], w);

    one.busy = std::max(std::min(mixed, kMaxBusyShare * rho_), one.load);
    one.slow_down = one.busy / one.load;
  }
}

void TimeSharedModel::SolveWaits() {
  // docs/models/sharing.md, eq. (S7), unscaled, and both sides of (S6).
  double queued = 0, base_work = 0; // work in the queues; the same, before scaling
  for (auto& one : executors_) {
    const double s = one.service.mean_s, spread = 1 + one.service.scv;
    one.wait_s = s * spread * one.busy / std::pow(1 - one.busy, 0.75);
    queued += one.load * s * spread * (1 / (1 - rho_) - one.slow_down) / 2;
    base_work += one.load * one.wait_s;
  }

  // docs/models/sharing.md, eq. (S6): work is conserved whatever the order of service.
  const double scale = std::max(queued, 0.0) / base_work;
  for (auto& one : executors_)
    one.wait_s *= scale;
}

double TimeSharedModel::Mean(size_t app) const {
  if (single_) return single_->Mean(app);
  const auto& one = executors_[executor_of_[app]];
  return one.wait_s + one.slow_down * services_[app].mean_s; // docs/models/sharing.md, eq. (S8)
}

namespace {

// Fitted on simulated mixes; see the header.
constexpr std::array<double, 7> kFit = {-0.88, -1.42, -0.725, 0.654, 2.376, 0.965, 1.56};

} // namespace

/// Variance of the time in service that comes from the others' comings and goings: docs/models/sharing.md, eq. (S9).
double TimeSharedModel::SharingVariance(size_t i) const {
  const auto& own = executors_[i];
  double sum = 0;
  for (size_t j = 0; j < executors_.size(); ++j) {
    const auto& other = executors_[j];
    if (j == i) continue;
    const double z = other.slow_down * other.service.mean_s / (own.slow_down * own.service.mean_s);
    sum += 2 * other.busy * (1 - other.busy) * (z + z * z * std::expm1(-1 / z));
  }
  return own.service.mean_s * own.service.mean_s * std::exp(kFit[2] + kFit[6] * rho_) * std::max(sum, 0.0);
}

/// docs/models/sharing.md, eq. (S10), (S11).
double TimeSharedModel::DelayVariance(size_t i) const {
  const auto& own = executors_[i];
  const double sharing = SharingVariance(i);
  const double when_busy = own.wait_s / own.busy;
  const double scv =
      std::exp(kFit[0] + kFit[1] * rho_ + kFit[3] * std::log(std::max(own.slow_down, 1.0)) + kFit[4] * own.busy);
  const double wait = std::max(own.busy * (1 + scv) * when_busy * when_busy - own.wait_s * own.wait_s, 0.0);
  return sharing + wait + 2 * std::tanh(kFit[5]) * std::sqrt(sharing * wait);
}

/// docs/models/sharing.md, eq. (S12) to (S14).
GammaMixture TimeSharedModel::OfPart(size_t i, const ServicePart& part) const {
  const auto& own = executors_[i];
  return MixtureOf({.service = part,
                    .idle = 1 - rho_,
                    .disturbing_rps = total_rate_ - own.rate_rps,
                    .mean_s = own.wait_s + own.slow_down * part.mean_s,
                    .delay_variance = DelayVariance(i),
                    // The longer the request, the more there is to disturb it: its variance grows with it.
                    .delay_skew = 3 * own.slow_down * part.mean_s * part.scv * SharingVariance(i),
                    .slow_down = own.slow_down});
}

GammaMixture TimeSharedModel::Approximate(size_t app) const {
  if (single_) return single_->Approximate(app);
  GammaMixture mixture;
  for (const auto& part : ServiceParts(services_[app]))
    mixture.Add(part.probability, OfPart(executor_of_[app], part));
  return mixture;
}

} // namespace avocet
