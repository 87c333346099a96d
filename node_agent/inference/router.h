#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "messages/ids.h"
#include "messages/reports.h"
#include "node_agent/inference/byte_budget.h"
#include "node_agent/inference/inference_statistics.h"
#include "node_agent/scheduling/device_scheduler.h"

namespace avocet {

/// Where an application's requests go on this node.
struct Route {
  std::shared_ptr<DeviceScheduler> device;
  ModelId model;
  bool emulated = false;
  /// Since the application was published with this model. Publish() sets it.
  std::shared_ptr<InferenceStatistics> statistics = nullptr;
  /// What the application's requests hold of the node's memory for requests. Publish() sets it, too.
  std::shared_ptr<BudgetShare> share = nullptr;
};

/// The node's route table: application -> device. Thread-safe; readers get immutable snapshots.
class Router {
public:
  using Table = std::map<AppId, Route>;
  /// Statistics go on where the application only moves; with another model they begin anew.
  void Publish(const AppId& app, Route route);
  void Withdraw(const AppId& app);
  /// The limits that the response times of a device's applications are judged by; replaces those before. They reach the
  /// statistics of routes that are there and of those that come; where an application is not among them any more, its
  /// statistics keep the last one.
  void SetLimits(const DeviceId& device, std::vector<JudgedLatency> limits);
  /// nullptr device when there is no route.
  Route Find(const AppId& app) const;
  std::shared_ptr<const Table> snapshot() const;

private:
  void ApplyLimits(const AppId& app, const Route& route) const;

  mutable std::mutex mutex_;
  std::shared_ptr<const Table> table_ = std::make_shared<const Table>();
  std::map<DeviceId, std::vector<JudgedLatency>> limits_; ///< of this node's devices
};

} // namespace avocet
