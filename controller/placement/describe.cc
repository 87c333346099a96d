#include "controller/placement/describe.h"

#include <cmath>
#include <functional>
#include <map>
#include <set>
#include <span>
#include <string_view>

#include "controller/placement/device_load.h"
#include "controller/queueing/estimator.h"

namespace avocet {
namespace {

/// Nodes of which a device is not away.
std::set<NodeId> NodesThere(const ClusterView& view) {
  std::set<NodeId> there;
  for (const auto& [id, device] : view.devices) {
    if (device.health != DeviceHealth::kAway) there.insert(device.spec.node);
  }
  return there;
}

std::vector<const Placement*> PlacementsOf(std::span<const PlacedApp> residents) {
  std::vector<const Placement*> placements;
  placements.reserve(residents.size());
  for (const auto& resident : residents)
    placements.push_back(resident.placement);
  return placements;
}

LatencySummary Summarize(const AppPrediction& p) {
  return {FromSeconds(p.mean_s), FromSeconds(p.p50_s), FromSeconds(p.p95_s), FromSeconds(p.p99_s)};
}

/// Of the 95 % bound: together about three standard errors, so that of many applications none is
/// taken for another rate by chance.
constexpr double kContradiction = 1.5;

/// The declared rate, unless the measured one contradicts it. Admission uses the upper bound;
/// what people compare with measurements must be the expectation.
double ExpectedRate(const Application& app, const Estimate& measured) {
  if (measured.weight < kTrustedWeight) return app.rate_rps;
  const double margin = kContradiction * (UpperRateBound(measured) - measured.mean);
  return std::abs(measured.mean - app.rate_rps) > margin ? measured.mean : app.rate_rps;
}

/// The measured rates of a device's applications, by name.
using Rates = std::map<std::string_view, const Estimate*>;

Rates RatesOf(const DeviceFit& fit) {
  Rates rates;
  for (const auto& app : fit.apps)
    rates.emplace(app.app.str(), &app.rate);
  return rates;
}

Estimate RateOf(const Rates& rates, const AppId& app) {
  const auto found = rates.find(app.str());
  return found == rates.end() ? Estimate() : *found->second;
}

DeviceLoad ExpectedLoad(const ClusterView& view, const DeviceView& device, std::span<const PlacedApp> residents,
                        const Rates& rates) {
  DeviceLoad load = LoadOfPlacements(view, device, PlacementsOf(residents));

  // The load leaves some residents out, but keeps their order.
  auto resident = residents.begin();
  for (auto& app : load.apps) {
    while (resident->app->name != app.app)
      ++resident;
    app.rate_rps = ExpectedRate(*resident->app, RateOf(rates, app.app));
  }

  std::erase_if(load.apps, [](const AppLoad& app) { return app.rate_rps <= 0; });
  return load;
}

/// What is predicted of a device.
struct Outlook {
  double utilization = 0;
  std::map<std::string_view, LatencySummary> latencies; ///< by application; empty where not stable, or not known
};

Outlook OutlookOf(const DeviceView& device, const DeviceLoad& load, PredictionBook& book) {
  const DevicePrediction* prediction = book.Find(device.spec.id(), load);
  if (prediction == nullptr) return {Utilization(load), {}};

  Outlook outlook{prediction->utilization, {}};
  for (const auto& app : prediction->apps)
    outlook.latencies.emplace(app.app.str(), Summarize(app));
  return outlook;
}

/// The rows of those that a device has.
void DescribeResidents(const ClusterView& view, const DeviceView& device, std::span<const PlacedApp> residents,
                       PredictionBook& book, const std::function<AppStatus&(const AppId&)>& row_of) {
  const Rates rates = RatesOf(device.fit);
  const Outlook outlook = OutlookOf(device, ExpectedLoad(view, device, residents, rates), book);

  for (const auto& resident : residents) {
    const AppId& name = resident.app->name;
    AppStatus& row = row_of(name);
    row.emulated = device.spec.emulated();
    row.utilization = outlook.utilization;
    row.measured.rate = RateOf(rates, name);
    if (const auto found = outlook.latencies.find(name.str()); found != outlook.latencies.end())
      row.predicted = found->second;
  }
}

/// What the view itself says.
AppStatus RowOf(const ClusterView& view, const Application& app) {
  AppStatus row{.app = app, .placement = {}, .predicted = {}, .measured = {}, .recent = {}};
  if (const auto placed = view.placements.find(app.name); placed != view.placements.end())
    row.placement = placed->second;
  // Nobody has said what is in its way.
  if (row.placement && row.placement->phase == PlacementPhase::kStarting && row.placement->reason.empty())
    row.placement->reason = "its agent was told to fetch and load the model";
  return row;
}

/// One device's residents. Cheaper than ResidentIndex, which sorts those of all.
std::vector<PlacedApp> ResidentsOf(const ClusterView& view, const DeviceId& device) {
  std::vector<PlacedApp> residents;
  for (const auto& [name, placement] : view.placements) {
    if (placement.device != device) continue;
    if (const auto app = view.apps.find(name); app != view.apps.end()) residents.push_back({&placement, &app->second});
  }
  return residents;
}

} // namespace

std::vector<NodeStatus> DescribeNodes(const ClusterView& view) {
  const auto there = NodesThere(view);
  std::vector<NodeStatus> rows;
  for (const auto& [id, node] : view.nodes)
    rows.push_back({node, there.contains(id) ? DeviceHealth::kHealthy : DeviceHealth::kAway});
  return rows;
}

std::vector<DeviceStatus> DescribeDevices(const ClusterView& view) {
  const ResidentIndex index(view, AppId());
  std::vector<DeviceStatus> rows;
  for (const auto& [id, device] : view.devices) {
    const auto residents = index.On(rows.size());
    const DeviceLoad load = ExpectedLoad(view, device, residents, RatesOf(device.fit));
    rows.push_back({.spec = device.spec,
                    .health = device.health,
                    .utilization = Utilization(load),
                    .memory_used_bytes = MemoryOf(view, device, PlacementsOf(residents), nullptr),
                    .residents = {}});
    for (const auto& resident : residents)
      rows.back().residents.push_back(resident.app->name);
  }
  return rows;
}

std::vector<ModelStatus> DescribeModels(const ClusterView& view) {
  std::map<ModelId, std::vector<Profile>> profiles;
  for (const auto& [key, profile] : view.profiles)
    profiles[profile.model].push_back(profile);

  std::vector<ModelStatus> rows;
  for (const auto& [id, model] : view.models)
    rows.push_back({model, std::move(profiles[id])});
  return rows;
}

std::vector<AppStatus> DescribeApps(const ClusterView& view, PredictionBook& book) {
  std::vector<AppStatus> rows;
  rows.reserve(view.apps.size());
  for (const auto& [name, app] : view.apps)
    rows.push_back(RowOf(view, app));

  // Rows stand in the order of the view's applications.
  const auto row_of = [&](const AppId& name) -> AppStatus& {
    return rows[static_cast<size_t>(view.apps.find(name) - view.apps.begin())];
  };
  const ResidentIndex index(view, AppId());
  size_t position = 0;
  for (const auto& [id, device] : view.devices)
    DescribeResidents(view, device, index.On(position++), book, row_of);

  return rows;
}

AppStatus DescribeApp(const ClusterView& view, const AppId& app, PredictionBook& book) {
  AppStatus status = RowOf(view, view.apps.at(app));
  if (!status.placement) return status;
  const auto device = view.devices.find(status.placement->device);
  if (device == view.devices.end()) return status;

  AppStatus others;
  DescribeResidents(view, device->second, ResidentsOf(view, device->first), book,
                    [&](const AppId& name) -> AppStatus& { return name == app ? status : others; });
  return status;
}

std::vector<PredictedLatency> PredictLatencies(const ClusterView& view, const DeviceId& id, PredictionBook& book) {
  const DeviceView& device = view.devices.at(id);
  const auto residents = ResidentsOf(view, id);
  const auto load = ExpectedLoad(view, device, residents, RatesOf(device.fit));

  std::vector<PredictedLatency> latencies;
  const DevicePrediction* prediction = book.Find(id, load);
  if (prediction == nullptr) return latencies;
  for (const auto& app : prediction->apps)
    latencies.push_back({app.app, Summarize(app)});
  return latencies;
}

std::vector<JudgedLatency> JudgedLatencies(const ClusterView& view, const DeviceId& device) {
  std::vector<JudgedLatency> limits;
  for (const AppId& name : view.Residents(device)) {
    const Application& app = view.apps.at(name);
    limits.push_back({.app = name, .limit = app.objective.latency - app.network_allowance});
  }
  return limits;
}

std::vector<DeviceId> DevicesToProfile(const ClusterView& view, const Model& model, bool missing_only) {
  std::set<std::string> types;
  std::vector<DeviceId> devices;
  for (const auto& [id, device] : view.devices) {
    const auto format = FormatOf(device.spec.engine);
    if (device.health != DeviceHealth::kHealthy || model.Find(format) == nullptr) continue;
    if (missing_only && view.FindProfile(model.id(), format, device.spec.type) != nullptr) continue;
    if (types.insert(device.spec.type).second) devices.push_back(id);
  }
  return devices;
}

} // namespace avocet
