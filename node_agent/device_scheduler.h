#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "messages/device.h"
#include "messages/ids.h"
#include "messages/measurement.h"
#include "messages/units.h"
#include "node_agent/engine.h"
#include "node_agent/meter.h"
#include "node_agent/tensor.h"

namespace avocet {

/// The moments of a request's life on this node. Response time = finished - received.
struct Stamps {
  MonotonicTime received{}; ///< completely received by the endpoint
  MonotonicTime enqueued{}; ///< accepted by the scheduler
  MonotonicTime started{};  ///< an executor took it
  MonotonicTime finished{}; ///< the engine returned
};

struct Completion {
  Status status;
  std::vector<Tensor> outputs;
  Stamps stamps;
  bool switched = false;
  Duration attained_service{}; ///< as the engine reported it; 0 for a request that did not run
};

struct InferenceRequest {
  AppId app;
  std::vector<TensorView> inputs;
  std::shared_ptr<const void> keep_alive; ///< owner of the bytes behind `inputs`
  MonotonicTime received{};
  std::optional<MonotonicTime> deadline;
  std::stop_token cancel; ///< the caller gave up: not run at its turn, stopped when the engine can
  /// Called exactly once and outside all locks, unless Submit() refused: on an executor thread, or
  /// on the thread that detaches, drops or destroys. Must neither block nor throw nor call back
  /// into anything but Submit() and CloseWindow().
  std::function<void(Completion)> done;
};

struct SchedulerOptions {
  size_t max_queued = 256; ///< waiting (not running) requests of the device; one more is refused; >= 1
  Duration drain_deadline = std::chrono::seconds(10);   ///< how long Detach waits for accepted requests
  Duration warm_up_deadline = std::chrono::seconds(60); ///< how long Load waits for the warm-up's turn and run
};

/// What must have run on the device right before a probe.
enum class ProbeKind {
  kWarm = 1,     ///< the same model
  kSwitched = 2, ///< another model
};

/// What one run of a model on zeros cost.
struct Probe {
  Duration attained_service{}; ///< switch included when `switched`
  bool switched = false;
};

/// One device's bounded queue and its executors: one under kFifo, one per loaded model under
/// kTimeShared. Keeps the meter. All calls are thread-safe; Load/Unload/Detach/RunOnce block (call
/// them off the data path), Submit never does.
///
/// Under kFifo a request is `switched` when the executor last ran another model, whoever asked for
/// that run. Every Load ends with a warm-up run, so the first request after it is switched exactly
/// when a run of another model came between. Under kTimeShared nothing is ever switched.
class DeviceScheduler {
public:
  DeviceScheduler(DeviceSpec spec, BootId boot, std::unique_ptr<Engine> engine, SchedulerOptions options = {});
  /// Refuses new work, answers what is queued with kUnavailable, waits for the running requests.
  ~DeviceScheduler();
  DeviceScheduler(const DeviceScheduler&) = delete;
  DeviceScheduler& operator=(const DeviceScheduler&) = delete;

  const DeviceSpec& spec() const;

  /// Makes a model resident and warms it up with one run on zeros. The engine loads on a thread of low
  /// priority; the warm-up runs on the model's executor in its turn (first come, first served, beyond
  /// max_queued), so requests are never stalled longer than by that run. Idempotent; leaves nothing
  /// behind when it fails. kResourceExhausted when the device's memory would overflow,
  /// kInvalidArgument when the device's cores cannot be had.
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

  /// Runs a loaded model once on zeros, in its turn like any request (beyond max_queued, one probe
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
  /// Answers kCancelled, at once, every queued request whose `cancel` is set.
  void DropCancelled();

  /// Ends the current measurement window and begins the next one.
  MeasurementWindow CloseWindow();
  /// What all closed windows together hold.
  DeviceActivity totals() const;

private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

} // namespace avocet
