// The models of a device and the runs that no application asked for.
#include <utility>

#include "node_agent/background.h"
#include "node_agent/device_scheduler.h"
#include "node_agent/executor.h"
#include "node_agent/work.h"
#include "node_agent/zero_inputs.h"

namespace avocet {
namespace {

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

} // namespace

Status DeviceScheduler::Load(const LoadRequest& request) {
  const std::lock_guard admin(admin_mutex_);
  {
    const std::lock_guard lock(mutex_);
    if (loaded_.contains(request.model)) return {};
  }
  const std::string subject = Subject() + ", model " + Quoted(request.model.str());
  auto loaded = LoadIntoMemory(request);
  if (!loaded.ok()) return loaded.status().WithContext(subject);
  AVOCET_RETURN_IF_ERROR(WarmUp(*loaded).WithContext(subject + ", warm-up"));
  const std::lock_guard lock(mutex_);
  loaded_.emplace(request.model, std::move(*loaded));
  return {};
}

Status DeviceScheduler::WarmUp(const Loaded& loaded) {
  if (loaded.resident->model->is_warm()) return {};
  Work work;
  work.model = loaded.resident;
  return RunAside(std::move(work), *loaded.executor, options_.warm_up_deadline).status();
}

Result<DeviceScheduler::Loaded> DeviceScheduler::LoadIntoMemory(const LoadRequest& request) {
  Loaded loaded;
  if (!is_fifo()) loaded.own = MakeExecutor(request.model.str());
  loaded.executor = is_fifo() ? device_executor_.get() : loaded.own.get();
  AVOCET_RETURN_IF_ERROR(loaded.executor->pinned());
  auto model = RunInBackground([&] { return engine_->Load(request); });
  if (!model.ok()) return model.status();
  const uint64_t bytes = (*model)->memory_bytes();
  AVOCET_RETURN_IF_ERROR(CheckMemory(bytes));
  loaded.resident = std::make_shared<Resident>();
  loaded.resident->id = request.model;
  loaded.resident->generation = ++generations_;
  loaded.resident->memory_bytes = bytes;
  loaded.resident->model = std::move(*model);
  return loaded;
}

Status DeviceScheduler::CheckMemory(uint64_t needed_bytes) const {
  const uint64_t used = memory_used_bytes();
  const uint64_t free = spec_.memory_bytes > used ? spec_.memory_bytes - used : 0;
  if (needed_bytes <= free) return {};
  return ResourceExhausted("needs " + MiB(needed_bytes) + " of device memory, " + std::to_string(free / kMiB) +
                           " MiB of " + MiB(spec_.memory_bytes) + " are free; unload a model first");
}

Status DeviceScheduler::Unload(const ModelId& model) {
  const std::lock_guard admin(admin_mutex_);
  std::map<ModelId, Loaded>::node_type unloaded;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [app, attachment] : attachments_) {
      if (attachment->model->id == model)
        return InvalidArgument(Subject() + ": application " + Quoted(app.str()) + " still uses model " +
                               Quoted(model.str()) + "; detach it first");
    }
    unloaded = loaded_.extract(model);
  }
  if (unloaded && unloaded.mapped().own)
    Abandon(unloaded.mapped().own->Stop(), Unavailable(Subject() + ": the model was unloaded"));
  return {};
}

std::vector<ModelId> DeviceScheduler::LoadedModels() const {
  const std::lock_guard lock(mutex_);
  std::vector<ModelId> models;
  for (const auto& [id, loaded] : loaded_)
    models.push_back(id);
  return models;
}

uint64_t DeviceScheduler::memory_used_bytes() const {
  const std::lock_guard lock(mutex_);
  uint64_t bytes = 0;
  for (const auto& [id, loaded] : loaded_)
    bytes += loaded.resident->memory_bytes;
  return bytes;
}

uint64_t DeviceScheduler::MemoryOf(const ModelId& model) const {
  const std::lock_guard lock(mutex_);
  const auto loaded = loaded_.find(model);
  return loaded == loaded_.end() ? 0 : loaded->second.resident->memory_bytes;
}

// Runs that no application asked for

Result<Probe> DeviceScheduler::RunOnce(const ModelId& model, ProbeKind kind, Duration timeout) {
  const std::lock_guard admin(admin_mutex_);
  Executor* executor = nullptr;
  auto work = ProbeWork(model, kind, executor);
  if (!work.ok()) return work.status();
  const auto completion = RunAside(std::move(*work), *executor, timeout);
  if (!completion.ok()) return completion.status().WithContext(Subject() + ", probe of " + Quoted(model.str()));
  return Probe{completion->attained_service, completion->switched};
}

Result<Work> DeviceScheduler::ProbeWork(const ModelId& model, ProbeKind kind, Executor*& executor) const {
  if (kind == ProbeKind::kSwitched && !is_fifo())
    return Unsupported(Subject() + " is time_shared: it never switches models");
  const std::lock_guard lock(mutex_);
  const auto found = loaded_.find(model);
  if (found == loaded_.end()) return NotFound(Subject() + ": model " + Quoted(model.str()) + " is not loaded");
  executor = found->second.executor;
  Work work;
  work.model = found->second.resident;
  work.probe = kind;
  if (kind == ProbeKind::kWarm) return work;
  for (const auto& [id, loaded] : loaded_) {
    if (id != model) work.other = loaded.resident;
  }
  if (!work.other && !spec_.emulated())
    return Unavailable(Subject() + ": a switch to " + Quoted(model.str()) + " takes a second loaded model");
  return work;
}

Result<Completion> DeviceScheduler::RunAside(Work work, Executor& executor, Duration timeout) {
  const auto zeros = std::make_shared<const ZeroInputs>(work.model->model->signature());
  const auto waiter = std::make_shared<Waiter>();
  const MonotonicTime now = Now();
  work.stamps.received = work.stamps.enqueued = now;
  work.request.inputs = zeros->views;
  work.request.keep_alive = zeros;
  work.request.deadline = now + timeout;
  work.request.done = [waiter](Completion completion) { waiter->Set(std::move(completion)); };
  executor.Push(std::move(work));
  auto completion = waiter->WaitUntil(now + timeout);
  if (!completion) return DeadlineExceeded("no run within " + std::to_string(ToMillis(timeout)) + " ms");
  if (!completion->status.ok()) return completion->status;
  return std::move(*completion);
}

} // namespace avocet
