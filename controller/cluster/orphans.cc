#include "controller/cluster/orphans.h"

#include <algorithm>
#include <set>

namespace avocet {
namespace {

bool IsOn(const Placement& copy, const NodeId& node) {
  const auto device = ParseDeviceId(copy.device.str());
  return device && device->node == node;
}

} // namespace

std::vector<Placement> Orphans::Registered(const NodeId& node, const std::vector<Placement>& copies) {
  const std::vector<Placement> before = On(node);
  std::erase_if(copies_, [&](const auto& entry) { return IsOn(entry.second, node); });

  std::set<std::pair<AppId, uint64_t>> known;
  for (const auto& copy : before)
    known.emplace(copy.app, copy.epoch);

  std::vector<Placement> found;
  for (const auto& copy : copies) {
    if (Note(copy) && !known.contains({copy.app, copy.epoch})) found.push_back(copy);
  }
  return found;
}

bool Orphans::Note(const Placement& copy) {
  auto& noted = copies_[{copy.app, copy.device}];
  const bool found = noted.epoch != copy.epoch;
  noted = copy;
  return found;
}

std::vector<Placement> Orphans::Take(const AppId& app) {
  auto taken = Of(app);
  std::erase_if(copies_, [&](const auto& entry) { return entry.first.first == app; });
  return taken;
}

std::vector<Placement> Orphans::Of(const AppId& app) const {
  std::vector<Placement> found;
  for (auto it = copies_.lower_bound({app, DeviceId()}); it != copies_.end() && it->first.first == app; ++it)
    found.push_back(it->second);
  return found;
}

std::vector<Placement> Orphans::On(const NodeId& node) const {
  std::vector<Placement> found;
  for (const auto& [key, copy] : copies_) {
    if (IsOn(copy, node)) found.push_back(copy);
  }
  return found;
}

} // namespace avocet
