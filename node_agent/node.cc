#include "node_agent/node.h"

#include <utility>

namespace avocet {

Node::Node(NodeOptions options, ModelFiles files) : options_(std::move(options)), files_(std::move(files)) {}

Result<std::unique_ptr<Node>> Node::Open(const NodeOptions& options) {
  auto files = ModelFiles::Open(options.files);
  if (!files.ok()) return files.status();
  std::unique_ptr<Node> node(new Node(options, std::move(*files)));
  for (const auto& spec : options.devices) {
    auto engine = MakeEngine(
        {.kind = spec.engine, .device_kind = spec.kind, .discipline = spec.discipline, .prefix = options.prefix});
    if (!engine.ok()) return engine.status().WithContext("device '" + spec.id().str() + "'");
    node->slots_[spec.id()].scheduler =
        std::make_shared<DeviceScheduler>(spec, options.boot, std::move(*engine), options.scheduler);
  }
  return node;
}

Result<Node::Slot*> Node::Find(const DeviceId& device) {
  const auto found = slots_.find(device);
  if (found == slots_.end()) return NotFound("device '" + device.str() + "' is not on this node");
  return &found->second;
}

Result<std::filesystem::path> Node::EnsureFile(const Sha256& file, uint64_t size_bytes,
                                               const ModelFiles::Fetch& fetch) {
  const std::lock_guard lock(files_mutex_);
  return files_.Ensure(file, size_bytes, fetch);
}

/// Replaces what is known of an application and pins exactly the files in use.
std::optional<Node::Use> Node::Exchange(const AppId& app, std::optional<Use> use) {
  std::optional<Use> before;
  std::set<Sha256> pinned;
  {
    const std::lock_guard lock(uses_mutex_);
    if (auto old = uses_.extract(app); !old.empty()) before = std::move(old.mapped());
    if (use) uses_[app] = std::move(*use);
    for (const auto& [name, one] : uses_)
      pinned.insert(one.file);
  }
  const std::lock_guard lock(files_mutex_);
  files_.SetPinned(std::move(pinned));
  return before;
}

bool Node::IsUsed(const DeviceId& device, const ModelId& model) const {
  const std::lock_guard lock(uses_mutex_);
  for (const auto& [name, use] : uses_) {
    if (use.device == device && use.model == model) return true;
  }
  return false;
}

Status Node::RetireLocked(DeviceScheduler& device, const AppId& app, const ModelId& model) {
  AVOCET_RETURN_IF_ERROR(device.Detach(app));
  return IsUsed(device.spec().id(), model) ? Status{} : device.Unload(model);
}

/// Drains the application's copy; unloads its model when it was the last to use it.
Status Node::Retire(const AppId& app, const Use& use) {
  auto slot = Find(use.device);
  if (!slot.ok()) return slot.status();
  const std::lock_guard lock((*slot)->loading);
  return RetireLocked(*(*slot)->scheduler, app, use.model);
}

Status Node::AttachLocked(DeviceScheduler& device, const Command& command, const std::optional<Use>& before) {
  const bool another_model = before && before->device == command.device && before->model != command.model;
  // One device serves an application from one model: there the old copy must drain first.
  if (another_model) AVOCET_RETURN_IF_ERROR(RetireLocked(device, command.app, before->model));
  return device.Attach(command.app, command.model);
}

Status Node::Start(const Command& command, const ModelFiles::Fetch& fetch) {
  auto slot = Find(command.device);
  if (!slot.ok()) return slot.status();
  auto path = EnsureFile(command.file, 0, fetch);
  if (!path.ok()) return path.status();
  const auto device = (*slot)->scheduler;
  std::optional<Use> before;
  {
    const std::lock_guard lock((*slot)->loading);
    AVOCET_RETURN_IF_ERROR(device->Load({command.model, *path}));
    before = Exchange(command.app, Use{command.device, command.model, command.file});
    if (auto status = AttachLocked(*device, command, before); !status.ok()) {
      (void)Exchange(command.app, before);
      return status;
    }
  }
  router_->Publish(command.app, {device, command.model, device->spec().emulated()});
  if (before && before->device != command.device) return Retire(command.app, *before);
  return {};
}

Status Node::Stop(const Command& command) {
  {
    const std::lock_guard lock(uses_mutex_);
    const auto use = uses_.find(command.app);
    // Not here, or the application moved to another device meanwhile: that copy goes on.
    if (use == uses_.end() || use->second.device != command.device) return {};
  }
  router_->Withdraw(command.app);
  const auto before = Exchange(command.app, std::nullopt);
  return before ? Retire(command.app, *before) : Status{};
}

/// Runs through the device's own queue, so that the applications on it go on being served.
Result<ServiceProfile> Node::Measure(DeviceScheduler& device, const ModelId& model) const {
  const auto run_once = [&](bool switched) -> Result<Duration> {
    auto probe = device.RunOnce(model, switched ? ProbeKind::kSwitched : ProbeKind::kWarm, options_.profile.max_time);
    if (!probe.ok()) return probe.status();
    return probe->attained_service;
  };
  return MeasureService(run_once, options_.profile);
}

Result<Profile> Node::ProfileModel(const DeviceId& device, const ModelId& model, const Variant& variant,
                                   const ModelFiles::Fetch& fetch) {
  auto slot = Find(device);
  if (!slot.ok()) return slot.status();
  auto path = EnsureFile(variant.file, variant.size_bytes, fetch);
  if (!path.ok()) return path.status();
  DeviceScheduler& scheduler = *(*slot)->scheduler;
  const std::lock_guard lock((*slot)->loading);
  const bool was_loaded = scheduler.MemoryOf(model) > 0;
  AVOCET_RETURN_IF_ERROR(scheduler.Load({model, *path}));
  const uint64_t memory = scheduler.MemoryOf(model);
  auto service = Measure(scheduler, model);
  if (!was_loaded) AVOCET_RETURN_IF_ERROR(scheduler.Unload(model));
  if (!service.ok()) return service.status();
  return Profile{.model = model,
                 .format = variant.format,
                 .device_type = scheduler.spec().type,
                 .service_mean = service->service_mean,
                 .service_scv = service->service_scv,
                 .switch_overhead = service->switch_overhead,
                 .memory_bytes = memory,
                 .runs = service->runs,
                 .emulated = scheduler.spec().emulated(),
                 .measured_at = std::chrono::system_clock::now()};
}

std::vector<MeasurementWindow> Node::CloseWindows() {
  std::vector<MeasurementWindow> windows;
  for (auto& [id, slot] : slots_)
    windows.push_back(slot.scheduler->CloseWindow());
  return windows;
}

void Node::SetPredictions(const DeviceId& device, std::vector<PredictedLatency> predicted) {
  if (!slots_.contains(device)) return;
  const std::lock_guard lock(predicted_mutex_);
  predicted_[device] = std::move(predicted);
}

std::vector<DeviceMetrics> Node::DeviceStates() const {
  std::vector<DeviceMetrics> states;
  const std::lock_guard lock(predicted_mutex_);
  for (const auto& [id, slot] : slots_) {
    const DeviceScheduler& device = *slot.scheduler;
    states.push_back({.id = id,
                      .kind = device.spec().kind,
                      .emulated = device.spec().emulated(),
                      .memory_used_bytes = device.memory_used_bytes(),
                      .memory_bytes = device.spec().memory_bytes,
                      .totals = device.totals(),
                      .predicted = predicted_.contains(id) ? predicted_.at(id) : std::vector<PredictedLatency>()});
  }
  return states;
}

} // namespace avocet
