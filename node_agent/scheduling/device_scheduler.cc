#include "node_agent/scheduling/device_scheduler.h"

#include <utility>

#include "messages/invariant.h"
#include "node_agent/scheduling/deadline_watch.h"
#include "node_agent/scheduling/device_models.h"
#include "node_agent/scheduling/executor.h"
#include "node_agent/scheduling/model_runner.h"
#include "node_agent/scheduling/work.h"

namespace avocet {

DeviceScheduler::DeviceScheduler(DeviceSpec spec, BootId boot, std::unique_ptr<Engine> engine, SchedulerOptions options)
    : spec_(std::move(spec)), options_(options), engine_(std::move(engine)), meter_(spec_.id(), std::move(boot), Now()),
      watch_(engine_->can_cancel() ? std::make_unique<DeadlineWatch>() : nullptr),
      models_(
          std::make_unique<DeviceModels>(spec_, *engine_, options_.warm_up_deadline, [this] { return MakeServe(); })) {
  AVOCET_CHECK(options_.max_queued >= 1);
}

DeviceScheduler::~DeviceScheduler() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  const Status why = Unavailable(Subject() + " is shutting down");
  Abandon(models_->Extract([](const Work&) { return true; }), why);
  Abandon(models_->Stop(), why);
}

// Each executor has a runner of its own, which knows the model that this executor ran last.
std::function<void(Work)> DeviceScheduler::MakeServe() {
  auto runner = std::make_shared<ModelRunner>(spec_.discipline, meter_, watch_.get());
  return [this, runner](Work work) { Serve(*runner, std::move(work)); };
}

// Models

Status DeviceScheduler::Load(const LoadRequest& request) {
  return models_->Load(request);
}

Status DeviceScheduler::Unload(const ModelId& model) {
  return models_->Unload(model);
}

Status DeviceScheduler::FirstRunOf(const ModelId& model) const {
  return models_->FirstRunOf(model);
}

Result<Probe> DeviceScheduler::RunOnce(const ModelId& model, ProbeKind kind, Duration timeout) {
  return models_->RunOnce(model, kind, timeout);
}

std::vector<ModelId> DeviceScheduler::LoadedModels() const {
  return models_->LoadedModels();
}

uint64_t DeviceScheduler::memory_used_bytes() const {
  return models_->memory_used_bytes();
}

uint64_t DeviceScheduler::MemoryOf(const ModelId& model) const {
  return models_->MemoryOf(model);
}

// Applications

Status DeviceScheduler::Attach(const AppId& app, const ModelId& model) {
  const std::string subject = Subject() + ", application " + Quoted(app.str());
  const std::lock_guard lock(mutex_);
  const auto attached = attachments_.find(app);
  if (attached != attachments_.end()) {
    if (attached->second->draining) return Unavailable(subject + " is draining; retry when it is detached");
    const ModelId& present = attached->second->model->id;
    if (present == model) return {};
    return AlreadyExists(subject + " is attached to model " + Quoted(present.str()) + "; detach it first");
  }

  // Before the model is used: a refusal must leave no user behind, who would keep the model loaded.
  if (attachments_.size() >= kMaxAppsPerDevice)
    return ResourceExhausted(subject + ": " + std::to_string(kMaxAppsPerDevice) + " applications are attached");
  auto use = models_->Use(app, model);
  if (!use.ok()) return use.status().WithContext("application " + Quoted(app.str()));

  auto attachment = std::make_shared<Attachment>();
  attachment->app = app;
  attachment->model = std::move(use->resident);
  attachment->executor = use->executor;
  attachments_.emplace(app, std::move(attachment));
  meter_.Open(app, model);
  return {};
}

Status DeviceScheduler::Detach(const AppId& app) {
  std::unique_lock lock(mutex_);
  const auto found = attachments_.find(app);
  if (found == attachments_.end()) return {};
  const std::shared_ptr<Attachment> attachment = found->second;
  attachment->draining = true;

  const auto is_drained = [&] { return attachment->pending == 0; };
  if (!drained_.wait_for(lock, options_.drain_deadline, is_drained)) {
    auto left = attachment->executor->Extract([&](const Work& work) { return work.attachment == attachment; });
    // Answers are given outside all locks, as their receivers may submit.
    lock.unlock();
    Abandon(std::move(left), Unavailable(Subject() + ": application " + Quoted(app.str()) + " is being withdrawn"));
    lock.lock();
  }
  if (!is_drained())
    return DeadlineExceeded(Subject() + ": a run of application " + Quoted(app.str()) + " did not end within " +
                            std::to_string(ToMillis(options_.drain_deadline)) + " ms; detach it again later");

  const auto it = attachments_.find(app);
  if (it == attachments_.end() || it->second != attachment) return {}; // another thread was faster
  // Reset before the release, after which the model may be unloaded: an executor may still hold the attachment.
  const ModelId model = attachment->model->id;
  attachment->model.reset();
  attachments_.erase(it);
  models_->Release(app, model);
  meter_.Close(app);
  return {};
}

