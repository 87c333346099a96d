#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "messages/device.h"
#include "messages/ids.h"
#include "messages/measurement.h"
#include "messages/units.h"
#include "node_agent/engines/engine.h"
#include "node_agent/scheduling/device_request.h"
#include "node_agent/scheduling/meter.h"

namespace avocet {

struct Attachment;
class DeadlineWatch;
class DeviceModels;
class ModelRunner;
struct Work;

struct SchedulerOptions {
  size_t max_queued = 256; ///< waiting (not running) requests of the device; one more is refused; >= 1
  Duration drain_deadline = std::chrono::seconds(10);   ///< how long Detach waits for accepted requests
  Duration warm_up_deadline = std::chrono::seconds(60); ///< how long Load waits for the warm-up's turn and run
  Duration short_run = std::chrono::microseconds(100);  ///< longest run that SubmitOrRun makes itself; 0: none
};

/// One device's applications and their requests: who may submit to which loaded model, the bound of what waits, the
/// meter. The models and their executors are those of DeviceModels: one executor under kFifo, one per loaded model
/// under kTimeShared. All calls are thread-safe; Load/Unload/Detach/RunOnce block (call them off the data path),
/// Submit never does.
///
/// Under kFifo a request is `switched` when the executor last ran another model, whoever asked for
/// that run. A Load ends with a warm-up run unless the engine made one while loading, aside from the device's executor;
/// that one switches nothing. Under kTimeShared nothing is ever switched.
class DeviceScheduler {
public:
  DeviceScheduler(DeviceSpec spec, BootId boot, std::unique_ptr<Engine> engine, SchedulerOptions options = {});
  /// Refuses new work, answers what is queued with kUnavailable, waits for the running requests.
  ~DeviceScheduler();
  DeviceScheduler(const DeviceScheduler&) = delete;
  DeviceScheduler& operator=(const DeviceScheduler&) = delete;

  const DeviceSpec& spec() const { return spec_; }

  /// Makes a model resident and warm. The engine loads on a thread of low priority; where that includes no run, one
  /// follows on the model's executor in its turn (first come, first served, beyond max_queued), so requests are never
  /// stalled longer than by that run. It runs on the request's inputs, or on invented ones; a model that does not run
  /// on them is loaded all the same, see FirstRunOf. Idempotent; inputs of a later request replace the earlier ones.
  /// Leaves nothing behind when it fails. kResourceExhausted when the device's memory would overflow, kInvalidArgument
  /// when the device's cores cannot be had.
  Status Load(const LoadRequest& request);
  /// Frees a model that no application uses any more; kInvalidArgument while one does. Idempotent.
  Status Unload(const ModelId& model);
  /// Lets an application submit to a loaded model. Idempotent. kNotFound when the model is not
  /// loaded, kAlreadyExists when attached to another model, kUnavailable while it is draining.
  Status Attach(const AppId& app, const ModelId& model);
  /// Refuses the application's new requests, then waits until its accepted ones are answered, at
  /// most drain_deadline; then the queued ones are answered kUnavailable. kDeadlineExceeded when a
  /// run still goes on: the application stays in its draining state and Detach can be called again.
  /// Idempotent.
  Status Detach(const AppId& app);

  /// Whether the model ran on the inputs that it was loaded with, and why not; kNotFound when it is not loaded.
  Status FirstRunOf(const ModelId& model) const;
  /// Runs a loaded model once on those inputs, in its turn like any request (beyond max_queued, one probe
  /// at a time), without touching any application's meter; the device's busy time includes it. If
  /// need be, one unmeasured run in the same turn brings about what `kind` asks for; an emulated
  /// device without a second model is told of a switch instead. Errors: kNotFound, kUnsupported (a
  /// switch under kTimeShared), kUnavailable (a real device has no second model to switch from),
  /// kDeadlineExceeded, and those of the engine.
  Result<Probe> RunOnce(const ModelId& model, ProbeKind kind, Duration timeout);

  /// Signature of the application's model, never null; holds the model, so not to be kept. kNotFound when
  /// not attached.
  Result<std::shared_ptr<const ModelSignature>> SignatureOf(const AppId& app) const;
  std::vector<ModelId> LoadedModels() const;
  uint64_t memory_used_bytes() const;
  /// Resident bytes of a model; 0 when it is not loaded.
  uint64_t MemoryOf(const ModelId& model) const;

  /// Queues a request, or refuses at once: kInvalidArgument (inputs), kNotFound (application),
  /// kUnavailable (queue full, draining), kDeadlineExceeded, kCancelled. A deadline that passes in
  /// the queue is answered kDeadlineExceeded when its turn comes; one that passes during the run
  /// stops it only where the engine can cancel, otherwise the outputs are delivered late.
  Status Submit(InferenceRequest request);
  /// As Submit for a caller that can spare its thread for `short_run`: while nothing waits or runs, and the model's
  /// runs are known to be that short, it makes the run itself, which saves waking two threads, and gets the completion;
  /// `done` is not called then. The order is that of Submit. Not where the device has its own cores.
  Result<std::optional<Completion>> SubmitOrRun(InferenceRequest request);
  /// Answers kCancelled, at once, every queued request whose `cancel` is set.
  void DropCancelled();

  /// Ends the current measurement window and begins the next one.
  MeasurementWindow CloseWindow();
  /// What all closed windows together hold.
  DeviceActivity totals() const { return meter_.totals(); }

private:
  static MonotonicTime Now() { return MonotonicTime::clock::now(); }
  static std::string Quoted(const std::string& id) { return "'" + id + "'"; }
  std::string Subject() const { return "device " + Quoted(spec_.id().str()); }

  std::function<void(Work)> MakeServe();
  Result<std::shared_ptr<Attachment>> FindOpen(const AppId& app);
  Status Refuse(const AppId& app, Status why);
  Result<Work> Accept(InferenceRequest request);
  bool TryReserve(const Work& work) const;
  void Serve(ModelRunner& runner, Work work);
  void Answer(Work work, Completion completion);
  void Abandon(std::vector<Work> abandoned, const Status& why);

  const DeviceSpec spec_;
  const SchedulerOptions options_;
  const std::unique_ptr<Engine> engine_; ///< outlives the models, which attachments hold, too
  Meter meter_;
  const std::unique_ptr<DeadlineWatch> watch_; ///< only where the engine can cancel

  // Lock order: DeviceModels::admin_mutex_, mutex_, DeviceModels::mutex_, then those inside the executors and the
  // meter. Submitting takes neither lock of DeviceModels.
  mutable std::mutex mutex_;
  std::condition_variable drained_;
  std::map<AppId, std::shared_ptr<Attachment>> attachments_; ///< each one uses its model, so its executor lives
  bool stopping_ = false;
  std::atomic<size_t> queued_ = 0;             ///< grows under mutex_ only, so the bound holds
  const std::unique_ptr<DeviceModels> models_; ///< last: its executors use all of the above
};

} // namespace avocet
