#include "controller/tenancy.h"

#include <algorithm>
#include <unordered_map>
#include <utility>

#include "controller/decide.h"
#include "controller/uncertainty.h"

namespace avocet {
namespace {

ContentKey KeyOf(const AppLoad& load, const Tenant& tenant) {
  ContentKey key;
  key.Add(std::string_view(load.model.str())).Add(load.rate_rps).Add(load.arrival_scv);
  key.Add(load.service.mean_s).Add(load.service.scv).Add(load.switch_s).Add(load.tail_s);
  for (const auto& part : load.service.parts)
    key.Add(part.probability).Add(part.mean_s).Add(part.scv);
  key.Add(static_cast<uint64_t>(tenant.goal.statistic)).Add(tenant.goal.limit_s).Add(tenant.goal.preprocess_s);
  return key.Add(tenant.model_bytes).Add(tenant.own_bytes);
}

Tenant TenantOf(const Application& app, const Profile* profile, const Policy& policy) {
  Tenant tenant{.app = &app,
                .goal = {.statistic = app.objective.statistic,
                         .limit_s = ToSeconds(LimitOf(app, policy)),
                         .preprocess_s = ToSeconds(app.preprocess)}};
  if (profile != nullptr) tenant.model_bytes = profile->memory_bytes, tenant.own_bytes = profile->memory_per_app_bytes;
  return tenant;
}

/// What is known of the model, at the pessimistic end of what was measured.
KnownModel AtUpperEnd(KnownModel known) {
  if (!known.timing) return known;
  auto& [service, switch_s, switch_error_s] = *known.timing;
  AppLoad load =
      AtUpperEnd(AppLoad{.service = std::move(service), .switch_s = switch_s, .switch_error_s = switch_error_s});
  known.timing = {std::move(load.service), load.switch_s, load.switch_error_s};
  return known;
}

/// Requires timing, at its upper end.
Demand DemandFrom(const Application& app, const ModelId& model, const KnownModel& known, double rate_rps,
                  const Policy& policy) {
  Demand demand{.tenant = TenantOf(app, known.profile, policy),
                .load = {.app = app.name,
                         .model = model,
                         .rate_rps = rate_rps,
                         .arrival_scv = app.arrival.scv,
                         .service = known.timing->service,
                         .switch_s = known.timing->switch_s}};
  demand.key = KeyOf(demand.load, demand.tenant);
  return demand;
}

Preprocessing CoresOf(const ClusterView& view, const NodeId& node) {
  const auto it = view.nodes.find(node);
  if (it == view.nodes.end()) return {};
  return {.cores = std::max(static_cast<int>(it->second.cpu_cores), 1), .speed = it->second.core_speed};
}

/// What is known of models, found once for all devices of a type where the model was not measured by itself.
class KnownModels {
public:
  explicit KnownModels(const ClusterView& view) : view_(view) {}

