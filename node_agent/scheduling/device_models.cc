#include "node_agent/scheduling/device_models.h"

#include <condition_variable>
#include <iterator>
#include <optional>
#include <utility>

#include <spdlog/spdlog.h>

#include "messages/invariant.h"
#include "node_agent/scheduling/background.h"
#include "node_agent/scheduling/executor.h"
#include "node_agent/tensors/probe_inputs.h"

namespace avocet {
namespace {

std::string Quoted(const std::string& id) {
  return "'" + id + "'";
}

std::string MiB(uint64_t bytes) {
  return std::to_string((bytes + kMiB - 1) / kMiB) + " MiB";
}

/// Where the caller of a warm-up or a probe waits for its completion.
class Waiter {
public:
  void Set(Completion completion) {
    {
      const std::lock_guard lock(mutex_);
      completion_ = std::move(completion);
    }
    changed_.notify_one();
  }
  std::optional<Completion> WaitUntil(MonotonicTime deadline) {
    std::unique_lock lock(mutex_);
    changed_.wait_until(lock, deadline, [this] { return completion_.has_value(); });
    return std::move(completion_);
  }

private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::optional<Completion> completion_;
};

/// Runs work that no application asked for, in its turn, and waits for the completion.
Result<Completion> RunAside(Work work, Executor& executor, Duration timeout) {
  const MonotonicTime now = MonotonicTime::clock::now();
  work.stamps.received = work.stamps.enqueued = now;
  work.request.deadline = now + timeout;

  // Shared: the executor may answer after this function gave up.
  const auto waiter = std::make_shared<Waiter>();
  work.request.done = [waiter](Completion completion) { waiter->Set(std::move(completion)); };
  executor.Push(std::move(work));

  auto completion = waiter->WaitUntil(now + timeout);
  if (!completion) return DeadlineExceeded("no run within " + std::to_string(ToMillis(timeout)) + " ms");
  if (!completion->status.ok()) return completion->status;
  return std::move(*completion);
}

void SetInputs(Work& work, const std::shared_ptr<const ProbeInputs>& inputs) {
  work.request.inputs.assign(inputs->views().begin(), inputs->views().end());
  work.request.keep_alive = inputs;
}

} // namespace

DeviceModels::DeviceModels(const DeviceSpec& spec, Engine& engine, Duration warm_up_deadline, MakeServe make_serve)
    : spec_(spec), engine_(engine), warm_up_deadline_(warm_up_deadline), make_serve_(std::move(make_serve)) {
  AVOCET_CHECK(spec_.discipline == Discipline::kFifo || spec_.discipline == Discipline::kTimeShared);
  if (is_fifo()) device_executor_ = MakeExecutor(spec_.name);
}

DeviceModels::~DeviceModels() = default;

std::string DeviceModels::Subject() const {
  return "device " + Quoted(spec_.id().str());
}

Status DeviceModels::NotLoaded(const ModelId& model) const {
  return NotFound(Subject() + ": model " + Quoted(model.str()) + " is not loaded");
}

// Executors

std::unique_ptr<Executor> DeviceModels::MakeExecutor(const std::string& name) const {
  return std::make_unique<Executor>(ExecutorOptions{"av-" + name, spec_.cores}, make_serve_());
}

std::vector<Executor*> DeviceModels::Executors() const {
  if (device_executor_) return {device_executor_.get()};
  std::vector<Executor*> executors;
  for (const auto& [id, loaded] : loaded_)
    executors.push_back(loaded.executor);
  return executors;
}

std::vector<Work> DeviceModels::Extract(const std::function<bool(const Work&)>& matches) {
  std::vector<Work> taken;
  // Locked throughout: an unload must not end an executor in between.
  const std::lock_guard lock(mutex_);
  for (Executor* executor : Executors()) {
    auto some = executor->Extract(matches);
    std::move(some.begin(), some.end(), std::back_inserter(taken));
  }
  return taken;
}

std::vector<Work> DeviceModels::Stop() {
  std::vector<Executor*> executors;
  {
    const std::lock_guard lock(mutex_);
    executors = Executors();
  }

  // Not locked: the work in hand may take long, and its answer may lead to another call.
  std::vector<Work> left;
  for (Executor* executor : executors) {
    auto some = executor->Stop();
    std::move(some.begin(), some.end(), std::back_inserter(left));
  }
  return left;
}

// Loading and unloading

Status DeviceModels::Load(const LoadRequest& request) {
  const std::lock_guard admin(admin_mutex_);
  if (IsLoaded(request.model)) return request.inputs.empty() ? Status() : TakeInputs(request);

  const std::string subject = Subject() + ", model " + Quoted(request.model.str());
  auto loaded = LoadIntoMemory(request);
  if (!loaded.ok()) return loaded.status().WithContext(subject);
  auto first_run = WarmUp(*loaded, request);
  if (!first_run.ok()) return first_run.status().WithContext(subject + ", warm-up");
  loaded->resident->first_run = std::move(*first_run);

  // Only now: nobody may use a model that is cold.
  const std::lock_guard lock(mutex_);
  loaded_.emplace(request.model, std::move(*loaded));
  return {};
}

bool DeviceModels::IsLoaded(const ModelId& model) const {
  const std::lock_guard lock(mutex_);
  return loaded_.contains(model);
}

/// What a loaded model is probed with from now on.
Status DeviceModels::TakeInputs(const LoadRequest& request) {
  Loaded running; // no users and no executor of its own: only for the run
  {
    const std::lock_guard lock(mutex_);
    const Loaded& loaded = loaded_.at(request.model);
    running.resident = loaded.resident;
    running.executor = loaded.executor;
  }
  AVOCET_ASSIGN_OR_RETURN(auto first_run, RunFirst(running, request));
  const std::lock_guard lock(mutex_);
  running.resident->first_run = std::move(first_run);
  return {};
}

Result<DeviceModels::Loaded> DeviceModels::LoadIntoMemory(const LoadRequest& request) {
  Loaded loaded;
  if (!is_fifo()) loaded.own = MakeExecutor(request.model.str());
  loaded.executor = is_fifo() ? device_executor_.get() : loaded.own.get();
  // Before the engine loads: without its cores the model could not run.
  AVOCET_RETURN_IF_ERROR(loaded.executor->pinned());

  auto model = RunInBackground([&] { return engine_.Load(request); });
  if (!model.ok()) return model.status();
  // After: some engines learn a model's memory only by loading it.
  const uint64_t bytes = (*model)->memory_bytes();
  AVOCET_RETURN_IF_ERROR(CheckMemory(bytes));

  if (const std::string note = (*model)->note(); !note.empty())
    spdlog::warn("model runs with a restriction model={} device={} reason=\"{}\"", request.model.str(), spec_.id().str(),
                 note);

  loaded.resident = std::make_shared<Resident>();
  loaded.resident->id = request.model;
  loaded.resident->generation = ++generations_;
  loaded.resident->memory_bytes = bytes;
  loaded.resident->model = std::move(*model);
  return loaded;
}

Status DeviceModels::CheckMemory(uint64_t needed_bytes) const {
  const uint64_t used = memory_used_bytes();
  const uint64_t free = spec_.memory_bytes > used ? spec_.memory_bytes - used : 0;
  if (needed_bytes <= free) return {};
  return ResourceExhausted("needs " + MiB(needed_bytes) + " of device memory, " + std::to_string(free / kMiB) +
                           " MiB of " + MiB(spec_.memory_bytes) + " are free; unload a model first");
}

/// The run with which loading ended; makes one where the engine made none. Fails only where its turn does not come: a
/// model that does not run on these inputs may run on a client's.
Result<FirstRun> DeviceModels::WarmUp(const Loaded& loaded, const LoadRequest& request) const {
  LoadedModel& model = *loaded.resident->model;
  FirstRun made = model.first_run();
  if (made.inputs || !made.status.ok()) return made;
  if (!model.is_warm()) return RunFirst(loaded, request);
  auto inputs = ProbeInputs::Make(model.signature(), request.inputs, SampleFill::kOnes);
  if (!inputs.ok()) return FirstRun{nullptr, inputs.status()};
  return FirstRun{std::move(*inputs), {}};
}

Result<FirstRun> DeviceModels::RunFirst(const Loaded& loaded, const LoadRequest& request) const {
  Status late; // its turn did not come: another attempt would wait as long
  const auto run = [&](const std::shared_ptr<const ProbeInputs>& inputs) -> Status {
    if (!late.ok()) return late;
    Work work;
    work.model = loaded.resident;
    SetInputs(work, inputs);
    const Status status = RunAside(std::move(work), *loaded.executor, warm_up_deadline_).status();
    if (status.code() == StatusCode::kDeadlineExceeded) late = status;
    return status;
  };
  FirstRun first_run = MakeFirstRun(loaded.resident->model->signature(), request.inputs, run);
  if (!late.ok()) return late;
  return first_run;
}

Status DeviceModels::Unload(const ModelId& model) {
  const std::lock_guard admin(admin_mutex_);
  std::map<ModelId, Loaded>::node_type unloaded;
  {
    const std::lock_guard lock(mutex_);
    const auto found = loaded_.find(model);
    if (found == loaded_.end()) return {};
    const std::set<AppId>& users = found->second.users;
    if (!users.empty())
      return InvalidArgument(Subject() + ": application " + Quoted(users.begin()->str()) + " still uses model " +
                             Quoted(model.str()) + "; detach it first");
    unloaded = loaded_.extract(found);
  }

  // Unlocked: the executor may have a late probe in hand. Those that still wait are dropped, as nobody
  // waits for their answers: probes hold admin_mutex_ as long as they wait.
  if (unloaded.mapped().own) unloaded.mapped().own->Stop();
  return {};
}

// Users

Result<ModelUse> DeviceModels::Use(const AppId& app, const ModelId& model) {
  const std::lock_guard lock(mutex_);
  const auto found = loaded_.find(model);
  if (found == loaded_.end()) return NotLoaded(model);
  found->second.users.insert(app);
  return ModelUse{found->second.resident, found->second.executor};
}

void DeviceModels::Release(const AppId& app, const ModelId& model) {
  const std::lock_guard lock(mutex_);
  const auto found = loaded_.find(model);
  if (found != loaded_.end()) found->second.users.erase(app);
}

std::vector<ModelId> DeviceModels::LoadedModels() const {
  const std::lock_guard lock(mutex_);
  std::vector<ModelId> models;
  for (const auto& [id, loaded] : loaded_)
    models.push_back(id);
  return models;
}

uint64_t DeviceModels::memory_used_bytes() const {
  const std::lock_guard lock(mutex_);
  uint64_t bytes = 0;
  for (const auto& [id, loaded] : loaded_)
    bytes += loaded.resident->memory_bytes;
  return bytes;
}

uint64_t DeviceModels::MemoryOf(const ModelId& model) const {
  const std::lock_guard lock(mutex_);
  const auto loaded = loaded_.find(model);
  return loaded == loaded_.end() ? 0 : loaded->second.resident->memory_bytes;
}

// Probes

Status DeviceModels::FirstRunOf(const ModelId& model) const {
  const std::lock_guard lock(mutex_);
  const auto loaded = loaded_.find(model);
  return loaded == loaded_.end() ? NotLoaded(model) : loaded->second.resident->first_run.status;
}

Result<Probe> DeviceModels::RunOnce(const ModelId& model, ProbeKind kind, Duration timeout) {
  const std::lock_guard admin(admin_mutex_);
  Executor* executor = nullptr;
  auto work = ProbeWork(model, kind, executor);
  if (!work.ok()) return work.status();
  const auto completion = RunAside(std::move(*work), *executor, timeout);
  if (!completion.ok()) return completion.status().WithContext(Subject() + ", probe of " + Quoted(model.str()));
  return Probe{completion->attained_service, completion->switched};
}

Result<Work> DeviceModels::ProbeWork(const ModelId& model, ProbeKind kind, Executor*& executor) const {
  if (kind == ProbeKind::kSwitched && !is_fifo())
    return Unsupported(Subject() + " is time_shared: it never switches models");

  const std::lock_guard lock(mutex_);
  const auto found = loaded_.find(model);
  if (found == loaded_.end()) return NotLoaded(model);
  executor = found->second.executor;
  const FirstRun& first_run = found->second.resident->first_run;
  if (first_run.inputs == nullptr) return first_run.status;
  Work work;
  work.model = found->second.resident;
  work.probe = kind;
  SetInputs(work, first_run.inputs);
  if (kind == ProbeKind::kWarm) return work;

  // A switch takes another model to switch from, any of those in memory.
  for (const auto& [id, loaded] : loaded_) {
    const FirstRun& its_run = loaded.resident->first_run;
    // One that does not run on its inputs is no model to switch from.
    if (id == model || its_run.inputs == nullptr || !its_run.status.ok()) continue;
    work.other = loaded.resident;
    work.other_inputs = its_run.inputs;
  }
  if (!work.other && !spec_.emulated())
    return Unavailable(Subject() + ": a switch to " + Quoted(model.str()) + " takes a second loaded model");
  return work;
}

} // namespace avocet
