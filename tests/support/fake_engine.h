#pragma once

#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "node_agent/engines/engine.h"

namespace avocet {

/// Longest that any wait in a test may take before the test fails; never the time it does take.
inline constexpr std::chrono::seconds kPatience{30};

/// How a model of the fake engine behaves.
struct FakeBehaviour {
  ModelSignature signature{{TensorSpec{"in", DataType::kFp32, {2}}}, {TensorSpec{"out", DataType::kFp32, {2}}}};
  uint64_t memory_bytes = kMiB;
  Duration attained_service = std::chrono::milliseconds(1);
  Status load;         ///< what Load answers
  Status run;          ///< what Run answers
  bool throws = false; ///< Run throws instead
  bool is_warm = false;
};

/// What the engine was asked to run.
struct FakeRun {
  ModelId model;
  bool switched = false;
  MonotonicTime ready_at{};
  std::vector<std::byte> first_input;
};

/// The test's hand on a fake engine: says how models behave, holds runs, sees them. Thread-safe.
class FakeControl {
public:
  void Behave(const ModelId& model, FakeBehaviour behaviour) {
    const std::lock_guard lock(mutex_);
    behaviours_[model] = std::move(behaviour);
  }
  FakeBehaviour BehaviourOf(const ModelId& model) const {
    const std::lock_guard lock(mutex_);
    const auto it = behaviours_.find(model);
    if (it == behaviours_.end()) return {};
    return it->second;
  }

  /// From now on runs wait inside the engine until they are let go.
  void Hold() {
    const std::lock_guard lock(mutex_);
    permits_ = 0;
  }
  /// Lets `runs` held runs (or the next ones) finish.
  void LetGo(int runs = 1) {
    const std::lock_guard lock(mutex_);
    if (permits_) *permits_ += runs;
    changed_.notify_all();
  }
  void LetAllGo() {
    const std::lock_guard lock(mutex_);
    permits_.reset();
    changed_.notify_all();
  }
  /// Waits until so many runs are held at the same moment; false when it takes too long.
  bool AwaitHeld(int runs) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, kPatience, [&] { return held_ == runs; });
  }
  /// Runs that have begun, in their order.
  std::vector<FakeRun> runs() const {
    const std::lock_guard lock(mutex_);
    return runs_;
  }
  /// Models that are in memory now.
  int resident() const {
    const std::lock_guard lock(mutex_);
    return resident_;
  }

  std::atomic<int> nice_of_load = 0; ///< of the thread that loaded the latest model

  // For the engine itself.
  void CountResident(int change) {
    const std::lock_guard lock(mutex_);
    resident_ += change;
  }
  /// Notes the run and waits while runs are held; false when stopped.
  bool Begin(FakeRun run, const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    runs_.push_back(std::move(run));
    ++held_;
    changed_.notify_all();
    const bool is_let_go = changed_.wait(lock, stop, [&] { return !permits_ || *permits_ > 0; });
    if (is_let_go && permits_) --*permits_;
    --held_;
    changed_.notify_all();
    return is_let_go;
  }

private:
  mutable std::mutex mutex_;
  std::condition_variable_any changed_;
  std::map<ModelId, FakeBehaviour> behaviours_;
  std::optional<int> permits_;
  int held_ = 0;
  int resident_ = 0;
  std::vector<FakeRun> runs_;
};

/// Outputs are its inputs under the outputs' names, as far as there are as many; else zeros.
class FakeModel : public LoadedModel {
public:
  FakeModel(std::shared_ptr<FakeControl> control, ModelId id)
      : control_(std::move(control)), id_(std::move(id)), behaviour_(control_->BehaviourOf(id_)) {
    control_->CountResident(1);
  }
  ~FakeModel() override { control_->CountResident(-1); }
  FakeModel(const FakeModel&) = delete;
  FakeModel& operator=(const FakeModel&) = delete;

  const ModelSignature& signature() const override { return behaviour_.signature; }
  uint64_t memory_bytes() const override { return behaviour_.memory_bytes; }
  bool is_warm() const override { return behaviour_.is_warm; }

  Result<RunResult> Run(const RunRequest& request) override {
    FakeRun run{id_, request.switched, request.ready_at, {}};
    if (!request.inputs.empty()) run.first_input.assign(request.inputs[0].data.begin(), request.inputs[0].data.end());
    if (!control_->Begin(std::move(run), request.stop)) return Cancelled("stopped");
    const FakeBehaviour now = control_->BehaviourOf(id_);
    if (now.throws) throw std::runtime_error("fake failure");
    if (!now.run.ok()) return now.run;
    return RunResult{Outputs(request), now.attained_service};
  }

private:
  std::vector<Tensor> Outputs(const RunRequest& request) const {
    std::vector<Tensor> outputs;
    for (size_t i = 0; i < behaviour_.signature.outputs.size(); ++i) {
      Tensor output{behaviour_.signature.outputs[i], {}};
      if (i < request.inputs.size()) {
        output.spec.shape = request.inputs[i].spec.shape;
        output.data.assign(request.inputs[i].data.begin(), request.inputs[i].data.end());
      } else {
        output.data.resize(ByteSize(output.spec).value());
      }
      outputs.push_back(std::move(output));
    }
    return outputs;
  }

  std::shared_ptr<FakeControl> control_;
  ModelId id_;
  FakeBehaviour behaviour_;
};

/// An engine whose runs take no time unless the test holds them.
class FakeEngine : public Engine {
public:
  explicit FakeEngine(std::shared_ptr<FakeControl> control, bool can_cancel = false)
      : control_(std::move(control)), can_cancel_(can_cancel) {}
  EngineKind kind() const override { return EngineKind::kTflite; }
  bool can_cancel() const override { return can_cancel_; }
  Result<std::unique_ptr<LoadedModel>> Load(const LoadRequest& request) override {
    control_->nice_of_load = getpriority(PRIO_PROCESS, 0);
    const Status status = control_->BehaviourOf(request.model).load;
    if (!status.ok()) return status;
    return std::unique_ptr<LoadedModel>(std::make_unique<FakeModel>(control_, request.model));
  }

private:
  std::shared_ptr<FakeControl> control_;
  bool can_cancel_;
};

} // namespace avocet
