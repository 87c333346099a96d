// What one decision costs: Decide at 10, 100 and 1,000 devices with 5 to 10 residents each, half of the
// devices fifo with switches, half time_shared. The answer holds a verdict for every device: predictions
// before and after, and the largest rate that would fit. Prints a table of CPU time (so that neighbours
// on the machine do not count); the seed is fixed.
#include <algorithm>
#include <cstdio>
#include <ctime>
#include <random>
#include <string>
#include <vector>

#include "controller/decide.h"
#include "tests/support/view_builder.h"

namespace avocet {
namespace {

using testing::AppOptions;
using testing::MakeApp;
using testing::ViewBuilder;

constexpr int kModels = 8;

struct Timing {
  const char* name;
  double service_ms, switch_ms;
};

// Published service and switch times of edgeTPU models; the GPU devices use the service times alone.
constexpr Timing kTimings[kModels] = {{"mobilenet_v2", 4.91, 10.43},   {"ssd_mobilenet_v2", 18.03, 23.93},
                                      {"efficientnet-s", 9.83, 17.33}, {"efficientnet-l", 42.18, 17.53},
                                      {"inception_v1", 4.10, 8.0},     {"inception_v2", 15.85, 22.63},
                                      {"inception_v3", 62.95, 19.39},  {"inception_v4", 125.13, 19.43}};

class Cluster {
public:
  explicit Cluster(int devices) {
    for (const auto& timing : kTimings) {
      const std::string id = std::string(timing.name) + ":1";
      builder_.ModelWithoutProfile(id);
      builder_.Profile(id, {.device_type = "tpu", .service_ms = timing.service_ms, .switch_ms = timing.switch_ms});
      builder_.Profile(id, {.device_type = "gpu", .service_ms = timing.service_ms, .scv = 0.05});
    }
    for (int i = 0; i < devices; ++i)
      AddDevice("n" + std::to_string(i), i % 2 == 0);
  }

  const ClusterView& view() const { return builder_.Build(); }

  Application Newcomer() {
    const Timing& timing = kTimings[std::uniform_int_distribution<>(0, kModels - 1)(random_)];
    return App("newcomer", timing, std::uniform_real_distribution<>(0.02, 0.4)(random_));
  }

private:
  Application App(const std::string& name, const Timing& timing, double load) {
    AppOptions options;
    options.rate_rps = load * 1000 / (timing.service_ms + timing.switch_ms);
    options.statistic = std::bernoulli_distribution(0.5)(random_) ? Statistic::kP95 : Statistic::kMean;
    options.latency_ms = std::uniform_real_distribution<>(300, 1500)(random_);
    return MakeApp(name, timing.name, options);
  }

  void AddDevice(const std::string& node, bool is_tpu) {
    const std::string id = node + "/d";
    builder_.Device(id, {.kind = is_tpu ? DeviceKind::kEdgeTpu : DeviceKind::kGpu,
                         .discipline = is_tpu ? Discipline::kFifo : Discipline::kTimeShared,
                         .type = is_tpu ? "tpu" : "gpu"});
    const int residents = std::uniform_int_distribution<>(5, 10)(random_);
    for (int i = 0; i < residents; ++i) {
      const Timing& timing = kTimings[std::uniform_int_distribution<>(0, kModels - 1)(random_)];
      builder_.Resident(App(node + "-a" + std::to_string(i), timing, 0.5 / residents), id);
    }
  }

  ViewBuilder builder_;
  std::mt19937_64 random_{17};
};

double CpuMicros() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e6 + static_cast<double>(now.tv_nsec) * 1e-3;
}

double At(std::vector<double>& sorted, double p) {
  return sorted[static_cast<size_t>(p * static_cast<double>(sorted.size() - 1))];
}

void Measure(int devices, int decisions) {
  Cluster cluster(devices);
  std::vector<double> micros;
  int admitted = 0;
  for (int i = 0; i < decisions; ++i) {
    const Application app = cluster.Newcomer();
    const double start = CpuMicros();
    const Decision decision = Decide(cluster.view(), app, {});
    micros.push_back(CpuMicros() - start);
    admitted += decision.kind == DecisionKind::kAdmit ? 1 : 0;
  }
  std::sort(micros.begin(), micros.end());
  std::printf("%8d %10d %9d %12.0f %12.0f %14.1f\n", devices, decisions, admitted, At(micros, 0.5), At(micros, 0.99),
              At(micros, 0.5) / devices);
}

} // namespace
} // namespace avocet

int main() {
  std::printf("%8s %10s %9s %12s %12s %14s\n", "devices", "decisions", "admitted", "p50 us", "p99 us", "us per device");
  avocet::Measure(10, 400);
  avocet::Measure(100, 60);
  avocet::Measure(1000, 12);
}
