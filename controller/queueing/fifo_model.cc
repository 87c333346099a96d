#include "controller/queueing/fifo_model.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "controller/queueing/service_classes.h"

namespace avocet {
namespace {

/// Part of a mixture: the wait is positive with probability `weight`, has these raw moments (not
/// divided by the weight), and the service follows it.
struct DelayedPart {
  double weight = 0;
  double first = 0;
  double second = 0;
  double stretch = 1;
};

/// docs/models/fifo.md, eq. (F22): the sum of wait and service by its first three cumulants.
MixturePart AfterWait(const DelayedPart& wait, const ServicePart& service, double plus_s) {
  if (wait.weight <= 0) return {};
  const double mean = std::max(wait.first / wait.weight, 0.0) * wait.stretch;
  const double second = std::max(wait.second / wait.weight, 0.0) * wait.stretch * wait.stretch;
  const double s = service.mean_s;
  const Cumulants sum =
      GammaCumulants(mean, std::max(second - mean * mean, 0.0)) + GammaCumulants(s, service.scv * s * s);
  MixturePart part = ShiftedGamma(wait.weight, sum);
  part.shift_s += plus_s;
  return part;
}

/// docs/models/fifo.md, eq. (F22): exact, as only the service remains.
MixturePart WithoutWait(double weight, const ServicePart& service, double plus_s) {
  return {std::max(weight, 0.0), plus_s, service.mean_s, service.scv * service.mean_s * service.mean_s};
}

} // namespace

WaitBounds MeanWaitBounds(const ShortList<FifoClass>& classes) {
  // docs/models/fifo.md, eq. (F16): all but the part of the c_i is known without solving for them.
  const double rate = TotalRate(classes), idle = 1 - OfferedLoad(classes);
  double m2 = 0, known = 0, least = std::numeric_limits<double>::infinity(), most = 0;
  for (const auto& one : classes) { // as in SolveMoments, the correction apart
    const double p = one.share, overhead = p * one.overhead_s();
    m2 += p * (p * one.plain.second + (1 - p) * one.switched.second);
    known -= overhead * p * (1 - rate * one.mean_s());
    least = std::min(least, overhead);
    most = std::max(most, overhead);
  }
  const auto wait = [&](double correction) { return std::max((rate * m2 / 2 - correction) / idle, 0.0); };
  constexpr double kRounding = 1e-9;
  return {wait(known + idle * most) * (1 - kRounding), wait(known + idle * least) * (1 + kRounding)};
}

FifoModel::FifoModel(const DeviceLoad& load, Instructions instructions) : instructions_(instructions) {
  const auto groups = GroupByModel(load);
  classes_ = FifoClassesOf(load, groups);

  // The same rule as in FifoClassesOf: a single class never switches.
  for (size_t i = 0; i < load.apps.size(); ++i) {
    const double switch_s = classes_.size() > 1 ? load.apps[i].switch_s : 0;
    apps_.push_back({groups.group_of[i], load.apps[i].service, switch_s, load.apps[i].tail_s});
  }

  total_rate_ = TotalRate(classes_);
  rho_ = OfferedLoad(classes_);
  stretch_ = 1 + BurstinessShare(load);

  idle_.resize(classes_.size());
  IdleProbabilities(classes_, instructions_, {idle_.data(), idle_.size()});
  SolveMoments();
}

/// The transform of the wait while class j was served last obeys
///   w_j(x) (Lambda - x - lam_j (B_j - C_j)) = lam_j C_j w(x) - x c_j.
/// Its expansion at x = 0 to the second and third order gives E[W] and E[W^2].
void FifoModel::SolveMoments() {
  double m2 = 0, m3 = 0, correction = 0;
  ShortList<double> delta;

  // docs/models/fifo.md, eq. (F11), (F12) and the sum in (F13).
  for (size_t j = 0; j < classes_.size(); ++j) {
    const auto& one = classes_[j];
    const double p = one.share;
    m2 += p * (p * one.plain.second + (1 - p) * one.switched.second);
    m3 += p * (p * one.plain.third + (1 - p) * one.switched.third);
    // delta_j: how far the wait depends on the class served last. Where idleness is in proportion, it is 0.
    delta.push_back((idle_[j] - p * (1 - total_rate_ * one.mean_s())) / total_rate_);
    correction += p * one.overhead_s() * delta.back();
  }

  // docs/models/fifo.md, eq. (F13). Rounding must not make a mean negative.
  wait_ = std::max(total_rate_ * (m2 / 2 - correction) / (1 - rho_), 0.0);

  // docs/models/fifo.md, eq. (F14) and the sum in (F15), which need the mean wait.
  double sum = m2 * wait_ + m3 / 3;
  ShortList<double> excess;
  for (size_t j = 0; j < classes_.size(); ++j) {
    const auto& one = classes_[j];
    const double p = one.share, first = p * wait_ + delta[j];

    const double service2 = p * one.plain.second + (1 - p) * one.switched.second;
    excess.push_back(p * (2 * one.switched.first * wait_ + service2) -
                     2 * first * (1 / total_rate_ + p * one.overhead_s()));
    sum -= p * ((one.switched.second - one.plain.second) * delta[j] + one.overhead_s() * excess.back());
  }

  // docs/models/fifo.md, eq. (F15). A second moment below the square of the mean would give a negative variance.
  wait_squared_ = std::max(total_rate_ * sum / (1 - rho_), wait_ * wait_);

  // By class, as (F19) and (F22) want them; a part of the moments cannot exceed the whole.
  for (size_t j = 0; j < classes_.size(); ++j) {
    const double p = classes_[j].share;
    waits_.push_back(
        {std::clamp(p * wait_ + delta[j], 0.0, wait_), std::clamp(p * wait_squared_ + excess[j], 0.0, wait_squared_)});
  }
}

/// docs/models/fifo.md, eq. (F18).
double FifoModel::Mean(size_t app) const {
  const auto& a = apps_[app];
  return MeanWait() + a.service.mean_s + (1 - classes_[a.class_index].share) * a.switch_s + a.tail_s;
}

FifoModel::Bounds FifoModel::SurvivalBounds(size_t app, double t) const {
  const auto& a = apps_[app];
  const double p = classes_[a.class_index].share, same = waits_[a.class_index].first,
               floor = a.service.scv > 0 ? 0 : a.service.mean_s;

  const RawMoments plain = MomentsOf(a.service), switched = MomentsOf(a.service, a.switch_s);

  // docs/models/fifo.md, eq. (F19), of the response up to its tail.
  const double second =
      stretch_ * (stretch_ * wait_squared_ + 2 * (same * plain.first + (wait_ - same) * switched.first)) +
      p * plain.second + (1 - p) * switched.second;

  const double mean = Mean(app) - a.tail_s, over = t - a.tail_s - mean, excess = mean - floor; // up to the tail
  Bounds bounds;
  // docs/models/fifo.md, eq. (F20) above the mean, (F21) below it: each bound says something on one side only.
  if (over > 0) {
    const double variance = std::max(second - mean * mean, 0.0);
    bounds.most = variance / (variance + over * over);
  } else if (excess > 0) {
    const double excess_second = std::max(second - floor * (2 * mean - floor), excess * excess);
    bounds.least = std::min(over * over / excess_second, 1.0);
  }

  return bounds;
}

GammaMixture FifoModel::Approximate(size_t app) const {
  const auto& a = apps_[app];
  const double p = classes_[a.class_index].share, c = idle_[a.class_index];
  const auto& same = waits_[a.class_index];

  const double idle_other = std::max(1 - rho_ - c, 0.0);
  GammaMixture mixture;
  // docs/models/fifo.md, eq. (F22): two cases after the same class, two after another one.
  for (const auto& part : ServiceParts(a.service)) {
    GammaMixture one;
    one.Add(WithoutWait(c, part, a.tail_s));
    one.Add(AfterWait({p - c, same.first, same.second, stretch_}, part, a.tail_s));
    // With one class nothing is ever switched, and the other two cases have no weight.
    if (classes_.size() > 1) {
      one.Add(WithoutWait(idle_other, part, a.switch_s + a.tail_s));
      one.Add(AfterWait({1 - p - idle_other, wait_ - same.first, wait_squared_ - same.second, stretch_}, part,
                        a.switch_s + a.tail_s));
    }

    mixture.Add(part.probability, one);
  }

  return mixture;
}

} // namespace avocet
