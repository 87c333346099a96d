#include "controller/planning/node_simulation.h"

#include "controller/placement/decide.h"

namespace avocet {
namespace {

std::vector<AppLoad> AllApps(const NodeLoad& load) {
  std::vector<AppLoad> apps;
  for (const auto& device : load.devices)
    apps.insert(apps.end(), device.apps.begin(), device.apps.end());
  return apps;
}

/// All requests share the cores, whatever they are of.
SharedStation CoresOf(const NodeLoad& load) {
  return {std::vector<size_t>(load.preprocess_s.size(), 0), SIZE_MAX, load.cores};
}

} // namespace

NodeLoad NodeLoadOf(const ClusterView& view, const NodeId& node) {
  NodeLoad load;
  double speed = 1;
  // A node that never registered its cores counts as one of nominal speed.
  if (const auto it = view.nodes.find(node); it != view.nodes.end()) {
    load.cores = std::max(static_cast<int>(it->second.cpu_cores), 1);
    speed = it->second.core_speed;
  }

  // Devices of the node share its cores, so they are simulated together.
  for (const auto& [id, device] : view.devices) {
    if (device.spec.node != node) continue;
    load.devices.push_back(LoadOf(view, id));
    // Pre-processing is given for nominal cores; faster ones take less.
    for (const auto& app : load.devices.back().apps)
      load.preprocess_s.push_back(ToSeconds(view.apps.at(app.app).preprocess) / speed);
  }

  return load;
}

NodeSimulation::NodeSimulation(const NodeLoad& load, uint64_t seed, double warm_up_s)
    : source_(AllApps(load), seed), cores_(CoresOf(load)), responses_(load.preprocess_s.size()), warm_up_s_(warm_up_s) {
  for (const auto& device : load.devices) {
    for (size_t i = 0; i < device.apps.size(); ++i)
      targets_.push_back({devices_.size(), i, load.preprocess_s[targets_.size()]});
    devices_.emplace_back(device, StationOptions{});
  }
  next_ = source_.Next();
}

void NodeSimulation::EnterDevice(const SimulatedRequest& request, double now_s) {
  const Target& target = targets_[request.app];
  const size_t first = request.app - target.app; // of the device's applications
  const auto record = [&](const SimulatedRequest& done, double end_s) {
    if (done.arrival_s >= warm_up_s_) responses_[first + done.app].push_back(end_s - done.arrival_s);
  };
  devices_[target.device].Enter({target.app, request.arrival_s, request.work_s}, now_s, record);
}

void NodeSimulation::Run(double until_s) {
  const auto enter_device = [this](const SimulatedRequest& request, double now_s) { EnterDevice(request, now_s); };
  for (; next_.arrival_s < until_s; next_ = source_.Next(), ++requests_) {
    cores_.Advance(next_.arrival_s, enter_device);
    const double work_s = targets_[next_.app].preprocess_s;
    if (work_s > 0)
      cores_.Enter({next_, work_s}, next_.arrival_s, enter_device);
    else
      EnterDevice(next_, next_.arrival_s);
  }
}

} // namespace avocet
