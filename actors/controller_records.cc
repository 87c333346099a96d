#include "actors/controller_records.h"

#include <algorithm>

#include "storage/records.h"

namespace avocet {
namespace {

/// Reads a table and hands each record to `take`.
template <class T, class Take> Status ForEach(const Store& store, Table<T> table, Take take) {
  auto all = LoadAll(store, table);
  if (!all.ok()) return all.status();
  for (auto& record : *all)
    take(std::move(record));
  return {};
}

/// Nodes bring their devices back, away until an agent registers.
void AddNode(ClusterView& view, const NodeInfo& node) {
  view.nodes[node.id] = node;
  for (const auto& spec : node.devices) {
    auto& device = view.devices[spec.id()];
    device.spec = spec;
    device.fit.device = spec.id();
  }
}

void AddFit(ClusterView& view, const DeviceFit& fit) {
  const auto device = view.devices.find(fit.device);
  if (device != view.devices.end()) device->second.fit = fit;
}

void AddPlacement(ClusterView& view, Placement placement) {
  placement.phase = PlacementPhase::kLost;
  placement.reason = "waiting for its node";
  view.placements[placement.app] = std::move(placement);
}

Status LoadView(const Store& store, ClusterView& view) {
  AVOCET_RETURN_IF_ERROR(ForEach(store, kNodes, [&](const NodeInfo& node) { AddNode(view, node); }));
  AVOCET_RETURN_IF_ERROR(ForEach(store, kDeviceFits, [&](const DeviceFit& fit) { AddFit(view, fit); }));
  AVOCET_RETURN_IF_ERROR(ForEach(store, kModels, [&](Model model) { view.models[model.id()] = std::move(model); }));
  AVOCET_RETURN_IF_ERROR(ForEach(store, kProfiles, [&](Profile p) { view.profiles[p.key()] = std::move(p); }));
  AVOCET_RETURN_IF_ERROR(ForEach(store, kApplications, [&](Application a) { view.apps[a.name] = std::move(a); }));
  return ForEach(store, kPlacements, [&](Placement p) { AddPlacement(view, std::move(p)); });
}

/// Those whose last decision was a refusal, the latest kMaxRefused of them.
std::vector<Application> RefusedOf(const ControllerRecords& records) {
  std::vector<const Decision*> refusals;
  for (const auto& [app, decision] : records.decisions) {
    if (decision.kind == DecisionKind::kReject && !records.view.apps.contains(app)) refusals.push_back(&decision);
  }
  std::sort(refusals.begin(), refusals.end(),
            [](const Decision* a, const Decision* b) { return a->decided_at < b->decided_at; });
  const size_t first = refusals.size() > kMaxRefused ? refusals.size() - kMaxRefused : 0;
  std::vector<Application> refused;
  for (size_t i = first; i < refusals.size(); ++i)
    refused.push_back(refusals[i]->app);
  return refused;
}

} // namespace

Result<ControllerRecords> LoadControllerRecords(const Store& store) {
  ControllerRecords records;
  AVOCET_RETURN_IF_ERROR(LoadView(store, records.view));
  AVOCET_RETURN_IF_ERROR(ForEach(store, kDecisions, [&](Decision d) { records.decisions[d.app.name] = std::move(d); }));
  records.view.refused = RefusedOf(records);
  AVOCET_RETURN_IF_ERROR(ForEach(store, kEvents, [&](Event event) { records.events.push_back(std::move(event)); }));
  auto epoch = Load(store, kLastEpoch);
  if (!epoch.ok()) return epoch.status();
  records.last_epoch = epoch->value_or(0);
  return records;
}

} // namespace avocet
