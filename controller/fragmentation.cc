#include "controller/fragmentation.h"

#include <algorithm>
#include <string>
#include <unordered_map>

#include "controller/ranking.h"

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
  return allowed && device.health == DeviceHealth::kHealthy && newcomer.model != nullptr &&
         newcomer.model->Find(FormatOf(device.spec.engine)) != nullptr;
}

/// Demands by (device type, discipline's own fit aside): the same on every device without a fit of its own.
class Demands {
public:
  Demands(const Question& question, const Newcomer& newcomer) : question_(question), newcomer_(newcomer) {}

  std::optional<Demand> On(const DeviceView& device) {
    if (!device.fit.models.empty()) return Find(device);
    const auto known = by_type_.find(device.spec.type);
    if (known != by_type_.end()) return known->second;
    return by_type_.emplace(device.spec.type, Find(device)).first->second;
  }

private:
  std::optional<Demand> Find(const DeviceView& device) const {
    return DemandOf(question_.view, device, newcomer_, question_.policy);
  }

  const Question& question_;
  const Newcomer& newcomer_;
  std::unordered_map<std::string, std::optional<Demand>> by_type_;
};

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

Fragmentation::Fragmentation(const Question& question) : question_(question) {
  const Occupancy& occupancy = question.occupancy;
  for (auto& seen : SeenTypes(question, MostTypes(occupancy.size()))) {
    Type type{seen, {}, 0};
    Demands demands(question, seen.newcomer);
    for (size_t d = 0; d < occupancy.size(); ++d) {
      auto& demand = type.demands.emplace_back();
      if (IsOpenTo(*occupancy[d].device, seen.newcomer)) demand = demands.On(*occupancy[d].device);
      if (demand && !FitsRoughly(occupancy[d], *demand, question.policy, question.cache)) demand.reset();
      type.devices += demand ? 1 : 0;
    }
    types_.push_back(std::move(type));
  }
  std::stable_sort(types_.begin(), types_.end(), [](const Type& a, const Type& b) { return a.weight() > b.weight(); });
}

double Fragmentation::Loss(const Candidate& candidate, size_t device, double enough) const {
  double loss = 0;
  for (const auto& type : types_) {
    if (!type.demands[device]) continue;
    if (!FitsRoughly(candidate.after(), *type.demands[device], question_.policy, question_.cache))
      loss += type.weight();
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
