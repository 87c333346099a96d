#include "controller/queueing/request_source.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "messages/invariant.h"

namespace avocet {

RequestSource::RequestSource(const std::vector<AppLoad>& apps, uint64_t seed) : random_(seed) {
  AVOCET_CHECK(!apps.empty());
  double total = 0;
  // Samplers are made once: a gamma's set-up costs more than a draw.
  for (size_t i = 0; i < apps.size(); ++i) {
    auto& service = services_.emplace_back();

    for (const auto& part : ServiceParts(apps[i].service)) {
      const double mean = part.mean_s, scv = part.scv;
      service.push_back({part.probability, mean, scv > 0 ? Gamma(1 / scv, mean * scv) : Gamma(), scv > 0});
    }
    // Poisson streams are merged into one, which needs a single exponential for each request; others need a clock each.
    if (apps[i].arrival_scv == 1) {
      up_to_.push_back(total += apps[i].rate_rps);
      poisson_.push_back(i);
    } else {
      AddRenewal(i, apps[i]);
    }
  }

  poisson_next_s_ = poisson_.empty() ? std::numeric_limits<double>::infinity() : -std::log1p(-Uniform()) / total;
}

/// The first arrival is anywhere in an interval. For gamma intervals that is not quite stationary; the warm-up covers
/// it.
void RequestSource::AddRenewal(size_t app, const AppLoad& load) {
  const double mean = 1 / load.rate_rps, scv = load.arrival_scv;
  renewals_.push_back({app, mean * Uniform(), mean, scv > 0 ? Gamma(1 / scv, mean * scv) : Gamma(), scv > 0});
}

RequestSource::Part& RequestSource::PartOf(Service& service) {
  if (service.size() == 1) return service.front();
  double left = Uniform();
  for (auto& part : service) {
    left -= part.probability;
    if (left < 0) return part;
  }
  return service.back();
}

SimulatedRequest RequestSource::Arrive(size_t app, double at_s) {
  auto& part = PartOf(services_[app]);
  return {app, at_s, part.varies ? part.gamma(random_) : part.mean_s};
}

SimulatedRequest RequestSource::NextPoisson() {
  const auto it = std::upper_bound(up_to_.begin(), up_to_.end() - 1, Uniform() * up_to_.back());
  const auto request = Arrive(poisson_[static_cast<size_t>(it - up_to_.begin())], poisson_next_s_);
  poisson_next_s_ -= std::log1p(-Uniform()) / up_to_.back();
  return request;
}

SimulatedRequest RequestSource::Next() {
  const auto sooner = [](const Renewal& a, const Renewal& b) { return a.next_s < b.next_s; };
  const auto first = std::min_element(renewals_.begin(), renewals_.end(), sooner);
  if (first == renewals_.end() || poisson_next_s_ <= first->next_s) return NextPoisson();
  const double at = first->next_s;
  first->next_s += Interval(*first);
  return Arrive(first->app, at);
}

} // namespace avocet
