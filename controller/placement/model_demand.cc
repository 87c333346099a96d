#include "controller/placement/model_demand.h"

#include <string_view>
#include <utility>

#include "controller/queueing/uncertainty.h"

namespace avocet {
namespace {

ModelDemand ModelDemandOf(KnownModel known, const ModelId& model) {
  ModelDemand demand{.profile = known.profile};
  if (known.profile != nullptr) {
    demand.model_bytes = known.profile->memory_bytes;
    demand.own_bytes = known.profile->memory_per_app_bytes;
  }
  if (!known.timing) return demand;
  auto& [service, switch_s, switch_error_s] = *known.timing;
  AppLoad load = AtUpperEnd(
      AppLoad{.model = model, .service = std::move(service), .switch_s = switch_s, .switch_error_s = switch_error_s});
  demand.key = KeyOfModel(load, demand.model_bytes, demand.own_bytes);
  demand.timing = {std::move(load.service), load.switch_s, load.switch_error_s};
  return demand;
}

} // namespace

const ModelDemand& ModelDemands::Find(const DeviceView& device, const ModelId& model, ModelFormat format) {
  if (FindFit(device.fit, model) != nullptr)
    return measured_ = ModelDemandOf(KnowledgeOf(view_, device, model, format), model);
  ContentKey key = TypeOf(device);
  key.Add(std::string_view(model.str())).Add(static_cast<uint64_t>(format));
  const auto [it, is_new] = by_type_.try_emplace(key);
  if (is_new) it->second = ModelDemandOf(KnowledgeOf(view_, device, model, format), model);
  return it->second;
}

const ContentKey& ModelDemands::TypeOf(const DeviceView& device) {
  if (&device == last_) return type_;
  last_ = &device;
  return (type_ = ContentKey()).Add(std::string_view(device.spec.type));
}

ContentKey KeyOfModel(const AppLoad& load, uint64_t model_bytes, uint64_t own_bytes) {
  ContentKey key;
  key.Add(std::string_view(load.model.str()));
  key.Add(load.service.mean_s).Add(load.service.scv).Add(load.switch_s).Add(load.tail_s);
  for (const auto& part : load.service.parts)
    key.Add(part.probability).Add(part.mean_s).Add(part.scv);
  return key.Add(model_bytes).Add(own_bytes);
}

} // namespace avocet
