#include "controller/processor_sharing_model.h"

#include <cmath>

#include "controller/service_classes.h"
#include "controller/sharing_mixture.h"

namespace avocet {
namespace {

/// E[X; X <= t] for X of GammaMixture({1, 0, mean, variance}) is mean * P(X' <= t), X' of one more
/// shape; likewise for the second moment.
double GammaCdf(double mean, double variance, double extra_shape, double t) {
  const double scale = variance / mean, shape = mean / scale + extra_shape;
  GammaMixture one;
  one.Add({1, 0, shape * scale, shape * scale * scale});
  return one.Cdf(t);
}

} // namespace

ProcessorSharingModel::ProcessorSharingModel(const DeviceLoad& load) : stretch_(1 + BurstinessShare(load)) {
  RawMoments work; // per second
  for (const auto& app : load.apps) {
    services_.push_back(app.service);
    total_rate_ += app.rate_rps;
    work += app.rate_rps * MomentsOf(app.service);
  }
  rho_ = work.first;
  const double wait = work.second / (2 * (1 - rho_));
  const double wait_squared = 2 * wait * wait + work.third / (3 * (1 - rho_));
  wait_mean_ = wait / rho_;
  wait_variance_ = wait_squared / rho_ - wait_mean_ * wait_mean_;
}

double ProcessorSharingModel::Mean(size_t app) const {
  return services_[app].mean_s * (1 + stretch_ * rho_ / (1 - rho_));
}

double ProcessorSharingModel::DelayVarianceOfSize(double x) const {
  // Int_0^x (x-u) P(W>u) du = E[x m - m^2/2], m = min(W, x).
  const double m = wait_mean_, v = wait_variance_, above = 1 - GammaCdf(m, v, 0, x);
  const double first = m * GammaCdf(m, v, 1, x) + x * above;
  const double second = (v + m * m) * GammaCdf(m, v, 2, x) + x * x * above;
  return 2 * rho_ / ((1 - rho_) * (1 - rho_)) * (x * first - second / 2);
}

ProcessorSharingModel::Spread ProcessorSharingModel::SpreadOf(size_t app) const {
  const auto& [mean, scv] = services_[app];
  const double squared = stretch_ * stretch_;
  if (scv == 0) return {squared * DelayVarianceOfSize(mean), 0};
  // Two-point Gauss-Laguerre rule: nodes and weights match three moments of the gamma.
  const double shape = 1 / scv, scale = mean * scv, root = std::sqrt(shape + 1);
  const double low = (shape + 1 - root) * scale, high = (shape + 1 + root) * scale;
  const double weight = (mean - low) / (high - low);
  const double at_low = squared * DelayVarianceOfSize(low), at_high = squared * DelayVarianceOfSize(high);
  const double covariance = weight * (1 - weight) * (high - low) * (at_high - at_low);
  return {(1 - weight) * at_low + weight * at_high, 3 * covariance / (1 - rho_)};
}

GammaMixture ProcessorSharingModel::Approximate(size_t app) const {
  const Spread spread = SpreadOf(app);
  return MixtureOf({.service = services_[app],
                    .idle = 1 - rho_,
                    .disturbing_rps = total_rate_,
                    .mean_s = Mean(app),
                    .delay_variance = spread.variance,
                    .delay_skew = spread.skew,
                    .slow_down = 1 / (1 - rho_)});
}

} // namespace avocet
