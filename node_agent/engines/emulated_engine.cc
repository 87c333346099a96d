#include "node_agent/engines/emulated_engine.h"

#include <sys/prctl.h>

#include <algorithm>
#include <condition_variable>
#include <iterator>
#include <mutex>
#include <random>
#include <string>
#include <utility>

#include "messages/files.h"
#include "node_agent/engines/emulated_clock.h"
#include "node_agent/engines/emulated_model.h"

namespace avocet {
namespace {

using Clock = std::chrono::steady_clock;

/// Timers of this thread fire to the nanosecond asked for, not up to 50 us late.
void AskForExactTimers() {
  thread_local bool asked = false;
  if (!std::exchange(asked, true)) (void)prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL);
}

/// The device that all models of one engine share: blocks callers until the modelled work is done.
class EmulatedDevice {
public:
  virtual ~EmulatedDevice() = default;
  /// Returns when `work` is done, kCancelled when stopped before. `previous_finish` is the modelled
  /// end of this model's previous run, updated to that of this one.
  virtual Status Serve(MonotonicTime ready_at, Duration work, const std::stop_token& stop,
                       MonotonicTime& previous_finish) = 0;
};

class FifoDevice final : public EmulatedDevice {
public:
  Status Serve(MonotonicTime ready_at, Duration work, const std::stop_token& stop,
               MonotonicTime& previous_finish) override {
    std::unique_lock lock(mutex_);
    const MonotonicTime finish = clock_.Begin(ready_at, Clock::now(), work);
    changed_.wait_until(lock, stop, finish, [finish] { return Clock::now() >= finish; });
    const MonotonicTime now = Clock::now();
    previous_finish = std::min(finish, now);
    if (now >= finish) return {};
    clock_.Abandon(finish, now);
    return Cancelled("the run was stopped");
  }

private:
  std::mutex mutex_;
  std::condition_variable_any changed_;
  FifoDeviceClock clock_;
};

class TimeSharedDevice final : public EmulatedDevice {
public:
  Status Serve(MonotonicTime ready_at, Duration work, const std::stop_token& stop,
               MonotonicTime& previous_finish) override {
    std::unique_lock lock(mutex_);
    const auto job = clock_.Begin(std::max(ready_at, previous_finish), Clock::now(), work);
    MonotonicTime finish = clock_.FinishOf(job);
    // Arrivals only delay the finish, so nobody is woken for them: the sleeper looks again when it wakes.
    while (Clock::now() < finish && !stop.stop_requested()) {
      const uint64_t seen = abandoned_;
      changed_.wait_until(lock, stop, finish, [&] { return abandoned_ != seen; });
      finish = clock_.FinishOf(job);
    }
    const MonotonicTime now = Clock::now();
    previous_finish = clock_.End(job, now);
    if (finish <= now) return {};
    ++abandoned_;
    changed_.notify_all();
    return Cancelled("the run was stopped");
  }

private:
  std::mutex mutex_;
  std::condition_variable_any changed_;
  SharedDeviceClock clock_;
  uint64_t abandoned_ = 0;
};

class EmulatedLoadedModel final : public LoadedModel {
public:
  EmulatedLoadedModel(std::shared_ptr<EmulatedDevice> device, ModelSignature signature, const EmulatedCost& cost,
                      const ModelId& id)
      : device_(std::move(device)), signature_(std::move(signature)), cost_(cost), random_(Seed(id)) {}

  const ModelSignature& signature() const override { return signature_; }
  uint64_t memory_bytes() const override { return cost_.memory_bytes; }
  bool is_warm() const override { return true; } // its first run takes as long as any

  Result<RunResult> Run(const RunRequest& request) override {
    AVOCET_RETURN_IF_ERROR(CheckInputs(signature_, request.inputs));
    AskForExactTimers();
    const Duration service = DrawService() + (request.switched ? cost_.switch_overhead : Duration{});
    const MonotonicTime ready_at = request.ready_at == MonotonicTime{} ? Clock::now() : request.ready_at;
    AVOCET_RETURN_IF_ERROR(device_->Serve(ready_at, service, request.stop, previous_finish_));
    return RunResult{Zeros(), service};
  }

private:
  static uint64_t Seed(const ModelId& id) { // FNV-1a: the same draws in every process
    uint64_t hash = 14695981039346656037ULL;
    for (const char c : id.str())
      hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211ULL;
    return hash;
  }

  Duration DrawService() {
    if (cost_.scv == 0) return cost_.service;
    std::gamma_distribution<double> service(1 / cost_.scv, ToSeconds(cost_.service) * cost_.scv);
    return std::max(FromSeconds(service(random_)), Duration(1));
  }

  std::vector<Tensor> Zeros() const {
    std::vector<Tensor> outputs;
    outputs.reserve(signature_.outputs.size());
    for (const TensorSpec& spec : signature_.outputs)
      outputs.push_back({spec, std::vector<std::byte>(ByteSize(spec).value())});
    return outputs;
  }

  std::shared_ptr<EmulatedDevice> device_;
  ModelSignature signature_;
  EmulatedCost cost_;
  std::mt19937_64 random_;
  MonotonicTime previous_finish_{};
};

class EmulatedEngine final : public Engine {
public:
  EmulatedEngine(DeviceKind kind, Discipline discipline)
      : device_kind_(kind),
        device_(discipline == Discipline::kFifo ? std::shared_ptr<EmulatedDevice>(std::make_shared<FifoDevice>())
                                                : std::make_shared<TimeSharedDevice>()),
        switches_(discipline == Discipline::kFifo) {}
  EngineKind kind() const override { return EngineKind::kEmulated; }
  bool can_cancel() const override { return true; }

  Result<std::unique_ptr<LoadedModel>> Load(const LoadRequest& request) override {
    AVOCET_ASSIGN_OR_RETURN(const auto text, ReadWholeFile(request.file, kMaxEmulatedModelFileBytes));
    AVOCET_ASSIGN_OR_RETURN(auto model, ParseEmulatedModel(text, request.file.string()));
    const auto cost = model.costs.find(device_kind_);
    if (cost == model.costs.end())
      return Unsupported("model '" + request.model.str() + "' has no section [device." +
                         std::string(ToString(device_kind_)) + "]: it is not emulated on such devices");
    if (!switches_) cost->second.switch_overhead = {};
    return std::unique_ptr<LoadedModel>(
        std::make_unique<EmulatedLoadedModel>(device_, std::move(model.signature), cost->second, request.model));
  }

private:
  DeviceKind device_kind_;
  std::shared_ptr<EmulatedDevice> device_; // models keep it alive
  bool switches_;
};

} // namespace

Result<std::unique_ptr<Engine>> MakeEmulatedEngine(DeviceKind device_kind, Discipline discipline) {
  if (discipline != Discipline::kFifo && discipline != Discipline::kTimeShared)
    return Unsupported("an emulated device is fifo or time_shared, not " + std::string(ToString(discipline)));
  return std::unique_ptr<Engine>(std::make_unique<EmulatedEngine>(device_kind, discipline));
}

} // namespace avocet
