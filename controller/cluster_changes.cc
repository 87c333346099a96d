#include "controller/cluster_changes.h"

#include <cassert>

namespace avocet {
namespace {

bool StaysPut(const ClusterView& view, const Decision& decision, const Variant& variant) {
  const auto it = view.placements.find(decision.app.name);
  if (it == view.placements.end()) return false;
  const Placement& now = it->second;
  return now.device == *decision.device && now.model == decision.model && now.file == variant.file &&
         now.phase != PlacementPhase::kFailed;
}

} // namespace

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
  assert(variant != nullptr);
  const bool stays = StaysPut(view, decision, *variant);
  view.apps[decision.app.name] = decision.app;
  std::erase_if(view.refused, [&](const Application& one) { return one.name == decision.app.name; });
  ++view.version;
  auto& placement = view.placements[decision.app.name];
  if (!stays) {
    placement = {.app = decision.app.name,
                 .device = *decision.device,
                 .model = decision.model,
                 .format = variant->format,
                 .file = variant->file,
                 .epoch = new_epoch};
  }
  return placement;
}

Placement MoveApp(ClusterView& view, const Move& move, uint64_t new_epoch) {
  auto& placement = view.placements.at(move.app);
  const auto format = FormatOf(view.devices.at(move.to).spec.engine);
  const Variant* variant = view.models.at(placement.model).Find(format);
  assert(variant != nullptr);
  placement = {.app = move.app,
               .device = move.to,
               .model = placement.model,
               .format = format,
               .file = variant->file,
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

bool TakeReport(ClusterView& view, const RunningApp& report) {
  const auto it = view.placements.find(report.app);
  if (it == view.placements.end()) return false;
  auto& placement = it->second;
  if (placement.epoch != report.epoch || placement.device != report.device) return false;
  placement.phase = report.phase;
  placement.reason = report.reason;
  return true;
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
  ++view.version;
}

Command StartCommand(const Placement& placement) {
  return {.kind = CommandKind::kStart,
          .epoch = placement.epoch,
          .device = placement.device,
          .app = placement.app,
          .model = placement.model,
          .format = placement.format,
          .file = placement.file};
}

Command StopCommand(const Placement& placement, uint64_t epoch) {
  Command command = StartCommand(placement);
  command.kind = CommandKind::kStop;
  command.epoch = epoch;
  return command;
}

} // namespace avocet
