#include "node_agent/device_scheduler.h"

#include <utility>

#include "messages/invariant.h"
#include "node_agent/deadline_watch.h"
#include "node_agent/executor.h"
#include "node_agent/model_runner.h"
#include "node_agent/work.h"

namespace avocet {

DeviceScheduler::DeviceScheduler(DeviceSpec spec, BootId boot, std::unique_ptr<Engine> engine, SchedulerOptions options)
    : spec_(std::move(spec)), options_(options), engine_(std::move(engine)), meter_(spec_.id(), std::move(boot), Now()),
      watch_(engine_->can_cancel() ? std::make_unique<DeadlineWatch>() : nullptr) {
  AVOCET_CHECK(spec_.discipline == Discipline::kFifo || spec_.discipline == Discipline::kTimeShared);
  AVOCET_CHECK(options_.max_queued >= 1);
  if (is_fifo()) device_executor_ = MakeExecutor(spec_.name);
}

DeviceScheduler::~DeviceScheduler() {
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

std::unique_ptr<Executor> DeviceScheduler::MakeExecutor(const std::string& name) {
  auto runner = std::make_shared<ModelRunner>(spec_.discipline, meter_, watch_.get());
  return std::make_unique<Executor>(ExecutorOptions{"av-" + name, spec_.cores},
                                    [this, runner](Work work) { Serve(*runner, std::move(work)); });
}

std::vector<Executor*> DeviceScheduler::Executors() const {
  if (device_executor_) return {device_executor_.get()};
  std::vector<Executor*> executors;
  for (const auto& [id, loaded] : loaded_)
    executors.push_back(loaded.executor);
  return executors;
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

Status DeviceScheduler::Detach(const AppId& app) {
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
  ++attachment->pending;
  ++queued_;
  return work;
}

void DeviceScheduler::DropCancelled() {
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
