#include "controller/placement/describe.h"

#include <cmath>
#include <set>

#include "controller/placement/decide.h"
#include "controller/placement/device_load.h"
#include "controller/queueing/estimator.h"

namespace avocet {
namespace {

bool IsAway(const ClusterView& view, const NodeId& node) {
  for (const auto& [id, device] : view.devices) {
    if (device.spec.node == node && device.health != DeviceHealth::kAway) return false;
  }
  return true;
}

uint64_t MemoryUsed(const ClusterView& view, const DeviceView& device) {
  std::vector<const Placement*> placements;
  for (const auto& app : view.Residents(device.spec.id()))
    placements.push_back(&view.placements.at(app));
  return MemoryOf(view, device, placements, nullptr);
}

const AppPrediction* FindPrediction(const DevicePrediction& prediction, const AppId& app) {
  for (const auto& one : prediction.apps) {
    if (one.app == app) return &one;
  }
  return nullptr;
}

LatencySummary Summarize(const AppPrediction& p) {
  return {FromSeconds(p.mean_s), FromSeconds(p.p50_s), FromSeconds(p.p95_s), FromSeconds(p.p99_s)};
}

void AddMeasuredRate(AppStatus& status, const DeviceFit& fit) {
  for (const auto& app : fit.apps) {
    if (app.app == status.app.name) status.measured.rate = app.rate;
  }
}

/// Of the 95 % bound: together about three standard errors, so that of many applications none is
/// taken for another rate by chance.
constexpr double kContradiction = 1.5;

/// The declared rate, unless the measured one contradicts it. Admission uses the upper bound;
/// what people compare with measurements must be the expectation.
double ExpectedRate(const Application& app, const DeviceFit& fit) {
  for (const auto& known : fit.apps) {
    if (known.app != app.name || known.rate.weight < kTrustedWeight) continue;
    const double margin = kContradiction * (UpperRateBound(known.rate) - known.rate.mean);
    if (std::abs(known.rate.mean - app.rate_rps) > margin) return known.rate.mean;
  }
  return app.rate_rps;
}

DeviceLoad ExpectedLoad(const ClusterView& view, const DeviceView& device) {
  DeviceLoad load = LoadOf(view, device.spec.id());
  for (auto& app : load.apps)
    app.rate_rps = ExpectedRate(view.apps.at(app.app), device.fit);
  std::erase_if(load.apps, [](const AppLoad& app) { return app.rate_rps <= 0; });
  return load;
}

void AddPrediction(AppStatus& status, const ClusterView& view, const DeviceView& device) {
  const DevicePrediction prediction = Predict(ExpectedLoad(view, device));
  status.utilization = prediction.utilization;
  const AppPrediction* found = FindPrediction(prediction, status.app.name);
  if (prediction.stable && found != nullptr) status.predicted = Summarize(*found);
}

} // namespace

std::vector<NodeStatus> DescribeNodes(const ClusterView& view) {
  std::vector<NodeStatus> rows;
  for (const auto& [id, node] : view.nodes) {
    const auto health = IsAway(view, id) ? DeviceHealth::kAway : DeviceHealth::kHealthy;
    rows.push_back({node, health});
  }
  return rows;
}

std::vector<DeviceStatus> DescribeDevices(const ClusterView& view) {
  std::vector<DeviceStatus> rows;
  for (const auto& [id, device] : view.devices) {
    rows.push_back({.spec = device.spec,
                    .health = device.health,
                    .utilization = Utilization(ExpectedLoad(view, device)),
                    .memory_used_bytes = MemoryUsed(view, device),
                    .residents = view.Residents(id)});
  }
  return rows;
}

std::vector<ModelStatus> DescribeModels(const ClusterView& view) {
  std::vector<ModelStatus> rows;
  for (const auto& [id, model] : view.models) {
    ModelStatus row{model, {}};
    for (const auto& [key, profile] : view.profiles) {
      if (profile.model == id) row.profiles.push_back(profile);
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

AppStatus DescribeApp(const ClusterView& view, const AppId& app) {
  AppStatus status{.app = view.apps.at(app), .placement = {}, .predicted = {}, .measured = {}};
  const auto placed = view.placements.find(app);
  if (placed == view.placements.end()) return status;
  status.placement = placed->second;
  const auto device = view.devices.find(placed->second.device);
  if (device == view.devices.end()) return status;
  status.emulated = device->second.spec.emulated();
  AddMeasuredRate(status, device->second.fit);
  AddPrediction(status, view, device->second);
  return status;
}

std::vector<PredictedLatency> PredictLatencies(const ClusterView& view, const DeviceId& device) {
  std::vector<PredictedLatency> latencies;
  for (const auto& app : Predict(ExpectedLoad(view, view.devices.at(device))).apps)
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
