#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "controller/cluster/cluster_view.h"
#include "controller/queueing/stations.h"

namespace avocet {

/// A node as it is played: its cores prepare the requests of all its devices, then each device serves by
/// its discipline.
struct NodeLoad {
  int cores = 1;
  std::vector<DeviceLoad> devices;
  /// Pre-processing time on an idle core of this node, by application, the devices' lists one after the other.
  std::vector<double> preprocess_s;
};

/// What the node hosts, at the declared rates and profiled times: the truth that predictions are compared with.
/// Applications that nothing is known of are left out.
NodeLoad NodeLoadOf(const ClusterView& view, const NodeId& node);

/// Plays a node request by request: arrivals (request_source.h), processor sharing on the cores, the device's
/// discipline. Response times run from the arrival at the node to the end on the device. A function of the
/// load and the seed; how it was cut into Run calls does not matter. Cost: bench/simulation.
class NodeSimulation {
public:
  /// Applications are numbered as in NodeLoad::preprocess_s. Requests that arrive in the first `warm_up_s` are not
  /// counted.
  NodeSimulation(const NodeLoad& load, uint64_t seed, double warm_up_s);

  /// Plays on until `until_s` of simulated time: requests that arrive before it. What then is still in the node is
  /// counted by a later call.
  void Run(double until_s);

  /// Response times in seconds, in order of completion (of arrival for kFifo).
  std::span<const double> Responses(size_t app) const { return responses_[app]; }
  uint64_t requests() const { return requests_; } ///< played so far

private:
  struct Target {
    size_t device = 0;
    size_t app = 0; ///< on the device
    double preprocess_s = 0;
  };

  void EnterDevice(const SimulatedRequest& request, double now_s);

  RequestSource source_;
  SharedStation cores_;
  std::vector<DeviceStation> devices_;
  std::vector<Target> targets_;                ///< by application
  std::vector<std::vector<double>> responses_; ///< by application
  SimulatedRequest next_;
  double warm_up_s_;
  uint64_t requests_ = 0;
};

} // namespace avocet
