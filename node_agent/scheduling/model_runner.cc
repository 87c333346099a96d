#include "node_agent/scheduling/model_runner.h"

#include <algorithm>
#include <exception>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>

namespace avocet {
namespace {

MonotonicTime Now() {
  return MonotonicTime::clock::now();
}

std::string Millis(Duration duration) {
  return std::to_string(static_cast<int64_t>(ToMillis(duration))) + " ms";
}

/// Why work whose turn has come is not run any more.
Status WhyNot(const Work& work, MonotonicTime now) {
  if (work.request.cancel.stop_requested()) return Cancelled("the caller gave up while the request was queued");
  const auto& deadline = work.request.deadline;
  if (!deadline || now < *deadline) return {};
  return DeadlineExceeded("the deadline passed after " + Millis(now - work.stamps.enqueued) + " in the queue");
}

} // namespace

void NoteRun(Resident& model, Duration run) {
  const Duration longest = model.longest_run.load(std::memory_order_relaxed);
  const Duration faded = longest == Duration::max() ? run : longest - longest / 8;
  model.longest_run.store(std::max(run, faded), std::memory_order_relaxed);
}

ModelRunner::ModelRunner(Discipline discipline, Meter& meter, DeadlineWatch* watch)
    : discipline_(discipline), meter_(meter), watch_(watch) {}

Completion ModelRunner::Run(const Work& work) {
  Completion completion;
  completion.stamps = work.stamps;
  completion.stamps.started = completion.stamps.finished = Now();
  // A request may have expired or been cancelled while it waited: it must not take device time.
  completion.status = WhyNot(work, completion.stamps.started);
  if (!completion.status.ok()) return completion;

  meter_.RunBegan(completion.stamps.started);
  // A probe wants a warm or a cold run; where the device cannot bring that about, the engine pretends.
  const bool is_feigned = work.probe && Prepare(work);
  completion.switched = is_feigned || SwitchesTo(*work.model);

  RunRequest run;
  run.inputs = work.request.inputs;
  run.ready_at = work.stamps.enqueued;
  run.switched = completion.switched;
  run.max_output_bytes = work.request.max_output_bytes;
  run.max_memory_bytes = work.request.max_memory_bytes;

  auto result = RunCancellable(work, run);
  // The end of the run itself, as RunModel noted it: what follows here is not device time.
  completion.stamps.finished = free_since_;
  meter_.RunEnded(free_since_);
  NoteRun(*work.model, free_since_ - completion.stamps.started);

  completion.status = result.status();
  if (!result.ok()) return completion;
  completion.outputs = std::move(result->outputs);
  completion.attained_service = result->attained_service;
  return completion;
}

bool ModelRunner::SwitchesTo(const Resident& model) const {
  return discipline_ == Discipline::kFifo && last_generation_ != 0 && last_generation_ != model.generation;
}

/// Brings about what the probe asks for; true when only the engine can make it so.
bool ModelRunner::Prepare(const Work& work) {
  const bool would_switch = SwitchesTo(*work.model);
  const bool is_warm_probe = work.probe == ProbeKind::kWarm;
  if (discipline_ != Discipline::kFifo || would_switch != is_warm_probe) return false;
  if (!is_warm_probe && !work.other) return true;
  Resident& first = is_warm_probe ? *work.model : *work.other;
  RunRequest run;
  run.inputs = is_warm_probe ? std::span<const TensorView>(work.request.inputs) : work.other_inputs->views();
  run.ready_at = work.stamps.enqueued;
  run.switched = SwitchesTo(first);
  (void)RunModel(first, run); // a failure shows in the probe itself, or does not matter to it
  return false;
}

Result<RunResult> ModelRunner::RunCancellable(const Work& work, RunRequest run) {
  const auto& deadline = work.request.deadline;
  // Without a watch the engine cannot stop a run, so a deadline could only throw away a result that is paid for.
  if (watch_ == nullptr || !deadline) {
    if (watch_ != nullptr) run.stop = work.request.cancel;
    return RunModel(*work.model, run);
  }

  std::stop_source source;
  // One source for both reasons: engines know a single stop token.
  const std::stop_callback on_cancel(work.request.cancel, [&source] { source.request_stop(); });
  const DeadlineWatch::Watch watch(*watch_, *deadline, source);
  run.stop = source.get_token();

  auto result = RunModel(*work.model, run);
  // The engine says "cancelled" for either reason; a client that cancelled itself must not read of a deadline.
  const bool is_late = !work.request.cancel.stop_requested() && free_since_ >= *deadline;
  if (result.ok() || result.status().code() != StatusCode::kCancelled || !is_late) return result;
  return DeadlineExceeded("the deadline passed during the run, which was stopped");
}

Result<RunResult> ModelRunner::RunModel(Resident& resident, const RunRequest& run) {
  const auto attempt = [&]() -> Result<RunResult> {
    try {
      return resident.model->Run(run);
    } catch (const std::exception& e) { // engines call foreign code; an executor must survive it
      return Internal("the engine threw: " + std::string(e.what()));
    }
  };
  auto result = attempt();
  free_since_ = Now();
  last_generation_ = resident.generation;
  if (!result.ok()) return result.status().WithContext("model '" + resident.id.str() + "'");
  return result;
}

} // namespace avocet
