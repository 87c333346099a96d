#include "node_agent/node.h"

#include <set>
#include <span>
#include <utility>

#include <spdlog/spdlog.h>

#include "messages/files.h"

namespace avocet {

Node::Node(NodeOptions options, ModelFiles files) : options_(std::move(options)), files_(std::move(files)) {}

Result<std::unique_ptr<Node>> Node::Open(const NodeOptions& options) {
  auto files = ModelFiles::Open(options.files);
  if (!files.ok()) return files.status();
  std::unique_ptr<Node> node(new Node(options, std::move(*files)));
  for (const auto& spec : options.devices) {
    auto engine = options.make_engine(
        {.kind = spec.engine, .device_kind = spec.kind, .discipline = spec.discipline, .prefix = options.prefix});
    if (!engine.ok()) return engine.status().WithContext("device '" + spec.id().str() + "'");
    SchedulerOptions scheduler = options.scheduler;
    if (const auto queue = options.queues.find(spec.name); queue != options.queues.end())
      scheduler.max_queued = queue->second;
    node->slots_[spec.id()].scheduler =
        std::make_shared<DeviceScheduler>(spec, options.boot, std::move(*engine), scheduler);
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

/// Exactly the files in use may not be evicted.
void Node::PinFiles() {
  std::set<Sha256> pinned;
  {
    const std::lock_guard lock(uses_mutex_);
    for (const auto& [name, use] : uses_)
      pinned.insert(use.file);
  }
  const std::lock_guard lock(files_mutex_);
  files_.SetPinned(std::move(pinned));
}

bool Node::IsServedFrom(const AppId& app, const DeviceId& device) const {
  const std::lock_guard lock(uses_mutex_);
  const auto use = uses_.find(app);
  return use != uses_.end() && use->second.device == device;
}

bool Node::IsUsed(const DeviceId& device, const ModelId& model) const {
  const std::lock_guard lock(uses_mutex_);
  for (const auto& [name, use] : uses_) {
    if (use.device == device && use.model == model) return true;
  }
  return false;
}

void Node::Announce(const Command& command) {
  const std::lock_guard lock(uses_mutex_);
  gate_.Announce(command);
}

Status Node::CheckCurrent(const Command& start) const {
  const std::lock_guard lock(uses_mutex_);
  if (!gate_.IsPast(start)) return {};
  return Cancelled("the start of application '" + start.app.str() + "' with epoch " + std::to_string(start.epoch) +
                   " was overtaken by a later command");
}

/// Between two pieces of the file is the time to find that nobody wants it any more.
Result<std::filesystem::path> Node::FetchCurrent(const Command& start, const ModelFiles::Fetch& fetch) {
  return EnsureFile(start.file, start.size_bytes, [&](const Sha256& file, uint64_t offset) -> Result<std::string> {
    AVOCET_RETURN_IF_ERROR(CheckCurrent(start));
    return fetch(file, offset);
  });
}

/// Withdraws the route of the copy on a device; what it was, unless the route leads elsewhere or to a later copy.
std::optional<Node::Use> Node::Withdraw(const AppId& app, const DeviceId& device, uint64_t up_to_epoch) {
  const std::lock_guard lock(uses_mutex_);
  const auto use = uses_.find(app);
  if (use == uses_.end() || use->second.device != device || use->second.epoch > up_to_epoch) return std::nullopt;
  router_->Withdraw(app);
  return std::move(uses_.extract(use).mapped());
}

Status Node::UnloadIfUnused(DeviceScheduler& device, const ModelId& model) const {
  return IsUsed(device.spec().id(), model) ? Status{} : device.Unload(model);
}

/// Drains a copy that the route no longer leads to; unloads its model when it was the last to use it.
Status Node::Retire(const AppId& app, const Use& use) {
  AVOCET_ASSIGN_OR_RETURN(Slot* const slot, Find(use.device));
  const std::lock_guard lock(slot->loading);
  // A later start may have brought the application back to this device before the lock was free.
  if (!IsServedFrom(app, use.device)) AVOCET_RETURN_IF_ERROR(slot->scheduler->Detach(app));
  return UnloadIfUnused(*slot->scheduler, use.model);
}

/// One device serves an application from one model: a copy with another one, an earlier start's, drains first.
Status Node::AttachLocked(DeviceScheduler& device, const Command& command) {
  const Status attached = device.Attach(command.app, command.model);
  if (attached.code() != StatusCode::kAlreadyExists) return attached;

  const auto before = Withdraw(command.app, command.device, command.epoch);
  AVOCET_RETURN_IF_ERROR(device.Detach(command.app));
  if (before) AVOCET_RETURN_IF_ERROR(UnloadIfUnused(device, before->model));
  return device.Attach(command.app, command.model);
}

/// The last look at the gate and the switch of the route are one step: nothing overtakes in between.
Status Node::PublishLocked(DeviceScheduler& device, const Command& command, std::optional<Use>& before) {
  {
    const std::lock_guard lock(uses_mutex_);
    if (!gate_.IsPast(command)) {
      if (auto old = uses_.extract(command.app); !old.empty()) before = std::move(old.mapped());
      uses_[command.app] = {command.device, command.model, command.file, command.epoch};
      router_->Publish(command.app, {slots_.at(command.device).scheduler, command.model, device.spec().emulated()});
      return {};
    }
  }
  // What was attached for this start alone goes; an earlier copy that still serves from here stays.
  if (!IsServedFrom(command.app, command.device)) AVOCET_RETURN_IF_ERROR(device.Detach(command.app));
  return CheckCurrent(command);
}

Status Node::LoadAndPublish(DeviceScheduler& device, const Command& command, const LoadRequest& request,
                            std::optional<Use>& before) {
  AVOCET_RETURN_IF_ERROR(device.Load(request));
  if (const Status runs = device.FirstRunOf(command.model); !runs.ok())
    spdlog::warn("model serves without a warm-up model={} device={} reason=\"{}\"", command.model.str(),
                 command.device.str(), runs.message());
  AVOCET_RETURN_IF_ERROR(CheckCurrent(command)); // loading takes seconds
  AVOCET_RETURN_IF_ERROR(AttachLocked(device, command));
  return PublishLocked(device, command, before);
}

Status Node::Start(const Command& command, const ModelFiles::Fetch& fetch) {
  Announce(command);
  AVOCET_RETURN_IF_ERROR(CheckCurrent(command));
  AVOCET_ASSIGN_OR_RETURN(Slot* const slot, Find(command.device));
  AVOCET_ASSIGN_OR_RETURN(const auto path, FetchCurrent(command, fetch));

  std::optional<Use> before;
  {
    const std::lock_guard lock(slot->loading);
    AVOCET_RETURN_IF_ERROR(CheckCurrent(command)); // so did fetching
    if (auto status = LoadAndPublish(*slot->scheduler, command, {command.model, path}, before); !status.ok()) {
      // The reason of the failure counts; a model that cannot be unloaded now is unloaded by the next stop.
      (void)UnloadIfUnused(*slot->scheduler, command.model);
      return status;
    }
  }
  PinFiles();

  // The new copy serves, whatever becomes of the old one: draining it in time is not part of the start.
  if (before && before->device != command.device) {
    if (auto status = Retire(command.app, *before); !status.ok())
      spdlog::warn("old copy not retired app={} device={} reason=\"{}\"", command.app.str(), before->device.str(),
                   status.message());
  }
  return {};
}

Status Node::Stop(const Command& command) {
  Announce(command);
  auto stopped = Withdraw(command.app, command.device, command.epoch);
  if (stopped) PinFiles();

  // Also where no route led here: an earlier stop may not have drained its copy in time.
  if (!stopped) stopped = Use{command.device, command.model, command.file, command.epoch};
  return Retire(command.app, *stopped);
}

namespace {

Status AskForInputs(const Status& why, const ModelId& model) {
  return {why.code(), why.message() + "; say what it runs on: `avocet model profile " + model.str() +
                          " --input NAME=FILE|zeros|ones|random`, --shape NAME=1x3x224x224 for an open extent"};
}

} // namespace

/// Runs through the device's own queue, so that the applications on it go on being served.
Result<ServiceProfile> Node::Measure(DeviceScheduler& device, const ModelId& model) const {
  const auto run_once = [&](bool switched) -> Result<Duration> {
    auto probe = device.RunOnce(model, switched ? ProbeKind::kSwitched : ProbeKind::kWarm, options_.profile.max_time);
    if (!probe.ok()) return probe.status();
    return probe->attained_service;
  };
  return MeasureService(run_once, options_.profile);
}

Result<std::vector<GivenInput>> Node::FetchSamples(const std::vector<SampleInput>& samples,
                                                   const ModelFiles::Fetch& fetch) {
  std::vector<GivenInput> given;
  for (const SampleInput& sample : samples) {
    GivenInput& one = given.emplace_back(GivenInput{sample, {}});
    if (sample.fill != SampleFill::kFile) continue;
    AVOCET_ASSIGN_OR_RETURN(const auto path, EnsureFile(sample.file, sample.size_bytes, fetch));
    AVOCET_ASSIGN_OR_RETURN(const auto text, ReadWholeFile(path, kMaxSampleBytes));
    const auto bytes = std::as_bytes(std::span(text));
    one.data.assign(bytes.begin(), bytes.end());
  }
  return given;
}

Result<Profile> Node::ProfileModel(const DeviceId& device, const ModelId& model, const Variant& variant,
                                   const std::vector<SampleInput>& samples, const ModelFiles::Fetch& fetch) {
  AVOCET_ASSIGN_OR_RETURN(Slot* const slot, Find(device));
  AVOCET_ASSIGN_OR_RETURN(const auto path, EnsureFile(variant.file, variant.size_bytes, fetch));
  AVOCET_ASSIGN_OR_RETURN(auto given, FetchSamples(samples, fetch));
  DeviceScheduler& scheduler = *slot->scheduler;
  const std::lock_guard lock(slot->loading);
  const bool was_loaded = scheduler.MemoryOf(model) > 0;
  AVOCET_RETURN_IF_ERROR(scheduler.Load({model, path, std::move(given)}));
  const uint64_t memory = scheduler.MemoryOf(model);
  const Status runs = scheduler.FirstRunOf(model);
  auto service = runs.ok() ? Measure(scheduler, model) : Result<ServiceProfile>(AskForInputs(runs, model));
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

void Node::SetPredictions(const DeviceId& device, std::vector<PredictedLatency> predicted,
                          std::vector<JudgedLatency> limits) {
  if (!slots_.contains(device)) return;
  router_->SetLimits(device, std::move(limits));
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
