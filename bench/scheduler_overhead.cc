// What the scheduler itself costs: from Submit() to the call of `done`, around an engine that does
// nothing. One request at a time with a pause in between (the executor sleeps: worst case), then one
// after another.
#include <algorithm>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "bench/noop_engine.h"
#include "node_agent/scheduling/device_scheduler.h"

namespace avocet {
namespace {

const AppId kApp{"app"};
const ModelId kModel{"noop:1"};

std::unique_ptr<DeviceScheduler> MakeScheduler(Discipline discipline) {
  DeviceSpec spec;
  spec.node = NodeId("bench");
  spec.name = "cpu0";
  spec.discipline = discipline;
  spec.memory_bytes = 64 * kMiB;
  auto scheduler = std::make_unique<DeviceScheduler>(
      spec, BootId("bench"), std::make_unique<NoOpEngine>(TensorSpec{"in", DataType::kFp32, {1}}));
  const bool is_ready = scheduler->Load({kModel, {}}).ok() && scheduler->Attach(kApp, kModel).ok();
  if (!is_ready) std::abort();
  return scheduler;
}

/// Lets one thread wait for `done` of another.
class Signal {
public:
  void Set() {
    {
      const std::lock_guard lock(mutex_);
      is_set_ = true;
    }
    changed_.notify_one();
  }
  void Await() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return is_set_; });
    is_set_ = false;
  }

private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool is_set_ = false;
};

Duration OneRequest(DeviceScheduler& scheduler) {
  static constexpr float kInput = 0;
  Signal signal;
  MonotonicTime end;
  InferenceRequest request;
  request.app = kApp;
  request.inputs = {TensorView{{"in", DataType::kFp32, {1}}, std::as_bytes(std::span(&kInput, 1))}};
  request.done = [&](const Completion&) {
    end = MonotonicTime::clock::now();
    signal.Set();
  };
  const MonotonicTime begin = MonotonicTime::clock::now();
  if (!scheduler.Submit(std::move(request)).ok()) std::abort();
  signal.Await();
  return end - begin;
}

void Report(const char* name, std::vector<Duration> samples) {
  std::sort(samples.begin(), samples.end());
  const auto micros = [&](double p) {
    return ToSeconds(samples[static_cast<size_t>(p * static_cast<double>(samples.size() - 1))]) * 1e6;
  };
  std::printf("%-34s n=%zu p50=%.1f us p90=%.1f us p99=%.1f us\n", name, samples.size(), micros(0.5), micros(0.9),
              micros(0.99));
}

void Measure(const char* name, Discipline discipline, int count, Duration pause) {
  const auto scheduler = MakeScheduler(discipline);
  std::vector<Duration> samples;
  for (int i = 0; i < count; ++i) {
    samples.push_back(OneRequest(*scheduler));
    if (pause > Duration::zero()) std::this_thread::sleep_for(pause);
  }
  Report(name, std::move(samples));
}

void MeasureIdle() {
  const auto scheduler = MakeScheduler(Discipline::kFifo);
  const std::clock_t before = std::clock();
  std::this_thread::sleep_for(std::chrono::seconds(2));
  std::printf("idle: %.3f ms CPU in 2 s\n", 1e3 * static_cast<double>(std::clock() - before) / CLOCKS_PER_SEC);
}

} // namespace
} // namespace avocet

int main() {
  using avocet::Discipline;
  using std::chrono::milliseconds;
  avocet::Measure("fifo, back to back", Discipline::kFifo, 50000, milliseconds(0));
  avocet::Measure("fifo, every 2 ms", Discipline::kFifo, 1500, milliseconds(2));
  avocet::Measure("time_shared, back to back", Discipline::kTimeShared, 50000, milliseconds(0));
  avocet::Measure("time_shared, every 2 ms", Discipline::kTimeShared, 1500, milliseconds(2));
  avocet::MeasureIdle();
}
