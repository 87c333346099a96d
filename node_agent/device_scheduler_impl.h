#pragma once

#include <atomic>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "node_agent/deadline_watch.h"
#include "node_agent/device_scheduler.h"
#include "node_agent/executor.h"
#include "node_agent/meter.h"
#include "node_agent/model_runner.h"
#include "node_agent/work.h"

namespace avocet {

/// For the sources of DeviceScheduler only: applications and requests in device_scheduler.cc, models and the runs that
/// nobody asked for in device_scheduler_models.cc.
///
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
  static MonotonicTime Now() { return MonotonicTime::clock::now(); }
  static std::string Quoted(const std::string& id) { return "'" + id + "'"; }
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

} // namespace avocet
