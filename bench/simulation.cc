// Speed of the request-level simulation: requests per second of CPU time, one thread. Beside it the floor: drawing
// the same requests and serving none. `device` is a device alone (the micro-simulation of decisions), `node` with
// pre-processing on four shared cores and every response time kept (what `avocet simulate` plays).
#include <cstdio>
#include <ctime>
#include <string>

#include "controller/planning/node_simulation.h"
#include "controller/queueing/micro_simulation.h"

namespace avocet {
namespace {

constexpr int kRequests = 4000000;

/// Published service and switch times of edgeTPU models, at the given utilization.
DeviceLoad Load(Discipline discipline, double utilization, double scv) {
  constexpr double kTimings[][2] = {{4.91, 10.43}, {18.03, 23.93}, {9.83, 17.33}, {42.18, 17.53}};
  DeviceLoad load{.discipline = discipline, .cores = discipline == Discipline::kMultiServer ? 4 : 1, .apps = {}};
  for (const auto& [service_ms, switch_ms] : kTimings) {
    const std::string name = "m" + std::to_string(load.apps.size());
    load.apps.push_back({.app = AppId(name),
                         .model = MakeModelId(name, "1"),
                         .rate_rps = 1,
                         .service = {service_ms / 1e3, scv},
                         .switch_s = switch_ms / 1e3});
  }
  const double factor = utilization / Utilization(load);
  for (auto& app : load.apps)
    app.rate_rps *= factor;
  return load;
}

double CpuSeconds() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

/// Millions of requests per second.
template <class Work> double Speed(const Work& work) {
  const double start = CpuSeconds();
  work();
  return kRequests / (CpuSeconds() - start) / 1e6;
}

double DrawOnly(const DeviceLoad& load) {
  static volatile double sink = 0;
  return Speed([&] {
    RequestSource source(load.apps, 1);
    double sum = 0;
    for (int i = 0; i < kRequests; ++i)
      sum += source.Next().work_s;
    sink = sink + sum;
  });
}

double NodeSpeed(const DeviceLoad& load) {
  double rate = 0;
  for (const auto& app : load.apps)
    rate += app.rate_rps;
  const NodeLoad node{.cores = 4, .devices = {load}, .preprocess_s = std::vector<double>(load.apps.size(), 2.4 / rate)};
  return Speed([&] { NodeSimulation(node, 1, 0).Run(kRequests / rate); });
}

void Row(Discipline discipline, double utilization, double scv) {
  const DeviceLoad load = Load(discipline, utilization, scv);
  const double device = Speed([&] { Simulate(load, {.requests = kRequests}); });
  std::printf("%-18s %5.2f %4.1f %10.1f %10.1f %10.1f\n", std::string(ToString(discipline)).c_str(), utilization, scv,
              device, NodeSpeed(load), DrawOnly(load));
}

} // namespace
} // namespace avocet

int main() {
  using avocet::Discipline;
  std::printf("million requests per second\n%-18s %5s %4s %10s %10s %10s\n", "discipline", "rho", "scv", "device",
              "node", "draw only");
  for (const auto discipline :
       {Discipline::kFifo, Discipline::kTimeShared, Discipline::kProcessorSharing, Discipline::kMultiServer}) {
    for (const double utilization : {0.5, 0.9})
      avocet::Row(discipline, utilization, 0);
  }
  avocet::Row(Discipline::kFifo, 0.9, 1);
}