  /// Valid until the next call.
  const KnownModel& Find(const DeviceView& device, const Placement& placement) {
    const ModelId& model = placement.model;
    const ModelFormat format = placement.format;
    const auto is_model = [&](const ModelFit& fit) { return fit.model == model; };
    if (std::any_of(device.fit.models.begin(), device.fit.models.end(), is_model))
      return fitted_ = AtUpperEnd(KnowledgeOf(view_, device, model, format));
    ContentKey key;
    key.Add(std::string_view(model.str())).Add(static_cast<uint64_t>(format));
    const auto [it, is_new] = profiled_.try_emplace(key.Add(std::string_view(device.spec.type)));
    if (is_new) it->second = AtUpperEnd(KnowledgeOf(view_, device, model, format));
    return it->second;
  }

private:
  const ClusterView& view_;
  std::unordered_map<ContentKey, KnownModel, ContentKey::Hash> profiled_;
  KnownModel fitted_;
};

} // namespace

Duration LimitOf(const Application& app, const Policy& policy) {
  const bool is_mean = app.objective.statistic == Statistic::kMean;
  const double tolerance = is_mean ? policy.mean_tolerance : policy.percentile_tolerance;
  return FromSeconds(tolerance * ToSeconds(app.objective.latency - app.network_allowance));
}

Tenancy Tenancy::Empty(const ClusterView& view, const DeviceView& device) {
  Tenancy tenancy;
  tenancy.device = &device;
  tenancy.load.discipline = device.spec.discipline;
  tenancy.load.cores = std::max(static_cast<int>(device.spec.cores.size()), 1);
  tenancy.preprocessing = CoresOf(view, device.spec.node);
  tenancy.Reckon();
  return tenancy;
}

bool Tenancy::HasModel(const ModelId& model) const {
  return std::any_of(load.apps.begin(), load.apps.end(), [&](const AppLoad& app) { return app.model == model; });
}

double Tenancy::BusyCores() const {
  double busy = 0;
  for (size_t i = 0; i < tenants.size(); ++i)
    busy += load.apps[i].rate_rps * tenants[i].goal.preprocess_s;
  return busy;
}

uint64_t Tenancy::BytesFor(const Demand& demand) const {
  return demand.tenant.own_bytes + (HasModel(demand.load.model) ? 0 : demand.tenant.model_bytes);
}

void Tenancy::Add(Demand demand) {
  memory_bytes += BytesFor(demand);
  preprocessing.busy += demand.load.rate_rps * demand.tenant.goal.preprocess_s;
  key.Add(demand.key);
  tenants.push_back(demand.tenant);
  load.apps.push_back(std::move(demand.load));
}

void Tenancy::Remove(size_t index) {
  const auto at = static_cast<std::ptrdiff_t>(index);
  const AppLoad gone = load.apps[index];
  const Tenant tenant = tenants[index];
  load.apps.erase(load.apps.begin() + at);
  tenants.erase(tenants.begin() + at);
  preprocessing.busy = std::max(preprocessing.busy - gone.rate_rps * tenant.goal.preprocess_s, 0.0);
  memory_bytes -= tenant.own_bytes + (HasModel(gone.model) ? 0 : tenant.model_bytes);
  Reckon();
}

void Tenancy::RemoveLast(const Tenancy& before) {
  load.apps.pop_back();
  tenants.pop_back();
  preprocessing.busy = before.preprocessing.busy;
  memory_bytes = before.memory_bytes;
  key = before.key;
}

void Tenancy::SetLastRate(double rate_rps) {
  AppLoad& last = load.apps.back();
  preprocessing.busy += (rate_rps - last.rate_rps) * tenants.back().goal.preprocess_s;
  last.rate_rps = rate_rps;
  Reckon();
}

void Tenancy::Reckon() {
  key = ContentKey();
  key.Add(static_cast<uint64_t>(load.discipline)).Add(static_cast<uint64_t>(load.cores));
  key.Add(static_cast<uint64_t>(device->spec.kind)).Add(device->spec.memory_bytes);
  key.Add(static_cast<uint64_t>(preprocessing.cores)).Add(preprocessing.speed);
  for (size_t i = 0; i < tenants.size(); ++i)
    key.Add(KeyOf(load.apps[i], tenants[i]));
}

std::optional<Demand> DemandOf(const ClusterView& view, const DeviceView& device, const Newcomer& newcomer,
                               const Policy& policy) {
  if (newcomer.model == nullptr) return std::nullopt;
  return DemandOf(KnowledgeOf(view, device, newcomer.model->id(), FormatOf(device.spec.engine)), newcomer, policy);
}

std::optional<Demand> DemandOf(const KnownModel& known, const Newcomer& newcomer, const Policy& policy) {
  if (newcomer.model == nullptr || !known.timing) return std::nullopt;
  return DemandFrom(*newcomer.app, newcomer.model->id(), AtUpperEnd(known), newcomer.rate_rps, policy);
}

Occupancy::Occupancy(const ClusterView& view, const Policy& policy, const AppId& without) {
  const ResidentIndex residents(view, without);
  KnownModels models(view);
  tenancies_.reserve(view.devices.size());
  for (const auto& [id, device] : view.devices) {
    const auto here = residents.On(tenancies_.size());
    Tenancy& tenancy = tenancies_.emplace_back(Tenancy::Empty(view, device));
    tenancy.load.apps.reserve(here.size()), tenancy.tenants.reserve(here.size());
    for (const auto& [placement, app] : here) {
      const KnownModel& known = models.Find(device, *placement);
      if (!known.timing) continue;
      tenancy.Add(DemandFrom(*app, placement->model, known, AdmissionRate(*app, device.fit), policy));
    }
  }
  for (size_t i = 0; i < size(); ++i) {
    if (i == 0 || tenancies_[i].device->spec.node != tenancies_[i - 1].device->spec.node) SpreadCores(i);
  }
}

void Occupancy::SpreadCores(size_t device) {
  auto node = Neighbours(device);
  node.push_back(device);
  double busy = 0;
  for (const size_t i : node)
    busy += tenancies_[i].BusyCores();
  for (const size_t i : node)
    tenancies_[i].preprocessing.busy = busy;
}

std::vector<size_t> Occupancy::Neighbours(size_t device) const {
  std::vector<size_t> neighbours;
  const NodeId& node = tenancies_[device].device->spec.node;
  for (size_t i = device; i-- > 0 && tenancies_[i].device->spec.node == node;)
    neighbours.push_back(i);
  for (size_t i = device + 1; i < size() && tenancies_[i].device->spec.node == node; ++i)
    neighbours.push_back(i);
  return neighbours;
}

void Occupancy::Remove(size_t device, size_t tenant) {
  tenancies_[device].Remove(tenant);
  SpreadCores(device);
}

void Occupancy::Add(size_t device, const Demand& demand) {
  tenancies_[device].Add(demand);
  SpreadCores(device);
}

} // namespace avocet
