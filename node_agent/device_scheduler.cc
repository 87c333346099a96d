#include "node_agent/device_scheduler.h"

#include <atomic>
#include <cassert>
#include <condition_variable>
#include <map>
#include <mutex>
#include <utility>

#include "node_agent/deadline_watch.h"
#include "node_agent/executor.h"
#include "node_agent/meter.h"
#include "node_agent/model_runner.h"
#include "node_agent/work.h"

namespace avocet {
namespace {

MonotonicTime Now() {
  return MonotonicTime::clock::now();
}

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

} // namespace

/// Locks are taken in the order admin_mutex_, mutex_, then those inside the executors and the meter.
class DeviceScheduler::Impl {
public:
  Impl(DeviceSpec spec, BootId boot, std::unique_ptr<Engine> engine, SchedulerOptions options);
  ~Impl();

  Status Load(const LoadRequest& request);
  Status Unload(const ModelId& model);
  Status Attach(const AppId& app, const ModelId& model);
  Status Detach(const AppId& app);
  Result<Probe> RunOnce(const ModelId& model, ProbeKind kind, Duration timeout);
  Result<std::shared_ptr<const ModelSignature>> SignatureOf(const AppId& app) const;
  std::vector<ModelId> LoadedModels() const;
  uint64_t memory_used_bytes() const;
  uint64_t MemoryOf(const ModelId& model) const;
  Status Submit(InferenceRequest request);
  void DropCancelled();
  MeasurementWindow CloseWindow() { return meter_.CloseWindow(Now()); }
  DeviceActivity totals() const { return meter_.totals(); }
  const DeviceSpec& spec() const { return spec_; }

private:
  /// A loaded model and who runs it: the device's executor, or under kTimeShared one of its own.
  struct Loaded {
    std::shared_ptr<Resident> resident;
    std::unique_ptr<Executor> own;
    Executor* executor = nullptr;
  };

  bool is_fifo() const { return spec_.discipline == Discipline::kFifo; }
  std::string Subject() const { return "device " + Quoted(spec_.id().str()); }
  std::unique_ptr<Executor> MakeExecutor(const std::string& name);
  Result<Loaded> LoadIntoMemory(const LoadRequest& request);
  Status CheckMemory(uint64_t needed_bytes) const;
  Result<Work> ProbeWork(const ModelId& model, ProbeKind kind, Executor*& executor) const;
  Result<Completion> RunAside(Work work, Executor& executor, Duration timeout);

  Result<std::shared_ptr<Attachment>> FindOpen(const AppId& app);
  Status Refuse(const AppId& app, Status why);
  Status Accept(InferenceRequest request);
  std::vector<Executor*> Executors() const;

  void Serve(ModelRunner& runner, Work work);
  void Answer(Work work, Completion completion);
  void Abandon(std::vector<Work> abandoned, const Status& why);

  const DeviceSpec spec_;
  const SchedulerOptions options_;
  const std::unique_ptr<Engine> engine_;
  Meter meter_;
  std::optional<DeadlineWatch> watch_; ///< only where the engine can cancel

  std::mutex admin_mutex_; ///< one load, unload or probe at a time
  mutable std::mutex mutex_;
  std::condition_variable drained_;
  std::map<AppId, std::shared_ptr<Attachment>> attachments_;
  uint64_t generations_ = 0;
  bool stopping_ = false;
  std::atomic<size_t> queued_ = 0; ///< grows under mutex_ only, so the bound holds
  std::map<ModelId, Loaded> loaded_;
  std::unique_ptr<Executor> device_executor_; ///< kFifo only
};

DeviceScheduler::Impl::Impl(DeviceSpec spec, BootId boot, std::unique_ptr<Engine> engine, SchedulerOptions options)
    : spec_(std::move(spec)), options_(options), engine_(std::move(engine)),
      meter_(spec_.id(), std::move(boot), Now()) {
  assert(spec_.discipline == Discipline::kFifo || spec_.discipline == Discipline::kTimeShared);
  assert(options_.max_queued >= 1);
  if (engine_->can_cancel()) watch_.emplace();
  if (is_fifo()) device_executor_ = MakeExecutor(spec_.name);
}

DeviceScheduler::Impl::~Impl() {
  std::vector<Executor*> executors;
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    executors = Executors();
  }
  const Status why = Unavailable(Subject() + " is shutting down");
  for (Executor* executor : executors)
    Abandon(executor->Extract([](const Work&) { return true; }), why);
  for (Executor* executor : executors)
    Abandon(executor->Stop(), why);
}

