// Does loading a model stall the requests of others? Poisson arrivals go straight into a device's scheduler, for a
// while alone and for a while with another model that loads and unloads over and over, on the same device or on another
// one of the node; both several times in turn, since the machine's own noise drifts.
// usage: load_interference [SECONDS [CASE]]: of each of the eight stretches of a case; all cases, or the one with this
// number from 1.
// Goal: p99 grows by at most one service time (of the guest where it shares the device) and 5 ms.
#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "node_agent/scheduling/device_scheduler.h"
#include "node_agent/scheduling/work.h"
#include "node_agent/tensors/probe_inputs.h"

namespace avocet {
namespace {

constexpr int kRepeats = 4;
constexpr Duration kPause = std::chrono::milliseconds(200); ///< between unloading and the next load

struct Model {
  std::string name;
  std::filesystem::path file;
};

struct DeviceChoice {
  DeviceKind kind;
  Discipline discipline;
  EngineKind engine;
};
const DeviceChoice kCpu{DeviceKind::kCpu, Discipline::kFifo, EngineKind::kTflite};
const DeviceChoice kGpu{DeviceKind::kGpu, Discipline::kTimeShared, EngineKind::kEmulated};
const DeviceChoice kTpu{DeviceKind::kEdgeTpu, Discipline::kFifo, EngineKind::kEmulated};

std::filesystem::path Prefix() {
  const char* prefix = std::getenv("AVOCET_PREFIX");
  return prefix ? prefix : "/opt/avocet";
}

Model Sample(const std::string& name) {
  return {name, Prefix() / "share/avocet/models" / (name + ".tflite")};
}
Model Emulated(const std::string& name) {
  return {name, Prefix() / "share/avocet/models" / (name + ".toml")};
}

void Require(const Status& status) {
  if (status.ok()) return;
  std::fprintf(stderr, "%s\n", status.message().c_str());
  std::exit(1);
}

std::unique_ptr<DeviceScheduler> MakeDevice(const DeviceChoice& choice) {
  DeviceSpec spec;
  spec.node = NodeId("bench");
  spec.name = "device";
  spec.kind = choice.kind;
  spec.discipline = choice.discipline;
  spec.engine = choice.engine;
  spec.memory_bytes = 8192 * kMiB;
  if (choice.engine == EngineKind::kTflite) spec.cores = {0};
  auto engine = MakeEngine(
      {.kind = choice.engine, .device_kind = choice.kind, .discipline = choice.discipline, .prefix = Prefix()});
  Require(engine.status());
  return std::make_unique<DeviceScheduler>(spec, BootId("bench"), std::move(*engine),
                                           SchedulerOptions{.max_queued = 4096});
}

LoadRequest RequestOf(const Model& model) {
  return {ModelId(model.name + ":1"), model.file};
}

class Latencies {
public:
  void Add(Duration latency) {
    const std::lock_guard lock(mutex_);
    values_.push_back(latency);
  }
  double Millis(double p) {
    std::sort(values_.begin(), values_.end());
    return ToMillis(values_[static_cast<size_t>(p * static_cast<double>(values_.size() - 1))]);
  }

private:
  std::mutex mutex_;
  std::vector<Duration> values_;
};

/// Requests at the moments of a Poisson process, however long the earlier ones take.
void Drive(DeviceScheduler& device, const AppId& app, double rate_rps, Duration duration, Latencies& latencies) {
  static std::mt19937_64 random(1);
  std::exponential_distribution<double> gap(rate_rps);
  const auto inputs = ProbeInputs::Make(**device.SignatureOf(app), {}, SampleFill::kZeros).value();
  std::atomic<int> in_flight = 0;
  const MonotonicTime end = MonotonicTime::clock::now() + duration;
  for (MonotonicTime due = MonotonicTime::clock::now(); due < end; due += FromSeconds(gap(random))) {
    std::this_thread::sleep_until(due);
    InferenceRequest request;
    request.app = app;
    request.inputs.assign(inputs->views().begin(), inputs->views().end());
    request.done = [&, due](const Completion& completion) {
      Require(completion.status);
      latencies.Add(completion.stamps.finished - due);
      --in_flight;
    };
    ++in_flight;
    Require(device.Submit(std::move(request)));
  }
  while (in_flight > 0)
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
}

/// Loads and unloads a model until it is destroyed.
class Guest {
public:
  Guest(DeviceScheduler& device, const Model& model)
      : thread_([this, &device, request = RequestOf(model)](const std::stop_token& stop) {
          while (!stop.stop_requested()) {
            Require(device.Load(request));
            ++loads_;
            Require(device.Unload(request.model));
            std::this_thread::sleep_for(kPause);
          }
        }) {}
  int Finish() {
    thread_.request_stop();
    thread_.join();
    return loads_;
  }

private:
  int loads_ = 0;
  std::jthread thread_;
};

double ServiceMillis(DeviceScheduler& device, const Model& model) {
  Require(device.Load(RequestOf(model)));
  std::vector<Duration> runs;
  for (int i = 0; i < 5; ++i) {
    const auto probe = device.RunOnce(RequestOf(model).model, ProbeKind::kWarm, std::chrono::seconds(60));
    Require(probe.status());
    runs.push_back(probe->attained_service);
  }
  std::sort(runs.begin(), runs.end());
  return ToMillis(runs[runs.size() / 2]);
}

struct Case {
  Model model;
  DeviceChoice device;
  double rate_rps;
  Model guest;
  std::optional<DeviceChoice> guest_device; ///< nullopt: the same device
};

void Measure(const Case& c, Duration stretch) {
  const AppId app("steady");
  const auto device = MakeDevice(c.device);
  const auto other = c.guest_device ? MakeDevice(*c.guest_device) : nullptr;
  DeviceScheduler& guests = other ? *other : *device;
  const double own_ms = ServiceMillis(*device, c.model);
  const double guest_ms = ServiceMillis(guests, c.guest);
  Require(guests.Unload(RequestOf(c.guest).model));
  Require(device->Attach(app, RequestOf(c.model).model));
  Latencies alone;
  Latencies beside;
  int loads = 0;
  for (int i = 0; i < kRepeats; ++i) {
    Drive(*device, app, c.rate_rps, stretch, alone);
    Guest guest(guests, c.guest);
    Drive(*device, app, c.rate_rps, stretch, beside);
    loads += guest.Finish();
  }
  const double allowed = (other ? own_ms : std::max(own_ms, guest_ms)) + 5;
  const double added = beside.Millis(0.99) - alone.Millis(0.99);
  std::printf("%-26s %-20s %-12s %5d %8.2f %8.2f %8.2f %8.2f %8.2f %9.2f %s\n", c.model.name.c_str(),
              c.guest.name.c_str(), other ? "another" : "the same", loads, alone.Millis(0.5), alone.Millis(0.99),
              beside.Millis(0.5), beside.Millis(0.99), added, allowed, added <= allowed ? "ok" : "MISSED");
  std::fflush(stdout);
}

void Main(int argc, char** argv) {
  const auto stretch = FromSeconds(argc > 1 ? std::atof(argv[1]) : 5);
  std::printf("%-26s %-20s %-12s %5s %8s %8s %8s %8s %8s %9s   ms\n", "REQUESTS OF", "WHILE LOADING", "ON DEVICE",
              "LOADS", "P50", "P99", "P50 THEN", "P99 THEN", "P99 MORE", "ALLOWED");
  const std::vector<Case> cases{
      {Emulated("resnet18"), kGpu, 20, Sample("pose_landmark_full"), kCpu},
      {Emulated("mobilenet_v1"), kTpu, 20, Sample("pose_landmark_full"), kCpu},
      {Emulated("mobilenet_v1"), kTpu, 20, Emulated("inception_v4"), std::nullopt},
      {Sample("face_detection_short_range"), kCpu, 20, Sample("pose_landmark_lite"), std::nullopt},
      {Sample("face_detection_short_range"), kCpu, 20, Sample("pose_landmark_full"), std::nullopt},
  };
  const size_t only = argc > 2 ? std::strtoul(argv[2], nullptr, 10) : 0;
  for (size_t i = 0; i < cases.size(); ++i) {
    if (only == 0 || only == i + 1) Measure(cases[i], stretch);
  }
}

} // namespace
} // namespace avocet

int main(int argc, char** argv) {
  avocet::Main(argc, argv);
}
