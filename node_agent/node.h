#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "messages/command.h"
#include "messages/device.h"
#include "node_agent/engines/engine.h"
#include "node_agent/epoch_gate.h"
#include "node_agent/inference/router.h"
#include "node_agent/model_files.h"
#include "node_agent/scheduling/device_metrics.h"
#include "node_agent/scheduling/device_scheduler.h"
#include "node_agent/scheduling/profiler.h"

namespace avocet {

struct NodeOptions {
  NodeId id;
  BootId boot;
  std::vector<DeviceSpec> devices; ///< spec.type is filled in
  std::filesystem::path prefix = "/opt/avocet";
  ModelFilesOptions files;
  SchedulerOptions scheduler;
  std::map<std::string, size_t> queues; ///< SchedulerOptions::max_queued of a device, by its name; absent: the above
  ProfileOptions profile;
  /// Makes each device's engine; tests put their own here.
  std::function<Result<std::unique_ptr<Engine>>(const EngineOptions&)> make_engine = MakeEngine;
};

/// One machine's data plane: an engine and a scheduler per device, the model files, the routes.
/// Thread-safe; Start, Stop and ProfileModel block (seconds), each device's are called in turn, and those of one
/// application on several devices at once. Whichever of them ends last, the latest start is what serves.
class Node {
public:
  /// Fails when an engine's library is missing or the file folder cannot be used.
  static Result<std::unique_ptr<Node>> Open(const NodeOptions& options);

  /// Makes a command known before its turn on its device comes: from now on every start that it overtakes is dropped,
  /// at whichever step it is. Never blocks. Start and Stop announce their own command.
  void Announce(const Command& command);
  /// Fetches the model file if it is not here, loads, warms up, publishes the route. Success: this copy serves, or did
  /// until a later start was published. kCancelled: a later command overtook it, and nothing of it is left. An older
  /// copy of the application on another device of this node is drained after the switch: no request is lost.
  Status Start(const Command& command, const ModelFiles::Fetch& fetch);
  /// Withdraws the route, drains, and unloads the model when nobody uses it any more: of the copy on the command's
  /// device, up to the command's epoch. Success where there is none. Can be called again after a failure: a run that
  /// did not end in time.
  Status Stop(const Command& command);
  /// Measures a model on a device, between the requests of others; leaves it as it was. Its runs are on `samples`,
  /// whose files are fetched like the model's; inputs that they leave out are invented.
  Result<Profile> ProfileModel(const DeviceId& device, const ModelId& model, const Variant& variant,
                               const std::vector<SampleInput>& samples, const ModelFiles::Fetch& fetch);
  /// Ends the measurement window of every device.
  std::vector<MeasurementWindow> CloseWindows();
  /// The predicted latencies of a device's applications, for DeviceStates, and the limits that their response times are
  /// counted against; replaces those before. Of a device that is not here they are ignored.
  void SetPredictions(const DeviceId& device, std::vector<PredictedLatency> predicted,
                      std::vector<JudgedLatency> limits);
  /// For the page of /metrics.
  std::vector<DeviceMetrics> DeviceStates() const;

  const std::vector<DeviceSpec>& devices() const { return options_.devices; }
  std::shared_ptr<const Router> router() const { return router_; }

private:
  /// The copy of an application that the route leads to.
  struct Use {
    DeviceId device;
    ModelId model;
    Sha256 file;
    uint64_t epoch = 0;
  };

  struct Slot {
    std::shared_ptr<DeviceScheduler> scheduler;
    std::mutex loading; ///< held while models come and go, so that none goes while it is being attached
  };

  explicit Node(NodeOptions options, ModelFiles files);
  Result<Slot*> Find(const DeviceId& device);
  Result<std::filesystem::path> EnsureFile(const Sha256& file, uint64_t size_bytes, const ModelFiles::Fetch& fetch);
  Status CheckCurrent(const Command& start) const;
  Result<std::filesystem::path> FetchCurrent(const Command& start, const ModelFiles::Fetch& fetch);
  Status LoadAndPublish(DeviceScheduler& device, const Command& command, const LoadRequest& request,
                        std::optional<Use>& before);
  Status AttachLocked(DeviceScheduler& device, const Command& command);
  Status PublishLocked(DeviceScheduler& device, const Command& command, std::optional<Use>& before);
  std::optional<Use> Withdraw(const AppId& app, const DeviceId& device, uint64_t up_to_epoch);
  void PinFiles();
  bool IsServedFrom(const AppId& app, const DeviceId& device) const;
  bool IsUsed(const DeviceId& device, const ModelId& model) const;
  Status UnloadIfUnused(DeviceScheduler& device, const ModelId& model) const;
  Status Retire(const AppId& app, const Use& use);
  Result<std::vector<GivenInput>> FetchSamples(const std::vector<SampleInput>& samples, const ModelFiles::Fetch& fetch);
  Result<ServiceProfile> Measure(DeviceScheduler& device, const ModelId& model) const;

  NodeOptions options_;
  std::map<DeviceId, Slot> slots_;
  std::shared_ptr<Router> router_ = std::make_shared<Router>();
  std::mutex files_mutex_;
  ModelFiles files_;
  mutable std::mutex uses_mutex_; ///< of what follows; the routes change under it, too
  std::map<AppId, Use> uses_;     ///< exactly those that have a route
  EpochGate gate_;
  mutable std::mutex predicted_mutex_;
  std::map<DeviceId, std::vector<PredictedLatency>> predicted_;
};

} // namespace avocet
