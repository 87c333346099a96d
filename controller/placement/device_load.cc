#include "controller/placement/device_load.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <unordered_map>
#include <utility>

#include "controller/placement/decide.h"
#include "controller/queueing/estimator.h"

namespace avocet {
namespace {

bool IsTrusted(const Estimate& estimate) {
  return estimate.weight >= kTrustedWeight && estimate.mean > 0;
}

ServiceTime ServiceOf(const Estimate& fitted) {
  return {.mean_s = fitted.mean, .scv = fitted.scv, .observations = fitted.weight};
}

ServiceTime ServiceOf(const Profile& profile) {
  return {.mean_s = ToSeconds(profile.service_mean),
          .scv = profile.service_scv,
          .observations = static_cast<double>(profile.runs)};
}

/// Two estimates this many standard errors apart are of different things.
constexpr double kContradiction = 3;

/// The fit, unless the profile agrees with it and is known more precisely: a few observations are no reason
/// to forget what many said.
ServiceTime Better(const ServiceTime& profiled, const ServiceTime& fitted) {
  const double profile_error = StandardError(profiled), fit_error = StandardError(fitted);
  const bool agree = std::abs(profiled.mean_s - fitted.mean_s) <= kContradiction * std::hypot(profile_error, fit_error);
  return agree && profile_error < fit_error ? profiled : fitted;
}

const Application* FindApp(const ClusterView& view, const AppId& app) {
  const auto it = view.apps.find(app);
  return it == view.apps.end() ? nullptr : &it->second;
}

} // namespace

const ModelFit* FindFit(const DeviceFit& fit, const ModelId& model) {
  const auto it = std::find_if(fit.models.begin(), fit.models.end(), [&](const auto& m) { return m.model == model; });
  return it == fit.models.end() ? nullptr : &*it;
}

double AdmissionRate(const Application& app, const DeviceFit& fit) {
  const auto it = std::find_if(fit.apps.begin(), fit.apps.end(), [&](const auto& a) { return a.app == app.name; });
  if (it == fit.apps.end() || !IsTrusted(it->rate)) return app.rate_rps;
  const double measured = UpperRateBound(it->rate);
  return app.rate_source == RateSource::kMeasured ? measured : std::max(app.rate_rps, measured);
}

KnownModel KnowledgeOf(const ClusterView& view, const DeviceView& device, const ModelId& model, ModelFormat format) {
  KnownModel known{.profile = view.FindProfile(model, format, device.spec.type), .timing = {}};

  const Profile* profile = known.profile;
  const ModelFit* fit = FindFit(device.fit, model);
  const bool fitted = fit != nullptr && IsTrusted(fit->service);
  if (profile == nullptr && !fitted) return known;

  // A trusted fit beats the profile, as it was measured on this device; `Better` keeps the profile where the fit rests
  // on too few requests to know better.
  ModelTiming timing;
  timing.service = fitted ? ServiceOf(fit->service) : ServiceOf(*profile);
  if (fitted && profile != nullptr) timing.service = Better(ServiceOf(*profile), timing.service);

  // The switch is what a switched request takes longer. Noise could make it negative.
  if (fit != nullptr && IsTrusted(fit->switched_service)) {
    const auto switched = ServiceOf(fit->switched_service);
    timing.switch_s = std::max(switched.mean_s - timing.service.mean_s, 0.0);
    timing.switch_error_s = std::hypot(StandardError(switched), StandardError(timing.service));
    // Without measured switches the profile's number stands.
  } else if (profile != nullptr) {
    timing.switch_s = ToSeconds(profile->switch_overhead);
  }

  known.timing = timing;
  return known;
}

std::optional<ModelTiming> TimingOf(const ClusterView& view, const DeviceView& device, const ModelId& model,
                                    ModelFormat format) {
  return KnowledgeOf(view, device, model, format).timing;
}

/// Placements and applications are both in order of name: one pass. Then they are dealt out to the devices.
ResidentIndex::ResidentIndex(const ClusterView& view, const AppId& without) : begins_(view.devices.size() + 1) {
  // By position and not by id: the lists below are one array, filled by counting instead of one vector a device.
  std::unordered_map<DeviceId, size_t> positions;
  positions.reserve(view.devices.size());
  for (const auto& [id, device] : view.devices)
    positions.emplace(id, positions.size());

  std::vector<std::pair<size_t, PlacedApp>> placed;
  placed.reserve(view.placements.size());
  // Both maps are in order of name: one pass over both instead of a look-up for each placement.
  auto app = view.apps.begin();
  for (const auto& [name, placement] : view.placements) {
    while (app != view.apps.end() && app->first < name)
      ++app;
    if (app == view.apps.end()) break;
    const auto device = positions.find(placement.device);
    if (app->first != name || name == without || device == positions.end()) continue;
    placed.push_back({device->second, {&placement, &app->second}});
    begins_[device->second + 1] += 1;
  }

  std::partial_sum(begins_.begin(), begins_.end(), begins_.begin());
  residents_.resize(placed.size());

  auto next = begins_;
  for (const auto& [device, resident] : placed)
    residents_[next[device]++] = resident;
}

std::span<const PlacedApp> ResidentIndex::On(size_t device) const {
  return std::span(residents_).subspan(begins_[device], begins_[device + 1] - begins_[device]);
}

std::optional<AppLoad> LoadOfApp(const ClusterView& view, const DeviceView& device, const AppDemand& demand) {
  const auto timing = TimingOf(view, device, demand.model, demand.format);
  if (!timing) return std::nullopt;
  return AppLoad{.app = demand.app.name,
                 .model = demand.model,
                 .rate_rps = demand.rate_rps,
                 .arrival_scv = demand.app.arrival.scv,
                 .service = timing->service,
                 .switch_s = timing->switch_s,
                 .switch_error_s = timing->switch_error_s};
}

DeviceLoad LoadOfPlacements(const ClusterView& view, const DeviceView& device,
                            const std::vector<const Placement*>& placements) {
  const int cores = std::max(static_cast<int>(device.spec.cores.size()), 1);
  DeviceLoad load{.discipline = device.spec.discipline, .cores = cores, .apps = {}};
  for (const Placement* placement : placements) {
    const Application* app = FindApp(view, placement->app);
    if (app == nullptr) continue;
    const double rate = AdmissionRate(*app, device.fit);
    if (auto one = LoadOfApp(view, device, {*app, placement->model, placement->format, rate}))
      load.apps.push_back(std::move(*one));
  }
  return load;
}

DeviceLoad LoadOf(const ClusterView& view, const DeviceId& device) {
  const auto it = view.devices.find(device);
  if (it == view.devices.end()) return {};
  std::vector<const Placement*> placements;
  for (const auto& app : view.Residents(device))
    placements.push_back(&view.placements.at(app));
  return LoadOfPlacements(view, it->second, placements);
}

uint64_t MemoryOf(const ClusterView& view, const DeviceView& device, const std::vector<const Placement*>& placements,
                  const Profile* extra) {
  std::map<ModelId, const Profile*> loaded;
  uint64_t bytes = 0;
  const auto add = [&](const Profile* profile, bool is_loaded) {
    if (profile != nullptr) bytes += profile->memory_per_app_bytes + (is_loaded ? 0 : profile->memory_bytes);
  };
  for (const Placement* placement : placements) {
    const auto [it, is_new] = loaded.try_emplace(placement->model);
    if (is_new) it->second = view.FindProfile(placement->model, placement->format, device.spec.type);
    add(it->second, !is_new);
  }
  if (extra != nullptr) add(extra, loaded.contains(extra->model));
  return bytes;
}

} // namespace avocet