std::unique_ptr<Executor> DeviceScheduler::Impl::MakeExecutor(const std::string& name) {
  auto runner = std::make_shared<ModelRunner>(spec_.discipline, meter_, watch_ ? &*watch_ : nullptr);
  return std::make_unique<Executor>(ExecutorOptions{"av-" + name, spec_.cores},
                                    [this, runner](Work work) { Serve(*runner, std::move(work)); });
}

std::vector<Executor*> DeviceScheduler::Impl::Executors() const {
  if (device_executor_) return {device_executor_.get()};
  std::vector<Executor*> executors;
  for (const auto& [id, loaded] : loaded_)
    executors.push_back(loaded.executor);
  return executors;
}

// Models

Status DeviceScheduler::Impl::Load(const LoadRequest& request) {
  const std::lock_guard admin(admin_mutex_);
  {
    const std::lock_guard lock(mutex_);
    if (loaded_.contains(request.model)) return {};
  }
  const std::string subject = Subject() + ", model " + Quoted(request.model.str());
  auto loaded = LoadIntoMemory(request);
  if (!loaded.ok()) return loaded.status().WithContext(subject);
  Work warm_up;
  warm_up.model = loaded->resident;
  const auto warm = RunAside(std::move(warm_up), *loaded->executor, options_.warm_up_deadline);
  if (!warm.ok()) return warm.status().WithContext(subject + ", warm-up");
  const std::lock_guard lock(mutex_);
  loaded_.emplace(request.model, std::move(*loaded));
  return {};
}

Result<DeviceScheduler::Impl::Loaded> DeviceScheduler::Impl::LoadIntoMemory(const LoadRequest& request) {
  Loaded loaded;
  if (!is_fifo()) loaded.own = MakeExecutor(request.model.str());
  loaded.executor = is_fifo() ? device_executor_.get() : loaded.own.get();
  AVOCET_RETURN_IF_ERROR(loaded.executor->pinned());
  auto model = engine_->Load(request);
  if (!model.ok()) return model.status();
  const uint64_t bytes = (*model)->memory_bytes();
  AVOCET_RETURN_IF_ERROR(CheckMemory(bytes));
  loaded.resident = std::make_shared<Resident>(Resident{request.model, ++generations_, bytes, std::move(*model)});
  return loaded;
}

Status DeviceScheduler::Impl::CheckMemory(uint64_t needed_bytes) const {
  const uint64_t used = memory_used_bytes();
  const uint64_t free = spec_.memory_bytes > used ? spec_.memory_bytes - used : 0;
  if (needed_bytes <= free) return {};
  return ResourceExhausted("needs " + MiB(needed_bytes) + " of device memory, " + std::to_string(free / kMiB) +
                           " MiB of " + MiB(spec_.memory_bytes) + " are free; unload a model first");
}

