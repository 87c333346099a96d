// How exactly an emulated device keeps its modelled time on this machine: the error of single runs
// (elapsed - modelled), and the drift of many runs back to back, under both disciplines.
//
//     emulated_timer [runs per series, default 300]
//
// The goal is a median error below 0.15 ms and a drift that does not grow with the number of runs.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "node_agent/engines/emulated_engine.h"

namespace avocet {
namespace {

using Clock = MonotonicTime::clock;

std::filesystem::path WriteModel(const std::filesystem::path& folder, double service_ms) {
  auto file = folder / (std::to_string(service_ms) + ".toml");
  std::ofstream(file) << "[[input]]\nname = \"in\"\ndatatype = \"UINT8\"\nshape = [1]\n"
                         "[[output]]\nname = \"out\"\ndatatype = \"UINT8\"\nshape = [1]\n"
                         "[device.gpu]\nmemory_mb = 1\nservice_ms = "
                      << service_ms << "\n";
  return file;
}

/// Runs the model once; work begins at `ready_at`.
void Run(LoadedModel& model, MonotonicTime ready_at) {
  const std::byte zero{};
  const std::vector<TensorView> inputs{{model.signature().inputs[0], {&zero, 1}}};
  RunRequest request;
  request.inputs = inputs;
  request.ready_at = ready_at;
  if (const auto result = model.Run(request); !result.ok()) {
    std::fprintf(stderr, "%s\n", result.status().ToString().c_str());
    std::exit(1); // NOLINT(concurrency-mt-unsafe): a bench
  }
}

struct Series {
  std::unique_ptr<Engine> engine;
  std::vector<std::unique_ptr<LoadedModel>> models;
};

Series Open(Discipline discipline, const std::filesystem::path& folder, const std::vector<double>& services_ms) {
  Series series{MakeEmulatedEngine(DeviceKind::kGpu, discipline).value(), {}};
  for (const double ms : services_ms)
    series.models.push_back(series.engine->Load({ModelId("m:1"), WriteModel(folder, ms)}).value());
  return series;
}

void PrintErrors(const std::string& title, std::vector<double> errors_us) {
  std::sort(errors_us.begin(), errors_us.end());
  const auto at = [&](double p) {
    return errors_us[static_cast<size_t>(p * static_cast<double>(errors_us.size() - 1))];
  };
  std::printf("%-42s error us: p50 %6.0f  p90 %6.0f  p99 %6.0f  max %7.0f\n", title.c_str(), at(0.5), at(0.9), at(0.99),
              at(1));
}

void SingleRuns(Discipline discipline, const std::filesystem::path& folder, double service_ms, int runs) {
  const Series series = Open(discipline, folder, {service_ms});
  std::vector<double> errors_us;
  for (int i = 0; i < runs; ++i) {
    const auto begin = Clock::now();
    Run(*series.models[0], begin);
    errors_us.push_back((ToMillis(Clock::now() - begin) - service_ms) * 1000);
  }
  PrintErrors(std::string(ToString(discipline)) + ", single runs of " + std::to_string(service_ms) + " ms",
              std::move(errors_us));
}

/// Every model's worker runs without a pause; the device is never idle, so elapsed = work.
void BackToBack(Discipline discipline, const std::filesystem::path& folder, const std::vector<double>& services_ms,
                int runs) {
  const Series series = Open(discipline, folder, services_ms);
  const auto begin = Clock::now();
  std::vector<std::thread> workers;
  for (const auto& model : series.models)
    workers.emplace_back([&model, begin, runs] {
      for (int i = 0; i < runs; ++i)
        Run(*model, begin);
    });
  for (std::thread& worker : workers)
    worker.join();
  const double elapsed_ms = ToMillis(Clock::now() - begin);
  double work_ms = 0;
  for (const double ms : services_ms)
    work_ms += ms * runs;
  std::printf("%-42s drift: %+.3f ms after %.0f ms of work (%+.4f %%)\n",
              (std::string(ToString(discipline)) + ", " + std::to_string(services_ms.size()) + " busy models").c_str(),
              elapsed_ms - work_ms, work_ms, (elapsed_ms / work_ms - 1) * 100);
}

} // namespace
} // namespace avocet

int main(int argc, char** argv) {
  using avocet::Discipline;
  const int runs = argc > 1 ? std::max(1, std::atoi(argv[1])) : 300;
  std::string folder = std::filesystem::temp_directory_path() / "avocet-bench-XXXXXX";
  if (!mkdtemp(folder.data())) return 1;
  for (const Discipline discipline : {Discipline::kFifo, Discipline::kTimeShared}) {
    for (const double service_ms : {2.0, 10.0})
      avocet::SingleRuns(discipline, folder, service_ms, runs);
    avocet::BackToBack(discipline, folder, {3.0}, runs);
    avocet::BackToBack(discipline, folder, {3.0, 5.0, 7.0}, runs);
  }
  std::filesystem::remove_all(folder);
  return 0;
}
