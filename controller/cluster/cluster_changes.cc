#include "controller/cluster/cluster_changes.h"

#include <algorithm>
#include <set>
#include <string>
#include <utility>

#include "messages/invariant.h"

namespace avocet {
namespace {

bool StaysPut(const ClusterView& view, const Decision& decision, const Variant& variant) {
  const auto it = view.placements.find(decision.app.name);
  if (it == view.placements.end()) return false;
  const Placement& now = it->second;
  return now.device == *decision.device && now.model == decision.model && now.file == variant.file &&
         now.phase != PlacementPhase::kFailed;
}

std::set<DeviceId> DevicesWithPlacements(const ClusterView& view) {
  std::set<DeviceId> devices;
  for (const auto& [app, placement] : view.placements)
    devices.insert(placement.device);
  return devices;
}

/// Nodes that are away and on whose devices nothing is placed, in order of name.
std::vector<NodeId> IdleNodes(const ClusterView& view) {
  const auto placed = DevicesWithPlacements(view);
  std::set<NodeId> needed;
  for (const auto& [id, device] : view.devices) {
    if (device.health != DeviceHealth::kAway || placed.contains(id)) needed.insert(device.spec.node);
  }

  std::vector<NodeId> idle;
  for (const auto& [id, node] : view.nodes) {
    if (!needed.contains(id)) idle.push_back(id);
  }
  return idle;
}

size_t CountDevices(const ClusterView& view, const NodeId& node) {
  const auto is_its = [&](const auto& one) { return one.second.spec.node == node; };
  return static_cast<size_t>(std::count_if(view.devices.begin(), view.devices.end(), is_its));
}

void ForgetNode(ClusterView& view, const NodeId& node, Forgotten& forgotten) {
  view.nodes.erase(node);
  forgotten.nodes.push_back(node);
  std::erase_if(view.devices, [&](const auto& one) {
    if (one.second.spec.node != node) return false;
    forgotten.devices.push_back(one.first);
    return true;
  });
  ++view.version;
}

} // namespace

Result<Forgotten> MakeRoom(ClusterView& view, const NodeInfo& newcomer, const ClusterLimits& limits) {
  const auto is_new = [&](const DeviceSpec& spec) { return !view.devices.contains(spec.id()); };
  size_t nodes = view.nodes.size() + (view.nodes.contains(newcomer.id) ? 0 : 1);
  size_t devices = view.devices.size() +
                   static_cast<size_t>(std::count_if(newcomer.devices.begin(), newcomer.devices.end(), is_new));
  const auto fits = [&] { return nodes <= limits.max_nodes && devices <= limits.max_devices; };
  if (fits()) return Forgotten();

  // Chosen first: where it is not enough, nothing is forgotten.
  std::vector<NodeId> chosen;
  for (const NodeId& idle : IdleNodes(view)) {
    if (fits()) break;
    if (idle == newcomer.id) continue;
    chosen.push_back(idle);
    --nodes;
    devices -= CountDevices(view, idle);
  }
  if (!fits())
    return ResourceExhausted("node '" + newcomer.id.str() + "' is one too many: at most " +
                             std::to_string(limits.max_nodes) + " nodes with " + std::to_string(limits.max_devices) +
                             " devices can be known, and those that are known are alive or have applications");

  Forgotten forgotten;
  for (const NodeId& node : chosen)
    ForgetNode(view, node, forgotten);
  return forgotten;
}

std::vector<DeviceId> ForgetUnlistedDevices(ClusterView& view, const NodeId& node) {
  const auto info = view.nodes.find(node);
  if (info == view.nodes.end()) return {};
  std::set<DeviceId> kept = DevicesWithPlacements(view);
  for (const DeviceSpec& spec : info->second.devices)
    kept.insert(spec.id());

  std::vector<DeviceId> forgotten;
  std::erase_if(view.devices, [&](const auto& one) {
    if (one.second.spec.node != node || kept.contains(one.first)) return false;
    forgotten.push_back(one.first);
    return true;
  });
  if (!forgotten.empty()) ++view.version;
  return forgotten;
}

void NodeArrived(ClusterView& view, const NodeInfo& node) {
  view.nodes[node.id] = node;
  for (auto& [id, device] : view.devices) {
    if (device.spec.node == node.id) device.health = DeviceHealth::kAway; // gone unless listed below
  }
  for (const auto& spec : node.devices) {
    auto& device = view.devices[spec.id()];
    device.spec = spec;
    device.health = DeviceHealth::kHealthy;
    device.fit.device = spec.id();
  }
  ++view.version;
}

void NodeLost(ClusterView& view, const NodeId& node, std::string_view why) {
  for (auto& [id, device] : view.devices) {
    if (device.spec.node != node) continue;
    device.health = DeviceHealth::kAway;
    for (const auto& app : view.Residents(id)) {
      view.placements[app].phase = PlacementPhase::kLost;
      view.placements[app].reason = "node '" + node.str() + "' is away: " + std::string(why);
    }
  }
  ++view.version;
}

Placement AdmitApp(ClusterView& view, const Decision& decision, uint64_t new_epoch) {
  const auto& device = view.devices.at(*decision.device);
  const Variant* variant = view.models.at(decision.model).Find(FormatOf(device.spec.engine));
  AVOCET_CHECK(variant != nullptr);

  // Asked before the application is replaced: what stays put keeps its epoch and is not loaded again.
  const bool stays = StaysPut(view, decision, *variant);

  view.apps[decision.app.name] = decision.app;
  std::erase_if(view.refused, [&](const Application& one) { return one.name == decision.app.name; });
  ++view.version;

  // A new epoch makes the agent treat it as another copy, and late reports of the old one harmless.
  auto& placement = view.placements[decision.app.name];
  if (!stays) {
    placement = {.app = decision.app.name,
                 .device = *decision.device,
                 .model = decision.model,
                 .format = variant->format,
                 .file = variant->file,
                 .size_bytes = variant->size_bytes,
                 .epoch = new_epoch};
  }

  return placement;
}

Placement MoveApp(ClusterView& view, const Move& move, uint64_t new_epoch) {
  auto& placement = view.placements.at(move.app);
  // The target's engine may read another format than the device that the application leaves.
  const auto format = FormatOf(view.devices.at(move.to).spec.engine);
  const Variant* variant = view.models.at(placement.model).Find(format);
  AVOCET_CHECK(variant != nullptr);

  // Assigned as a whole: phase and reason of the old copy must not survive in the new one.
  placement = {.app = move.app,
               .device = move.to,
               .model = placement.model,
               .format = format,
               .file = variant->file,
               .size_bytes = variant->size_bytes,
               .epoch = new_epoch};

  ++view.version;
  return placement;
}

void RefuseApp(ClusterView& view, const Application& app) {
  std::erase_if(view.refused, [&](const Application& one) { return one.name == app.name; });
  view.refused.push_back(app);
  if (view.refused.size() > kMaxRefused) view.refused.erase(view.refused.begin());
  ++view.version;
}

std::optional<Placement> ForgetPlacement(ClusterView& view, const AppId& app) {
  view.apps.erase(app);
  ++view.version;
  const auto it = view.placements.find(app);
  if (it == view.placements.end()) return std::nullopt;
  Placement forgotten = std::move(it->second);
  view.placements.erase(it);
  return forgotten;
}

ReportEffect TakeReport(ClusterView& view, const Placement& report) {
  const auto it = view.placements.find(report.app);
  if (it == view.placements.end()) return ReportEffect::kAnotherCopy;
  auto& placement = it->second;
  if (placement.epoch != report.epoch || placement.device != report.device) return ReportEffect::kAnotherCopy;

  const bool late = report.phase == PlacementPhase::kStarting &&
                    (placement.phase == PlacementPhase::kReady || placement.phase == PlacementPhase::kFailed);
  const bool same = placement.phase == report.phase && placement.reason == report.reason;
  if (late || same) return ReportEffect::kNothingNew;
  placement.phase = report.phase;
  placement.reason = report.reason;
  return ReportEffect::kChanged;
}

void NoteStart(ClusterView& view, const Command& start, std::string reason) {
  const auto it = view.placements.find(start.app);
  if (start.kind != CommandKind::kStart || it == view.placements.end()) return;
  auto& placement = it->second;
  const bool same = placement.epoch == start.epoch && placement.device == start.device;
  if (same && placement.phase == PlacementPhase::kStarting) placement.reason = std::move(reason);
}

AppSnapshot Snapshot(const ClusterView& view, const AppId& app) {
  AppSnapshot snapshot{app, {}, {}};
  if (const auto it = view.apps.find(app); it != view.apps.end()) snapshot.app = it->second;
  if (const auto it = view.placements.find(app); it != view.placements.end()) snapshot.placement = it->second;
  return snapshot;
}

void RollBack(ClusterView& view, const AppSnapshot& before) {
  (void)ForgetPlacement(view, before.name);
  if (before.app) view.apps[before.name] = *before.app;
  if (before.placement) view.placements[before.name] = *before.placement;
}

void AdoptPlacement(ClusterView& view, const Placement& placement) {
  view.placements[placement.app] = placement;
  ++view.version;
}

Placement PlaceAgain(ClusterView& view, const Placement& copy, uint64_t new_epoch) {
  auto& placement = view.placements.at(copy.app);
  placement = copy;
  placement.epoch = new_epoch;
  placement.phase = PlacementPhase::kStarting;
  placement.reason.clear();
  ++view.version;
  return placement;
}

void MarkFailed(ClusterView& view, const AppId& app, const std::string& reason) {
  const auto placement = view.placements.find(app);
  if (placement == view.placements.end()) return;
  placement->second.phase = PlacementPhase::kFailed;
  placement->second.reason = reason;
}

void RestoreNode(ClusterView& view, const NodeInfo& node) {
  view.nodes[node.id] = node;
  for (const auto& spec : node.devices) {
    auto& device = view.devices[spec.id()];
    device.spec = spec;
    device.fit.device = spec.id();
  }
}

void RestoreApp(ClusterView& view, const Application& app) {
  view.apps[app.name] = app;
}

void TakeFit(ClusterView& view, const DeviceFit& fit) {
  const auto it = view.devices.find(fit.device);
  if (it == view.devices.end()) return;
  it->second.fit = fit;
  ++view.version;
}

void AddModel(ClusterView& view, const Model& model) {
  view.models[model.id()] = model;
  ++view.version;
}

void AddProfile(ClusterView& view, const Profile& profile) {
  view.profiles[profile.key()] = profile;
  view.profile_failures.erase(profile.key());
  ++view.version;
}

void NoteProfileFailure(ClusterView& view, const std::string& key, const std::string& why) {
  view.profile_failures[key] = why; // decides nothing: the version stays
}

} // namespace avocet
