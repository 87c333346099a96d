#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "messages/device.h"
#include "messages/ids.h"
#include "messages/status.h"
#include "messages/units.h"
#include "node_agent/engines/engine.h"
#include "node_agent/scheduling/device_request.h"
#include "node_agent/scheduling/work.h"

namespace avocet {

/// What an application needs of the model that it uses.
struct ModelUse {
  std::shared_ptr<Resident> resident; ///< never null
  Executor* executor = nullptr;       ///< never null; lives at least until the use is released
};

/// The models in one device's memory, the executors that run them, and the applications that use them. One executor
/// under kFifo; under kTimeShared one per loaded model.
///
/// Thread-safe. Load, Unload and RunOnce block, and run one at a time; Stop blocks; the other calls do not.
/// Lock order: admin_mutex_, DeviceScheduler::mutex_, mutex_, then those inside the executors and the meter.
class DeviceModels {
public:
  using Serve = std::function<void(Work)>;
  /// Called once for each executor. The result serves that executor's work, warm-ups and probes included: runs it,
  /// drops its models, then calls the request's `done`.
  using MakeServe = std::function<Serve()>;

  /// `spec`, `engine` and whatever Serve uses must outlive this object; `engine` also every ModelUse.
  DeviceModels(const DeviceSpec& spec, Engine& engine, Duration warm_up_deadline, MakeServe make_serve);
  ~DeviceModels();
  DeviceModels(const DeviceModels&) = delete;
  DeviceModels& operator=(const DeviceModels&) = delete;

  /// As DeviceScheduler::Load.
  Status Load(const LoadRequest& request);
  /// Frees a model; kInvalidArgument while an application uses it. Drops probes whose callers stopped waiting.
  /// Idempotent.
  Status Unload(const ModelId& model);
  /// How the run went with which loading a model ended; kNotFound when it is not loaded.
  Status FirstRunOf(const ModelId& model) const;
  /// As DeviceScheduler::RunOnce.
  Result<Probe> RunOnce(const ModelId& model, ProbeKind kind, Duration timeout);

  /// Keeps a loaded model from being unloaded until the application releases it. Idempotent. kNotFound when the model
  /// is not loaded.
  Result<ModelUse> Use(const AppId& app, const ModelId& model);
  /// Ends the application's use. It must have dropped its ModelUse, and have no work with the executor. Idempotent.
  void Release(const AppId& app, const ModelId& model);

  std::vector<ModelId> LoadedModels() const;
  uint64_t memory_used_bytes() const;
  /// Resident bytes of a model; 0 when it is not loaded.
  uint64_t MemoryOf(const ModelId& model) const;

  /// Takes matching work out of the queues of all executors; the rest keeps its order.
  std::vector<Work> Extract(const std::function<bool(const Work&)>& matches);
  /// Ends all executors after the work in hand and returns what they left; later work is not served. Idempotent.
  /// Not while another thread loads, unloads or probes.
  std::vector<Work> Stop();

private:
  /// A loaded model and who runs it: the device's executor, or under kTimeShared one of its own.
  struct Loaded {
    std::shared_ptr<Resident> resident;
    std::unique_ptr<Executor> own;
    Executor* executor = nullptr;
    std::set<AppId> users; ///< while there is one, the model stays loaded
  };

  bool is_fifo() const { return spec_.discipline == Discipline::kFifo; }
  std::string Subject() const;
  Status NotLoaded(const ModelId& model) const;
  std::unique_ptr<Executor> MakeExecutor(const std::string& name) const;
  std::vector<Executor*> Executors() const;
  Result<Loaded> LoadIntoMemory(const LoadRequest& request);
  Result<FirstRun> WarmUp(const Loaded& loaded, const LoadRequest& request) const;
  Result<FirstRun> RunFirst(const Loaded& loaded, const LoadRequest& request) const;
  bool IsLoaded(const ModelId& model) const;
  Status TakeInputs(const LoadRequest& request);
  Status CheckMemory(uint64_t needed_bytes) const;
  Result<Work> ProbeWork(const ModelId& model, ProbeKind kind, Executor*& executor) const;

  const DeviceSpec& spec_;
  Engine& engine_;
  const Duration warm_up_deadline_;
  const MakeServe make_serve_;

  std::mutex admin_mutex_;   ///< one load, unload or probe at a time
  uint64_t generations_ = 0; ///< under admin_mutex_
  mutable std::mutex mutex_; ///< of what follows; never held while something loads, runs or ends
  std::map<ModelId, Loaded> loaded_;
  std::unique_ptr<Executor> device_executor_; ///< kFifo only; last, so that its thread ends before models go
};

} // namespace avocet
