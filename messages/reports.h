#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "messages/application.h"
#include "messages/device.h"
#include "messages/measurement.h"
#include "messages/model.h"
#include "messages/placement.h"
#include "messages/totals.h"

namespace avocet {

/// What operators are shown. Derived, never stored.

struct NodeStatus {
  NodeInfo info;
  DeviceHealth health = DeviceHealth::kAway;
  std::string note = {}; ///< what an operator should know of it, and do; empty: nothing
};

struct DeviceStatus {
  DeviceSpec spec;
  DeviceHealth health = DeviceHealth::kAway;
  double utilization = 0;         ///< predicted from fitted or profiled parameters; may exceed 1
  uint64_t memory_used_bytes = 0; ///< of the models of its residents
  std::vector<AppId> residents;
};

struct ModelStatus {
  Model model;
  std::vector<Profile> profiles;
  std::string note = {}; ///< what an operator should know of it, and do; empty: nothing
};

/// Predicted response time.
struct LatencySummary {
  Duration mean{};
  Duration p50{};
  Duration p95{};
  Duration p99{};
  friend bool operator==(const LatencySummary&, const LatencySummary&) = default;
};

/// That of one application.
struct PredictedLatency {
  AppId app;
  LatencySummary latency;
  friend bool operator==(const PredictedLatency&, const PredictedLatency&) = default;
};

/// The limit that the response time of an application is judged by: its objective less the network allowance.
struct JudgedLatency {
  AppId app;
  Duration limit{};
  friend bool operator==(const JudgedLatency&, const JudgedLatency&) = default;
};

struct AppStatus {
  Application app;
  std::optional<Placement> placement;
  bool emulated = false;                   ///< placed on an emulated device
  double utilization = 0;                  ///< of its device
  std::optional<LatencySummary> predicted; ///< empty when not placed or not stable
  AppTotals measured;                      ///< in all, on its device
  RecentTotals recent;
};

struct VersionInfo {
  std::string version;
  std::string role; ///< "controller", "dev"
  uint64_t view_version = 0;
  Duration uptime{};
};

} // namespace avocet
