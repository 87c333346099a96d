#include "controller/placement/tenancy.h"

#include <algorithm>
#include <utility>

#include "controller/placement/decide.h"

namespace avocet {
namespace {

/// Requires the key of the model's demand.
ContentKey KeyOf(ContentKey key, const AppLoad& load, const Goal& goal) {
  key.Add(load.rate_rps).Add(load.arrival_scv);
  return key.Add(static_cast<uint64_t>(goal.statistic)).Add(goal.limit_s).Add(goal.preprocess_s);
}

Tenant TenantOf(const Application& app, const ModelDemand& model, const Policy& policy) {
  return {.app = &app,
          .goal = {.statistic = app.objective.statistic,
                   .limit_s = ToSeconds(LimitOf(app, policy)),
                   .preprocess_s = ToSeconds(app.preprocess)},
          .model_bytes = model.model_bytes,
          .own_bytes = model.own_bytes};
}

/// Requires that the model's timing is known.
Demand DemandFrom(const Application& app, const ModelId& id, const ModelDemand& model, double rate_rps,
                  const Policy& policy) {
  Demand demand{.tenant = TenantOf(app, model, policy),
                .load = {.app = app.name,
                         .model = id,
                         .rate_rps = rate_rps,
                         .arrival_scv = app.arrival.scv,
                         .service = model.timing->service,
                         .switch_s = model.timing->switch_s},
                .profile = model.profile};
  demand.key = KeyOf(model.key, demand.load, demand.tenant.goal);
  return demand;
}

Preprocessing CoresOf(const ClusterView& view, const NodeId& node) {
  const auto it = view.nodes.find(node);
  if (it == view.nodes.end()) return {};
  return {.cores = std::max(static_cast<int>(it->second.cpu_cores), 1), .speed = it->second.core_speed};
}

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
  tenancy.RecomputeKey();
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
  RecomputeKey();
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
  RecomputeKey();
}

void Tenancy::RecomputeKey() {
  key = ContentKey();
  key.Add(static_cast<uint64_t>(load.discipline)).Add(static_cast<uint64_t>(load.cores));
  key.Add(static_cast<uint64_t>(device->spec.kind)).Add(device->spec.memory_bytes);
  key.Add(static_cast<uint64_t>(preprocessing.cores)).Add(preprocessing.speed);
  for (size_t i = 0; i < tenants.size(); ++i)
    key.Add(
        KeyOf(KeyOfModel(load.apps[i], tenants[i].model_bytes, tenants[i].own_bytes), load.apps[i], tenants[i].goal));
}

Occupancy::Occupancy(const ClusterView& view, const Policy& policy, const AppId& without)
    : policy_(&policy), models_(std::make_shared<ModelDemands>(view)) {
  const ResidentIndex residents(view, without);
  tenancies_.reserve(view.devices.size());
  for (const auto& [id, device] : view.devices) {
    const auto here = residents.On(tenancies_.size());
    Tenancy& tenancy = tenancies_.emplace_back(Tenancy::Empty(view, device));
    tenancy.load.apps.reserve(here.size()), tenancy.tenants.reserve(here.size());
    for (const auto& [placement, app] : here) {
      const ModelDemand& model = models_->Find(device, placement->model, placement->format);
      if (!model.timing) continue;
      tenancy.Add(DemandFrom(*app, placement->model, model, AdmissionRate(*app, device.fit), policy));
    }
  }
  for (size_t i = 0; i < size(); ++i) {
    if (i == 0 || tenancies_[i].device->spec.node != tenancies_[i - 1].device->spec.node) SpreadCores(i);
  }
}

std::optional<Demand> Occupancy::DemandOn(size_t device, const Newcomer& newcomer) const {
  if (newcomer.model == nullptr) return std::nullopt;
  const DeviceView& there = *tenancies_[device].device;
  const ModelId id = newcomer.model->id();
  const ModelDemand& model = models_->Find(there, id, FormatOf(there.spec.engine));
  if (!model.timing) return std::nullopt;
  return DemandFrom(*newcomer.app, id, model, newcomer.rate_rps, *policy_);
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