Status DeviceScheduler::Impl::Unload(const ModelId& model) {
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

std::vector<ModelId> DeviceScheduler::Impl::LoadedModels() const {
  const std::lock_guard lock(mutex_);
  std::vector<ModelId> models;
  for (const auto& [id, loaded] : loaded_)
    models.push_back(id);
  return models;
}

uint64_t DeviceScheduler::Impl::memory_used_bytes() const {
  const std::lock_guard lock(mutex_);
  uint64_t bytes = 0;
  for (const auto& [id, loaded] : loaded_)
    bytes += loaded.resident->memory_bytes;
  return bytes;
}

uint64_t DeviceScheduler::Impl::MemoryOf(const ModelId& model) const {
  const std::lock_guard lock(mutex_);
  const auto loaded = loaded_.find(model);
  return loaded == loaded_.end() ? 0 : loaded->second.resident->memory_bytes;
}

// Runs that no application asked for

Result<Probe> DeviceScheduler::Impl::RunOnce(const ModelId& model, ProbeKind kind, Duration timeout) {
  const std::lock_guard admin(admin_mutex_);
  Executor* executor = nullptr;
  auto work = ProbeWork(model, kind, executor);
  if (!work.ok()) return work.status();
  const auto completion = RunAside(std::move(*work), *executor, timeout);
  if (!completion.ok()) return completion.status().WithContext(Subject() + ", probe of " + Quoted(model.str()));
  return Probe{completion->attained_service, completion->switched};
}

Result<Work> DeviceScheduler::Impl::ProbeWork(const ModelId& model, ProbeKind kind, Executor*& executor) const {
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

Result<Completion> DeviceScheduler::Impl::RunAside(Work work, Executor& executor, Duration timeout) {
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

// Applications

Status DeviceScheduler::Impl::Attach(const AppId& app, const ModelId& model) {
  const std::string subject = Subject() + ", application " + Quoted(app.str());
  const std::lock_guard lock(mutex_);
  const auto attached = attachments_.find(app);
  if (attached != attachments_.end()) {
    if (attached->second->draining) return Unavailable(subject + " is draining; retry when it is detached");
    const ModelId& present = attached->second->model->id;
    if (present == model) return {};
    return AlreadyExists(subject + " is attached to model " + Quoted(present.str()) + "; detach it first");
  }
  const auto loaded = loaded_.find(model);
  if (loaded == loaded_.end()) return NotFound(subject + ": model " + Quoted(model.str()) + " is not loaded");
  if (attachments_.size() >= kMaxAppsPerDevice)
    return ResourceExhausted(subject + ": " + std::to_string(kMaxAppsPerDevice) + " applications are attached");
  auto attachment = std::make_shared<Attachment>();
  attachment->app = app;
  attachment->model = loaded->second.resident;
  attachment->executor = loaded->second.executor;
  attachments_.emplace(app, std::move(attachment));
  meter_.Open(app, model);
  return {};
}

Status DeviceScheduler::Impl::Detach(const AppId& app) {
  std::unique_lock lock(mutex_);
  const auto found = attachments_.find(app);
  if (found == attachments_.end()) return {};
  const std::shared_ptr<Attachment> attachment = found->second;
  attachment->draining = true;
  const auto is_drained = [&] { return attachment->pending == 0; };
  if (!drained_.wait_for(lock, options_.drain_deadline, is_drained)) {
    auto left = attachment->executor->Extract([&](const Work& work) { return work.attachment == attachment; });
    lock.unlock();
    Abandon(std::move(left), Unavailable(Subject() + ": application " + Quoted(app.str()) + " is being withdrawn"));
    lock.lock();
  }
  if (!is_drained())
    return DeadlineExceeded(Subject() + ": a run of application " + Quoted(app.str()) + " did not end within " +
                            std::to_string(ToMillis(options_.drain_deadline)) + " ms; detach it again later");
  const auto it = attachments_.find(app);
  if (it == attachments_.end() || it->second != attachment) return {}; // another thread was faster
  attachment->model.reset(); // an executor may hold the attachment a moment longer than the model may live
  attachments_.erase(it);
  meter_.Close(app);
  return {};
}

Result<std::shared_ptr<const ModelSignature>> DeviceScheduler::Impl::SignatureOf(const AppId& app) const {
  const std::lock_guard lock(mutex_);
  const auto it = attachments_.find(app);
  if (it == attachments_.end()) return NotFound(Subject() + " does not serve application " + Quoted(app.str()));
  const auto& resident = it->second->model;
  return std::shared_ptr<const ModelSignature>(resident, &resident->model->signature());
}

// Requests

Status DeviceScheduler::Impl::Submit(InferenceRequest request) {
  std::shared_ptr<Resident> model;
  {
    const std::lock_guard lock(mutex_);
    const auto attachment = FindOpen(request.app);
    if (!attachment.ok()) return attachment.status();
    model = (*attachment)->model;
  }
  AVOCET_RETURN_IF_ERROR(CheckInputs(model->model->signature(), request.inputs));
  const std::lock_guard lock(mutex_);
  return Accept(std::move(request));
}

Result<std::shared_ptr<Attachment>> DeviceScheduler::Impl::FindOpen(const AppId& app) {
  const auto it = attachments_.find(app);
  if (it == attachments_.end()) return NotFound(Subject() + " does not serve application " + Quoted(app.str()));
  if (stopping_) return Refuse(app, Unavailable(Subject() + " is shutting down"));
  if (!it->second->draining) return it->second;
  return Refuse(app, Unavailable(Subject() + ": application " + Quoted(app.str()) + " is being withdrawn; retry"));
}

Status DeviceScheduler::Impl::Refuse(const AppId& app, Status why) {
  meter_.Refused(app);
  return why;
}

Status DeviceScheduler::Impl::Accept(InferenceRequest request) {
  auto attachment = FindOpen(request.app);
  if (!attachment.ok()) return attachment.status();
  if (request.cancel.stop_requested()) return Refuse(request.app, Cancelled("the caller gave up"));
  const MonotonicTime now = Now();
  if (request.deadline && *request.deadline <= now)
    return Refuse(request.app, DeadlineExceeded("the deadline passed before the request could be queued"));
  const size_t queued = queued_.load();
  if (queued >= options_.max_queued)
    return Refuse(request.app, Unavailable(Subject() + ": the queue is full (" + std::to_string(queued) + " of " +
                                           std::to_string(options_.max_queued) + " requests are waiting); retry"));
  Work work;
  work.stamps.enqueued = now;
  work.stamps.received = request.received == MonotonicTime{} ? now : request.received;
  work.model = (*attachment)->model;
  work.attachment = *attachment;
  meter_.Accepted(request.app, now);
  work.request = std::move(request);
  ++(*attachment)->pending;
  ++queued_;
  (*attachment)->executor->Push(std::move(work));
  return {};
}

void DeviceScheduler::Impl::DropCancelled() {
  std::vector<Work> cancelled;
  {
    const std::lock_guard lock(mutex_);
    for (Executor* executor : Executors()) {
      auto some = executor->Extract([](const Work& work) { return work.request.cancel.stop_requested(); });
      std::move(some.begin(), some.end(), std::back_inserter(cancelled));
    }
  }
  Abandon(std::move(cancelled), Cancelled("the caller gave up while the request was queued"));
}

void DeviceScheduler::Impl::Serve(ModelRunner& runner, Work work) {
  if (work.attachment) --queued_;
  Completion completion = runner.Run(work);
  Answer(std::move(work), std::move(completion));
}

void DeviceScheduler::Impl::Abandon(std::vector<Work> abandoned, const Status& why) {
  for (Work& work : abandoned) {
    if (work.attachment) --queued_;
    Completion completion;
    completion.status = why;
    completion.stamps = work.stamps;
    completion.stamps.started = completion.stamps.finished = Now();
    Answer(std::move(work), std::move(completion));
  }
}

void DeviceScheduler::Impl::Answer(Work work, Completion completion) {
  const std::shared_ptr<Attachment> attachment = std::move(work.attachment);
  if (attachment) {
    const Duration response = completion.stamps.finished - completion.stamps.received;
    meter_.Answered(attachment->app,
                    {completion.status.ok(), completion.switched, completion.attained_service, response});
  }
  // Whoever hears the answer may unload the model, or expect that a failed load left nothing.
  work.model.reset();
  work.other.reset();
  work.request.done(std::move(completion));
  work = {};
  // Detach sets `draining` before it looks at `pending`: one of the two sees the other. The common
  // case stays off the lock, where the next Submit may be.
  if (!attachment || --attachment->pending > 0 || !attachment->draining) return;
  const std::lock_guard lock(mutex_);
  drained_.notify_all();
}

// The public face

DeviceScheduler::DeviceScheduler(DeviceSpec spec, BootId boot, std::unique_ptr<Engine> engine, SchedulerOptions options)
    : impl_(std::make_unique<Impl>(std::move(spec), std::move(boot), std::move(engine), options)) {}
DeviceScheduler::~DeviceScheduler() = default;

const DeviceSpec& DeviceScheduler::spec() const {
  return impl_->spec();
}
Status DeviceScheduler::Load(const LoadRequest& request) {
  return impl_->Load(request);
}
Status DeviceScheduler::Unload(const ModelId& model) {
  return impl_->Unload(model);
}
Status DeviceScheduler::Attach(const AppId& app, const ModelId& model) {
  return impl_->Attach(app, model);
}
Status DeviceScheduler::Detach(const AppId& app) {
  return impl_->Detach(app);
}
Result<Probe> DeviceScheduler::RunOnce(const ModelId& model, ProbeKind kind, Duration timeout) {
  return impl_->RunOnce(model, kind, timeout);
}
Result<std::shared_ptr<const ModelSignature>> DeviceScheduler::SignatureOf(const AppId& app) const {
  return impl_->SignatureOf(app);
}
std::vector<ModelId> DeviceScheduler::LoadedModels() const {
  return impl_->LoadedModels();
}
uint64_t DeviceScheduler::memory_used_bytes() const {
  return impl_->memory_used_bytes();
}
uint64_t DeviceScheduler::MemoryOf(const ModelId& model) const {
  return impl_->MemoryOf(model);
}
Status DeviceScheduler::Submit(InferenceRequest request) {
  return impl_->Submit(std::move(request));
}
void DeviceScheduler::DropCancelled() {
  impl_->DropCancelled();
}
MeasurementWindow DeviceScheduler::CloseWindow() {
  return impl_->CloseWindow();
}
DeviceActivity DeviceScheduler::totals() const {
  return impl_->totals();
}

} // namespace avocet
