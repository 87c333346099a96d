#include "controller/cluster/cluster_view.h"

namespace avocet {
namespace {

/// Versions are decimal numbers without leading zeros.
bool IsLaterVersion(const std::string& a, const std::string& b) {
  return a.size() != b.size() ? a.size() > b.size() : a > b;
}

const Model* HighestVersion(const std::map<ModelId, Model>& models, const std::string& name) {
  const std::string prefix = name + ":";
  const Model* best = nullptr;
  for (auto it = models.lower_bound(ModelId(prefix)); it != models.end() && it->first.str().starts_with(prefix); ++it) {
    if (best == nullptr || IsLaterVersion(it->second.version, best->version)) best = &it->second;
  }
  return best;
}

} // namespace

const Model* ClusterView::FindModel(std::string_view name_or_id) const {
  const std::string text(name_or_id);
  if (text.find(':') == std::string::npos) return HighestVersion(models, text);
  const auto it = models.find(ModelId(text));
  return it == models.end() ? nullptr : &it->second;
}

const Profile* ClusterView::FindProfile(const ModelId& model, ModelFormat format,
                                        const std::string& device_type) const {
  Profile wanted;
  wanted.model = model;
  wanted.format = format;
  wanted.device_type = device_type;
  const auto it = profiles.find(wanted.key());
  return it == profiles.end() ? nullptr : &it->second;
}

std::vector<AppId> ClusterView::Residents(const DeviceId& device) const {
  std::vector<AppId> residents;
  for (const auto& [app, placement] : placements) {
    if (placement.device == device) residents.push_back(app);
  }
  return residents;
}

} // namespace avocet
