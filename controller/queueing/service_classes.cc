#include "controller/queueing/service_classes.h"

#include <algorithm>
#include <map>

namespace avocet {
std::vector<ServiceClass> ClassesOf(const DeviceLoad& load) {
  // Ordered by model: sums run in the same order whatever the order of the applications.
  std::map<ModelId, ServiceClass> by_model;
  for (size_t i = 0; i < load.apps.size(); ++i) {
    auto& one = by_model[load.apps[i].model];
    one.members.push_back(i);
    one.rate_rps += load.apps[i].rate_rps;
  }

  // Shares need the whole rate of the class, so moments are a second pass.
  std::vector<ServiceClass> classes;
  for (auto& [model, one] : by_model) {
    for (const size_t i : one.members)
      one.service += load.apps[i].rate_rps / one.rate_rps * MomentsOf(load.apps[i].service);
    classes.push_back(std::move(one));
  }

  return classes;
}

std::vector<size_t> ClassOfApp(const std::vector<ServiceClass>& classes, size_t apps) {
  std::vector<size_t> position(apps);
  for (size_t k = 0; k < classes.size(); ++k) {
    for (const size_t i : classes[k].members)
      position[i] = k;
  }
  return position;
}

double BurstinessShare(const DeviceLoad& load) {
  // docs/models/fifo.md, eq. (F17), less 1. Arrivals smoother than Poisson count as Poisson: a phase is no promise.
  double extra = 0, base = 0;
  for (const auto& app : load.apps) {
    const double s = app.service.mean_s;
    extra += app.rate_rps * std::max(app.arrival_scv - 1, 0.0) * s * s;
    base += app.rate_rps * MomentsOf(app.service).second;
  }
  return base > 0 ? extra / base : 0;
}

} // namespace avocet
