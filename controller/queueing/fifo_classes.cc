#include "controller/queueing/fifo_classes.h"

#include <algorithm>
#include <numeric>

namespace avocet {
namespace {

void AddPart(FifoClass& one, const FifoPart& part) {
  for (auto& known : one.parts) {
    if (known.mean_s != part.mean_s || known.scv != part.scv || known.switch_s != part.switch_s) continue;
    known.weight += part.weight;
    return;
  }
  one.parts.push_back(part);
}

void AddApp(FifoClass& one, const AppLoad& app, double switch_s) {
  const double share = app.rate_rps / one.rate_rps;
  one.plain += share * MomentsOf(app.service);
  one.switched += share * MomentsOf(app.service, switch_s);
  for (const auto& part : ServiceParts(app.service))
    AddPart(one, {share * part.probability, part.mean_s, part.scv, switch_s});
}

} // namespace

ModelGroups GroupByModel(const DeviceLoad& load) {
  const auto& apps = load.apps;
  ShortList<size_t> firsts; // of each group
  ModelGroups groups;

  // Linear search: a device hosts few models, and a map would allocate on the path of every decision.
  for (size_t i = 0; i < apps.size(); ++i) {
    const auto known =
        std::find_if(firsts.begin(), firsts.end(), [&](size_t j) { return apps[j].model == apps[i].model; });
    groups.group_of.push_back(static_cast<size_t>(known - firsts.begin()));
    if (known == firsts.end()) firsts.push_back(i);
  }

  groups.count = firsts.size();

  // Classes are ordered by model and not by arrival, so that equal loads in another order give equal bits.
  ShortList<size_t> order(groups.count), rank(groups.count);
  std::iota(order.begin(), order.end(), size_t{0});
  std::sort(order.begin(), order.end(),
            [&](size_t a, size_t b) { return apps[firsts[a]].model < apps[firsts[b]].model; });

  // Positions in the order of arrival become ranks.
  for (size_t n = 0; n < order.size(); ++n)
    rank[order[n]] = n;
  for (auto& group : groups.group_of)
    group = rank[group];

  return groups;
}

ShortList<FifoClass> FifoClassesOf(const DeviceLoad& load, const ModelGroups& groups) {
  ShortList<FifoClass> classes(groups.count);
  double total = 0;

  for (size_t i = 0; i < load.apps.size(); ++i) {
    classes[groups.group_of[i]].rate_rps += load.apps[i].rate_rps;
    total += load.apps[i].rate_rps;
  }

  // The model after a switch is always another one; with one class there is no other.
  const bool switches = groups.count > 1;
  for (size_t i = 0; i < load.apps.size(); ++i)
    AddApp(classes[groups.group_of[i]], load.apps[i], switches ? load.apps[i].switch_s : 0);

  for (auto& one : classes)
    one.share = one.rate_rps / total;
  return classes;
}

double TotalRate(const ShortList<FifoClass>& classes) {
  return std::accumulate(classes.begin(), classes.end(), 0.0,
                         [](double sum, const FifoClass& one) { return sum + one.rate_rps; });
}

double OfferedLoad(const ShortList<FifoClass>& classes) {
  // docs/models/fifo.md, eq. (F2).
  return std::accumulate(classes.begin(), classes.end(), 0.0,
                         [](double sum, const FifoClass& one) { return sum + one.rate_rps * one.mean_s(); });
}

} // namespace avocet
