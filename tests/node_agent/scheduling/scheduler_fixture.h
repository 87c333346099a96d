#pragma once

#include <algorithm>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "node_agent/scheduling/device_scheduler.h"
#include "tests/support/fake_engine.h"

namespace avocet {

struct Answer {
  std::string tag;
  Completion completion;
};

/// Collects completions in the order in which they come. Thread-safe.
class Answers {
public:
  std::function<void(Completion)> For(std::string tag) {
    return [this, tag = std::move(tag)](Completion completion) {
      const std::lock_guard lock(mutex_);
      answers_.push_back({tag, std::move(completion)});
      changed_.notify_all();
    };
  }
  /// The answers, once there are at least `count`; fewer when that takes too long.
  std::vector<Answer> Await(size_t count) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, kPatience, [&] { return answers_.size() >= count; });
    return answers_;
  }
  std::vector<std::string> AwaitTags(size_t count) {
    std::vector<std::string> tags;
    for (const Answer& answer : Await(count))
      tags.push_back(answer.tag);
    return tags;
  }
  size_t count() {
    const std::lock_guard lock(mutex_);
    return answers_.size();
  }

private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Answer> answers_;
};

inline const AppId kAppA{"app-a"};
inline const AppId kAppB{"app-b"};
inline const ModelId kModelA{"a:1"};
inline const ModelId kModelB{"b:1"};

inline DeviceSpec FakeSpec(Discipline discipline) {
  DeviceSpec spec;
  spec.node = NodeId("n1");
  spec.name = "dev0";
  spec.discipline = discipline;
  spec.memory_bytes = 100 * kMiB;
  spec.type = "fake";
  return spec;
}

/// One scheduler on a fake engine, with models a and b loaded and one application attached to each.
struct FakeDevice {
  explicit FakeDevice(Discipline discipline = Discipline::kFifo, SchedulerOptions options = {}, bool can_cancel = false)
      : scheduler(std::make_unique<DeviceScheduler>(FakeSpec(discipline), BootId("boot1"),
                                                    std::make_unique<FakeEngine>(control, can_cancel), options)) {
    for (const ModelId& model : {kModelA, kModelB})
      start_status.push_back(scheduler->Load({model, "file"}));
    start_status.push_back(scheduler->Attach(kAppA, kModelA));
    start_status.push_back(scheduler->Attach(kAppB, kModelB));
    warm_ups = control->runs().size();
  }
  ~FakeDevice() { control->LetAllGo(); }
  FakeDevice(const FakeDevice&) = delete;
  FakeDevice& operator=(const FakeDevice&) = delete;

  bool Started() const {
    return std::all_of(start_status.begin(), start_status.end(), [](const Status& s) { return s.ok(); });
  }
  /// A request with fitting inputs.
  InferenceRequest Request(const AppId& app, const std::string& tag) {
    static constexpr float kInput[2] = {1, 2};
    InferenceRequest request;
    request.app = app;
    request.inputs = {TensorView{{"in", DataType::kFp32, {2}}, std::as_bytes(std::span(kInput))}};
    request.done = answers.For(tag);
    return request;
  }
  Status Submit(const AppId& app, const std::string& tag) { return scheduler->Submit(Request(app, tag)); }
  /// Runs that began after the warm-ups.
  std::vector<FakeRun> Runs() const {
    auto runs = control->runs();
    runs.erase(runs.begin(), runs.begin() + static_cast<ptrdiff_t>(warm_ups));
    return runs;
  }

  std::shared_ptr<FakeControl> control = std::make_shared<FakeControl>();
  Answers answers;
  std::unique_ptr<DeviceScheduler> scheduler;
  std::vector<Status> start_status;
  size_t warm_ups = 0;
};

} // namespace avocet
