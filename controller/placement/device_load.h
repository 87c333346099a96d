#pragma once

#include <optional>
#include <span>
#include <vector>

#include "controller/cluster/cluster_view.h"
#include "controller/queueing/latency_model.h"

namespace avocet {

/// Fewer observations than this do not speak against what was declared or profiled.
inline constexpr double kTrustedWeight = 20;

/// Service and switch time of a model on a device, with what they rest on: fitted where at least kTrustedWeight
/// observations stand behind it, else profiled. A profile that agrees with the fit within three standard
/// errors, and is known more precisely, goes first.
struct ModelTiming {
  ServiceTime service;
  double switch_s = 0;
  double switch_error_s = 0; ///< standard error
};
/// nullopt where there is neither a trusted fit nor a profile.
std::optional<ModelTiming> TimingOf(const ClusterView& view, const DeviceView& device, const ModelId& model,
                                    ModelFormat format);

/// What was measured of the model in operation; nullptr: nothing.
const ModelFit* FindFit(const DeviceFit& fit, const ModelId& model);

/// What is known of a model on a device.
struct KnownModel {
  const Profile* profile = nullptr;  ///< borrowed from the view
  std::optional<ModelTiming> timing; ///< as TimingOf
};
KnownModel KnowledgeOf(const ClusterView& view, const DeviceView& device, const ModelId& model, ModelFormat format);

/// An application where it runs. Borrowed from the view.
struct PlacedApp {
  const Placement* placement = nullptr;
  const Application* app = nullptr;
};

/// Applications by device, in order of name, without one.
class ResidentIndex {
public:
  ResidentIndex(const ClusterView& view, const AppId& without);
  /// Of a device by its position in the view.
  std::span<const PlacedApp> On(size_t device) const;

private:
  std::vector<PlacedApp> residents_; ///< device after device
  std::vector<size_t> begins_;       ///< by device; one more: the end
};

/// What one application brings to a device.
struct AppDemand {
  const Application& app;
  ModelId model;
  ModelFormat format = ModelFormat::kTflite;
  double rate_rps = 0;
};
/// nullopt where nothing is known of the model there.
std::optional<AppLoad> LoadOfApp(const ClusterView& view, const DeviceView& device, const AppDemand& demand);

/// The load of the given placements on a device; those without timing are left out.
DeviceLoad LoadOfPlacements(const ClusterView& view, const DeviceView& device,
                            const std::vector<const Placement*>& placements);

/// Memory of the distinct models of the placements and of each application, and of one more of `extra` if
/// given. Unprofiled ones count 0.
uint64_t MemoryOf(const ClusterView& view, const DeviceView& device, const std::vector<const Placement*>& placements,
                  const Profile* extra);

} // namespace avocet
