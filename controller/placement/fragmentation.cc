#include "controller/placement/fragmentation.h"

#include <algorithm>
#include <string>
#include <unordered_map>

#include "controller/placement/fits.h"

namespace avocet {
namespace {

ContentKey TypeOf(const Application& app) {
  ContentKey key;
  key.Add(std::string_view(app.model)).Add(app.rate_rps).Add(app.arrival.scv);
  key.Add(static_cast<uint64_t>(app.objective.statistic)).Add(static_cast<uint64_t>(app.objective.latency.count()));
  key.Add(static_cast<uint64_t>(app.network_allowance.count())).Add(static_cast<uint64_t>(app.preprocess.count()));
  for (const auto kind : app.device_kinds)
    key.Add(static_cast<uint64_t>(kind));
  return key;
}

class TypeCounter {
public:
  void Count(const Application& app) {
    const auto [it, is_new] = index_.try_emplace(TypeOf(app), types_.size());
    if (is_new) types_.push_back({{.app = &app, .model = nullptr, .rate_rps = app.rate_rps}, 0});
    types_[it->second].frequency += 1;
    total_ += 1;
  }

  std::vector<SeenType> MostFrequent(const ClusterView& view, size_t most) {
    const auto more_frequent = [](const SeenType& a, const SeenType& b) { return a.frequency > b.frequency; };
    std::stable_sort(types_.begin(), types_.end(), more_frequent);
    if (types_.size() > most) types_.resize(most);
    for (auto& type : types_) {
      type.frequency /= total_;
      type.newcomer.model = view.FindModel(type.newcomer.app->model);
    }
    return std::move(types_);
  }

private:
  std::unordered_map<ContentKey, size_t, ContentKey::Hash> index_;
  std::vector<SeenType> types_;
  double total_ = 0;
};

bool IsOpenTo(const DeviceView& device, const Newcomer& newcomer) {
  const auto& kinds = newcomer.app->device_kinds;
  const bool allowed = kinds.empty() || std::find(kinds.begin(), kinds.end(), device.spec.kind) != kinds.end();
  return allowed && newcomer.model != nullptr && newcomer.model->Find(FormatOf(device.spec.engine)) != nullptr;
}

size_t MostTypes(size_t devices) {
  return std::max(kMaxTypeChecks / std::max(devices, size_t{1}), kMinTypes);
}

} // namespace

std::vector<SeenType> SeenTypes(const Question& question, size_t most) {
  TypeCounter counter;
  const Application& newcomer = *question.newcomer.app;
  counter.Count(newcomer);
  for (const auto& [name, app] : question.view.apps) {
    if (name != newcomer.name) counter.Count(app);
  }
  for (const auto& app : question.view.refused) {
    if (app.name != newcomer.name) counter.Count(app);
  }
  return counter.MostFrequent(question.view, most);
}

DeviceGroups GroupDevices(const Occupancy& occupancy) {
  DeviceGroups groups;
  // Devices with the same key predict alike, so one of each group answers for all.
  std::unordered_map<ContentKey, size_t, ContentKey::Hash> known;
  for (size_t d = 0; d < occupancy.size(); ++d) {
    const DeviceView& device = *occupancy[d].device;
    auto& group = groups.group_of.emplace_back();
    // A device that takes nothing has no room to lose, and belongs to no group.
    if (device.health != DeviceHealth::kHealthy) continue;

    ContentKey key;
    key.Add(std::string_view(device.spec.type)).Add(static_cast<uint64_t>(device.spec.engine));
    key.Add(static_cast<uint64_t>(device.spec.kind));

    // Fitted service times make a device its own kind: nothing measured holds for another one.
    if (!device.fit.models.empty()) key.Add(d);
    group = known.try_emplace(key, groups.representatives.size()).first->second;
    if (*group == groups.representatives.size()) groups.representatives.push_back(d);
  }

  return groups;
}

Fragmentation::Fragmentation(const Question& question)
    : question_(question), groups_(GroupDevices(question.occupancy)) {
  for (auto& seen : SeenTypes(question, MostTypes(question.occupancy.size()))) {
    Type& type = types_.emplace_back(Type{seen, {}, std::vector<char>(question.occupancy.size()), 0});
    for (const size_t device : groups_.representatives) {
      auto& [demand, column] = type.demands.emplace_back();
      if (IsOpenTo(*question.occupancy[device].device, seen.newcomer))
        demand = question.occupancy.DemandOn(device, seen.newcomer);
      if (demand) column = question.cache.fits.ColumnOf(demand->key);
    }
  }
  CountDevices();
  std::stable_sort(types_.begin(), types_.end(), [](const Type& a, const Type& b) { return a.weight() > b.weight(); });
}

void Fragmentation::CountDevices() {
  for (size_t d = 0; d < question_.occupancy.size(); ++d) {
    if (!groups_.group_of[d]) continue;
    Fits fits(question_.occupancy[d], question_.policy, question_.cache);
    for (auto& type : types_) {
      const auto& [demand, column] = type.demands[*groups_.group_of[d]];
      if (!demand || !fits.With(*demand, column)) continue;
      type.fits[d] = 1;
      type.devices += 1;
    }
  }
}

double Fragmentation::Loss(const Candidate& candidate, size_t device, double enough) const {
  double loss = 0;
  Fits fits(candidate.after(), question_.policy, question_.cache);
  for (const auto& type : types_) {
    if (!type.fits[device]) continue;
    const auto& [demand, column] = type.demands[*groups_.group_of[device]];
    if (!fits.With(*demand, column)) loss += type.weight();
    if (loss >= enough) break;
  }
  return loss;
}

double Fragmentation::Room() const {
  double room = 0;
  for (const auto& type : types_)
    room += type.seen.frequency * type.devices;
  return room;
}

} // namespace avocet
