#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <boost/container/flat_map.hpp>

#include "controller/queueing/latency_model.h"
#include "messages/application.h"
#include "messages/device.h"
#include "messages/measurement.h"
#include "messages/model.h"
#include "messages/placement.h"

namespace avocet {

/// What the controller knows of one device.
struct DeviceView {
  DeviceSpec spec;
  DeviceHealth health = DeviceHealth::kAway;
  DeviceFit fit; ///< measured parameters; empty until windows came
};

/// In order of name and side by side in memory, as every decision reads all of it. Whatever comes or goes moves the
/// others: pointers into it do not last.
template <class Value> using ByApp = boost::container::flat_map<AppId, Value>;

inline constexpr size_t kMaxRefused = 64;

/// Everything that placement decides on. A value: copy it, change the copy, ask again. No clock,
/// no disk. `version` grows with every change that can alter a decision.
struct ClusterView {
  uint64_t version = 0;
  std::map<DeviceId, DeviceView> devices;
  std::map<NodeId, NodeInfo> nodes;
  ByApp<Application> apps; ///< admitted ones, and those waiting for a placement
  ByApp<Placement> placements;
  std::map<ModelId, Model> models;
  std::map<std::string, Profile> profiles; ///< by Profile::key()
  /// Why the last measurement gave no profile, by Profile::key(). In memory only: after a restart a model was never
  /// measured.
  std::map<std::string, std::string> profile_failures;
  /// The last kMaxRefused applications that found no place, oldest first, none that was admitted since: their like
  /// may come again, so placement keeps room for them as for the admitted ones.
  std::vector<Application> refused;

  /// Resolves "name" (the highest version) or "name:version"; nullptr when absent.
  const Model* FindModel(std::string_view name_or_id) const;
  const Profile* FindProfile(const ModelId& model, ModelFormat format, const std::string& device_type) const;
  /// Applications placed on the device, in order of name.
  std::vector<AppId> Residents(const DeviceId& device) const;
};

} // namespace avocet
