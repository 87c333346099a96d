#pragma once

#include <string>
#include <vector>

#include "controller/cluster/cluster_view.h"

namespace avocet {

struct NodeSetup {
  uint32_t cpu_cores = 4;
  double core_speed = 1;
};

struct DeviceOptions {
  DeviceKind kind = DeviceKind::kGpu;
  Discipline discipline = Discipline::kTimeShared;
  EngineKind engine = EngineKind::kEmulated;
  std::string type = "test device";
  uint64_t memory_mib = 4000;
  DeviceHealth health = DeviceHealth::kHealthy;
};

struct ProfileSetup {
  std::string device_type = "test device";
  ModelFormat format = ModelFormat::kEmulated;
  double service_ms = 10;
  double scv = 0;
  double switch_ms = 0;
  uint64_t memory_mib = 100;
  uint64_t memory_per_app_mib = 0;
};

struct AppOptions {
  double rate_rps = 1;
  Statistic statistic = Statistic::kMean;
  double latency_ms = 1000;
  double network_allowance_ms = 0;
  double preprocess_ms = 0;
  RateSource rate_source = RateSource::kDeclaredOrMeasured;
  std::vector<DeviceKind> device_kinds = {};
};

/// An application that passes Validate.
Application MakeApp(const std::string& name, const std::string& model, const AppOptions& options = {});

/// Some 64 hex digits, different for different texts.
Sha256 FakeDigest(const std::string& text);

/// Builds ClusterViews in tests: name what matters, the rest has defaults that work together. Devices
/// are "node/device" (nodes come into being with them), models "name:version"; a model gets an emulated
/// file unless formats are given.
///
///   ViewBuilder().Device("n1/gpu0").Model("pose:1", {.service_ms = 20}).Resident(MakeApp("a", "pose"),
///   "n1/gpu0").Build()
class ViewBuilder {
public:
  ViewBuilder& Node(const std::string& name, const NodeSetup& options = {});
  ViewBuilder& Device(const std::string& id, const DeviceOptions& options = {});
  /// A model with one profile.
  ViewBuilder& Model(const std::string& id, const ProfileSetup& profile = {});
  ViewBuilder& ModelWithoutProfile(const std::string& id,
                                   const std::vector<ModelFormat>& formats = {ModelFormat::kEmulated});
  ViewBuilder& Profile(const std::string& model, const ProfileSetup& profile);
  /// Places the application, ready, with the next epoch. Its model and the device must be there.
  ViewBuilder& Resident(const Application& app, const std::string& device);
  ViewBuilder& Fit(const DeviceFit& fit);

  const ClusterView& Build() const { return view_; }

private:
  ClusterView view_;
  uint64_t last_epoch_ = 0;
};

} // namespace avocet
