#include "tests/support/view_builder.h"

#include <cstdio>
#include <stdexcept>

namespace avocet {
namespace {

ModelName SplitModel(const std::string& id) {
  auto parts = ParseModelName(id);
  if (!parts || parts->version.empty()) throw std::invalid_argument("test model '" + id + "' is not <name>:<version>");
  return *parts;
}

DeviceName SplitDevice(const std::string& id) {
  auto parts = ParseDeviceId(id);
  if (!parts) throw std::invalid_argument("test device '" + id + "' is not <node>/<device>");
  return *parts;
}

} // namespace

Application MakeApp(const std::string& name, const std::string& model, const AppOptions& options) {
  Application app;
  app.name = AppId(name);
  app.model = model;
  app.rate_rps = options.rate_rps;
  app.rate_source = options.rate_source;
  app.objective = {options.statistic, FromMillis(options.latency_ms)};
  app.network_allowance = FromMillis(options.network_allowance_ms);
  app.preprocess = FromMillis(options.preprocess_ms);
  app.device_kinds = options.device_kinds;
  return app;
}

Sha256 FakeDigest(const std::string& text) {
  uint64_t hash = 1469598103934665603ull; // FNV-1a
  for (const char c : text)
    hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211ull;
  char hex[17];
  std::snprintf(hex, sizeof hex, "%016llx", static_cast<unsigned long long>(hash));
  const std::string sixteen = hex;
  return Sha256(sixteen + sixteen + sixteen + sixteen);
}

ViewBuilder& ViewBuilder::Node(const std::string& name, const NodeSetup& options) {
  NodeInfo& node = view_.nodes[NodeId(name)];
  node.id = NodeId(name);
  node.boot = BootId("boot-" + name);
  node.version = "0";
  node.grpc_address = "127.0.0.1:8001";
  node.cpu_cores = options.cpu_cores;
  node.core_speed = options.core_speed;
  return *this;
}

ViewBuilder& ViewBuilder::Device(const std::string& id, const DeviceOptions& options) {
  const auto parts = SplitDevice(id);
  if (!view_.nodes.contains(parts.node)) Node(parts.node.str());
  DeviceSpec spec{.node = parts.node,
                  .name = parts.device,
                  .kind = options.kind,
                  .discipline = options.discipline,
                  .engine = options.engine,
                  .type = options.type,
                  .memory_bytes = options.memory_mib * kMiB,
                  .cores = {}};
  view_.nodes[parts.node].devices.push_back(spec);
  DeviceView& device = view_.devices[DeviceId(id)];
  device.spec = std::move(spec);
  device.health = options.health;
  device.fit.device = DeviceId(id);
  ++view_.version;
  return *this;
}

ViewBuilder& ViewBuilder::Model(const std::string& id, const ProfileSetup& profile) {
  return ModelWithoutProfile(id, {profile.format}).Profile(id, profile);
}

ViewBuilder& ViewBuilder::ModelWithoutProfile(const std::string& id, const std::vector<ModelFormat>& formats) {
  const auto parts = SplitModel(id);
  avocet::Model& model = view_.models[ModelId(id)];
  model.name = parts.name;
  model.version = parts.version;
  for (const auto format : formats) {
    model.variants.push_back({format, FakeDigest(id + std::string(ToString(format))), 1000});
  }
  ++view_.version;
  return *this;
}

ViewBuilder& ViewBuilder::Profile(const std::string& model, const ProfileSetup& options) {
  const avocet::Profile profile{.model = ModelId(model),
                                .format = options.format,
                                .device_type = options.device_type,
                                .service_mean = FromMillis(options.service_ms),
                                .service_scv = options.scv,
                                .switch_overhead = FromMillis(options.switch_ms),
                                .memory_bytes = options.memory_mib * kMiB,
                                .memory_per_app_bytes = options.memory_per_app_mib * kMiB,
                                .runs = 100,
                                .emulated = options.format == ModelFormat::kEmulated,
                                .measured_at = {}};
  view_.profiles[profile.key()] = profile;
  ++view_.version;
  return *this;
}

ViewBuilder& ViewBuilder::Resident(const Application& app, const std::string& device) {
  const auto* model = view_.FindModel(app.model);
  if (model == nullptr) throw std::invalid_argument("test model '" + app.model + "' does not exist");
  const auto* variant = model->Find(FormatOf(view_.devices.at(DeviceId(device)).spec.engine));
  if (variant == nullptr) throw std::invalid_argument("test model '" + app.model + "' has no file for the device");
  view_.apps[app.name] = app;
  view_.placements[app.name] = {.app = app.name,
                                .device = DeviceId(device),
                                .model = model->id(),
                                .format = variant->format,
                                .file = variant->file,
                                .epoch = ++last_epoch_,
                                .phase = PlacementPhase::kReady,
                                .reason = ""};
  ++view_.version;
  return *this;
}

ViewBuilder& ViewBuilder::Fit(const DeviceFit& fit) {
  view_.devices.at(fit.device).fit = fit;
  ++view_.version;
  return *this;
}

} // namespace avocet
