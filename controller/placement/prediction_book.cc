#include "controller/placement/prediction_book.h"

namespace avocet {
namespace {

void AddService(ContentKey& key, const ServiceTime& service) {
  key.Add(service.mean_s).Add(service.scv).Add(service.observations).Add(uint64_t{service.parts.size()});
  for (const auto& part : service.parts)
    key.Add(part.probability).Add(part.mean_s).Add(part.scv);
}

/// Of all that Predict reads, names included, as the answer has them.
ContentKey KeyOf(const DeviceLoad& load) {
  ContentKey key;
  key.Add(static_cast<uint64_t>(load.discipline)).Add(static_cast<uint64_t>(load.cores));

  for (const AppLoad& app : load.apps) {
    key.Add(std::string_view(app.app.str())).Add(std::string_view(app.model.str()));
    key.Add(app.rate_rps).Add(app.arrival_scv).Add(app.switch_s).Add(app.tail_s);
    AddService(key, app.service);
  }

  return key;
}

} // namespace

const DevicePrediction* PredictionBook::Find(const DeviceId& device, const DeviceLoad& load) {
  const ContentKey key = KeyOf(load);
  const auto known = entries_.find(device);
  if (known != entries_.end() && known->second.load == key) return &known->second.prediction;
  if (allowed_ == 0) return nullptr;

  --allowed_, ++computed_;
  Entry& entry = known != entries_.end() ? known->second : entries_[device];
  entry = {key, Predict(load)};
  return &entry.prediction;
}

void PredictionBook::KeepOnly(const ClusterView& view) {
  std::erase_if(entries_, [&](const auto& entry) { return !view.devices.contains(entry.first); });
}

} // namespace avocet