Result<std::shared_ptr<const ModelSignature>> DeviceScheduler::SignatureOf(const AppId& app) const {
  const std::lock_guard lock(mutex_);
  const auto it = attachments_.find(app);
  if (it == attachments_.end()) return NotFound(Subject() + " does not serve application " + Quoted(app.str()));
  const auto& resident = it->second->model;
  return std::shared_ptr<const ModelSignature>(resident, &resident->model->signature());
}

// Requests

Status DeviceScheduler::Submit(InferenceRequest request) {
  const std::lock_guard lock(mutex_);
  auto work = Accept(std::move(request));
  if (!work.ok()) return work.status();
  work->attachment->executor->Push(std::move(*work));
  return {};
}

Result<std::optional<Completion>> DeviceScheduler::SubmitOrRun(InferenceRequest request) {
  std::unique_lock lock(mutex_);
  auto work = Accept(std::move(request));
  if (!work.ok()) return work.status();
  Executor& executor = *work->attachment->executor;
  if (!TryReserve(*work)) {
    executor.Push(std::move(*work));
    return std::optional<Completion>();
  }

  // The run holds up neither those who submit nor those who detach; until it ends, its request keeps the executor.
  lock.unlock();
  std::optional<Completion> made;
  work->request.done = [&made](Completion completion) { made = std::move(completion); };
  executor.ServeHere(std::move(*work));
  return made;
}

bool DeviceScheduler::TryReserve(const Work& work) const {
  return spec_.cores.empty() && work.model->longest_run.load(std::memory_order_relaxed) <= options_.short_run &&
         work.attachment->executor->TryReserve();
}

Result<std::shared_ptr<Attachment>> DeviceScheduler::FindOpen(const AppId& app) {
  const auto it = attachments_.find(app);
  if (it == attachments_.end()) return NotFound(Subject() + " does not serve application " + Quoted(app.str()));
  if (stopping_) return Refuse(app, Unavailable(Subject() + " is shutting down"));
  if (!it->second->draining) return it->second;
  return Refuse(app, Unavailable(Subject() + ": application " + Quoted(app.str()) + " is being withdrawn; retry"));
}

Status DeviceScheduler::Refuse(const AppId& app, Status why) {
  meter_.Refused(app, why.code() == StatusCode::kDeadlineExceeded);
  return why;
}

Result<Work> DeviceScheduler::Accept(InferenceRequest request) {
  AVOCET_ASSIGN_OR_RETURN(const auto attachment, FindOpen(request.app));
  AVOCET_RETURN_IF_ERROR(CheckInputs(attachment->model->model->signature(), request.inputs));

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
  work.model = attachment->model;
  work.attachment = attachment;
  meter_.Accepted(request.app, now);
  work.request = std::move(request);
  work.request.max_memory_bytes = spec_.memory_bytes;
  ++attachment->pending;
  ++queued_;
  return work;
}

void DeviceScheduler::DropCancelled() {
  std::vector<Work> cancelled;
  {
    // Locked, or a request that is found uncancelled and not yet queued would be missed.
    const std::lock_guard lock(mutex_);
    cancelled = models_->Extract([](const Work& work) { return work.request.cancel.stop_requested(); });
  }
  Abandon(std::move(cancelled), Cancelled("the caller gave up while the request was queued"));
}

void DeviceScheduler::Serve(ModelRunner& runner, Work work) {
  if (work.attachment) --queued_;
  Completion completion = runner.Run(work);
  Answer(std::move(work), std::move(completion));
}

void DeviceScheduler::Abandon(std::vector<Work> abandoned, const Status& why) {
  for (Work& work : abandoned) {
    if (work.attachment) --queued_;
    Completion completion;
    completion.status = why;
    completion.stamps = work.stamps;
    completion.stamps.started = completion.stamps.finished = Now();
    Answer(std::move(work), std::move(completion));
  }
}

void DeviceScheduler::Answer(Work work, Completion completion) {
  const std::shared_ptr<Attachment> attachment = std::move(work.attachment);
  if (attachment) {
    const Duration response = completion.stamps.finished - completion.stamps.received;
    meter_.Answered(attachment->app, {.ok = completion.status.ok(),
                                      .switched = completion.switched,
                                      .attained_service = completion.attained_service,
                                      .response = response,
                                      .expired = completion.status.code() == StatusCode::kDeadlineExceeded});
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

MeasurementWindow DeviceScheduler::CloseWindow() {
  return meter_.CloseWindow(Now());
}

} // namespace avocet
