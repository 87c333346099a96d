#include "controller/placement/paper_admission.h"

#include <algorithm>
#include <map>

#include "controller/placement/filters.h"
#include "controller/queueing/paper_model.h"

namespace avocet {
namespace {

/// Where there is no bounded answer: longer than any objective.
constexpr double kForever = 1e6;

struct PaperClass {
  double rate_rps = 0;
  double response_s = 0; ///< T_i
  double objective_s = kForever;
};

double CoreShare(const Candidate& c) {
  if (!c.demand()) return 0;
  return c.after().load.apps.back().rate_rps * ToSeconds(c.request().preprocess) / c.after().preprocessing.speed;
}

std::map<ModelId, PaperClass> ClassesOf(const Candidate& c) {
  const DeviceLoad& load = c.after().load;
  const auto means = PaperMeans(load);
  const double share = CoreShare(c), work = ToSeconds(c.request().preprocess) / c.after().preprocessing.speed;

  // Their test is by model and not by application: sharers have one queue, and the strictest objective counts.
  std::map<ModelId, PaperClass> classes;
  for (size_t i = 0; i < load.apps.size(); ++i) {
    const Application& app = *c.after().tenants[i].app;
    auto& one = classes[load.apps[i].model];

    one.rate_rps += load.apps[i].rate_rps;
    one.objective_s = std::min(one.objective_s, ToSeconds(app.objective.latency));
    const double network = ToSeconds(app.network_allowance);
    // Without a mean (unstable) or a core left no response exists; infinite fails every objective.
    one.response_s = means.empty() || share >= 1 ? kForever : means[i] + work / (1 - share) + network;
  }

  return classes;
}

} // namespace

PaperBound PaperFrontEnd(const Candidate& c) {
  const bool tpu = c.device().spec.kind == DeviceKind::kEdgeTpu;
  // "At most" where the others say "below": as good as equal.
  PaperBound worst{tpu ? 1 : kBaselineBound, CoreShare(c)};
  for (const auto& [model, one] : ClassesOf(c)) {
    const double busy = one.rate_rps * one.response_s;
    if (busy / kBaselineBound > worst.found / worst.bound) worst = {kBaselineBound, busy};
  }
  return worst;
}

PaperBound PaperResponse(const Candidate& c) {
  PaperBound worst{kForever, 0};
  for (const auto& [model, one] : ClassesOf(c)) {
    if (one.response_s / one.objective_s > worst.found / worst.bound) worst = {one.objective_s, one.response_s};
  }
  return worst;
}

} // namespace avocet
