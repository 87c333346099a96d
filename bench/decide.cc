// What one decision costs: Decide at 10, 100 and 1,000 devices with 10 residents each, on a cluster that lives: a
// stream of newcomers drawn from a catalogue (8 models x 4 rates x 3 objectives); the admitted ones stay and a resident
// leaves for each, so every decision finds changed devices. The prediction cache is kept between decisions, as the
// controller does. Cold: the first decision, with an empty cache, shown apart. Warm: those after the warm-up, when most
// of the 96 kinds of applications were seen before, though most devices changed since they met this kind. Every answer
// holds a verdict for every device. Usage: decide [NAME [DEVICES]]. Prints CPU time (so that neighbours on the machine
// count less); the seeds are fixed.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <random>
#include <string>
#include <vector>

#include "controller/cluster/cluster_changes.h"
#include "controller/placement/decide.h"
#include "controller/placement/prediction_cache.h"
#include "tests/support/view_builder.h"

namespace avocet {
namespace {

constexpr int kModels = 8;
constexpr int kResidents = 10;

struct Timing {
  const char* name;
  double service_ms, switch_ms;
};

// Published service and switch times of edgeTPU models; time-shared devices use the service times alone.
constexpr Timing kTimings[kModels] = {{"mobilenet_v2", 4.91, 10.43},   {"ssd_mobilenet_v2", 18.03, 23.93},
                                      {"efficientnet-s", 9.83, 17.33}, {"efficientnet-l", 42.18, 17.53},
                                      {"inception_v1", 4.10, 8.0},     {"inception_v2", 15.85, 22.63},
                                      {"inception_v3", 62.95, 19.39},  {"inception_v4", 125.13, 19.43}};

struct Setting {
  const char* name;
  int devices;
  int decisions;
  Statistic statistic;
  Discipline discipline;
  int max_moves;
  double load; ///< of a device before the stream begins
  int warm_up; ///< decisions before those that are measured
};

class Cluster {
public:
  explicit Cluster(const Setting& setting) : setting_(setting) {
    for (const auto& timing : kTimings)
      builder_.Model(std::string(timing.name) + ":1",
                     {.device_type = "d", .service_ms = timing.service_ms, .switch_ms = timing.switch_ms});
    for (int i = 0; i < setting.devices; ++i)
      AddDevice("n" + std::to_string(i) + "/d");
    view_ = builder_.Build();
  }

  const ClusterView& view() const { return view_; }

  Application Newcomer() {
    const double rates[] = {0.5, 1, 2, 4};
    return App("newcomer" + std::to_string(++count_), AnyTiming(), rates[random_() % 4]);
  }

  /// What was decided happens; for who came someone goes.
  void Take(const Decision& decision) {
    if (decision.kind == DecisionKind::kReject) return;
    for (const auto& move : decision.moves)
      (void)MoveApp(view_, move, ++epoch_);
    auto leaver = view_.placements.begin();
    std::advance(leaver, static_cast<std::ptrdiff_t>(random_() % view_.placements.size()));
    (void)ForgetPlacement(view_, AppId(leaver->first));
    (void)AdmitApp(view_, decision, ++epoch_);
  }

private:
  const Timing& AnyTiming() { return kTimings[random_() % kModels]; }

  Application App(const std::string& name, const Timing& timing, double rate_rps) {
    const double limits_ms[] = {400, 800, 1600};
    return MakeApp(name, timing.name,
                   {.rate_rps = rate_rps, .statistic = setting_.statistic, .latency_ms = limits_ms[random_() % 3]});
  }

  void AddDevice(const std::string& id) {
    builder_.Device(id, {.discipline = setting_.discipline, .type = "d"});
    for (int i = 0; i < kResidents; ++i) {
      const Timing& timing = AnyTiming();
      const double share = setting_.load / kResidents * 1000 / (timing.service_ms + timing.switch_ms);
      builder_.Resident(App(id.substr(0, id.find('/')) + "-a" + std::to_string(i), timing, share), id);
    }
  }

  Setting setting_;
  ViewBuilder builder_;
  ClusterView view_;
  std::mt19937_64 random_{17};
  int count_ = 0;
  uint64_t epoch_ = 1'000'000;
};

double CpuMicros() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e6 + static_cast<double>(now.tv_nsec) * 1e-3;
}

double At(std::vector<double> values, double p) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  return values[static_cast<size_t>(p * static_cast<double>(values.size() - 1))];
}

void Measure(const Setting& setting) {
  Cluster cluster(setting);
  PredictionCache cache;
  const Policy policy{.max_moves = setting.max_moves};
  std::vector<double> micros;
  double first = 0;
  int admitted = 0, moved = 0;
  for (int i = 0; i < setting.warm_up + setting.decisions; ++i) {
    const Application app = cluster.Newcomer();
    const double start = CpuMicros();
    const Decision decision = Decide(cluster.view(), app, policy, cache);
    const double took = CpuMicros() - start;
    if (i == 0) first = took;
    if (i >= setting.warm_up) {
      micros.push_back(took);
      admitted += decision.kind == DecisionKind::kAdmit ? 1 : 0;
      moved += decision.kind == DecisionKind::kAdmitWithMoves ? 1 : 0;
    }
    cluster.Take(decision);
  }
  std::printf("%-24s %8d %9d %9d %6d %10.2f %10.2f %10.2f %10.2f\n", setting.name, setting.devices, setting.decisions,
              admitted, moved, first / 1e3, At(micros, 0.5) / 1e3, At(micros, 0.99) / 1e3,
              At(micros, 0.5) / setting.devices);
}

} // namespace
} // namespace avocet

int main(int argc, char** argv) {
  using avocet::Discipline, avocet::Statistic;
  const avocet::Setting settings[] = {
      {"fifo mean", 10, 400, Statistic::kMean, Discipline::kFifo, 0, 0.4, 200},
      {"fifo mean", 100, 400, Statistic::kMean, Discipline::kFifo, 0, 0.4, 200},
      {"fifo p95", 100, 400, Statistic::kP95, Discipline::kFifo, 0, 0.4, 200},
      {"fifo p95, moves", 100, 200, Statistic::kP95, Discipline::kFifo, 3, 0.75, 200},
      {"fifo p95", 1000, 200, Statistic::kP95, Discipline::kFifo, 0, 0.4, 400},
      {"time_shared p95", 100, 100, Statistic::kP95, Discipline::kTimeShared, 0, 0.4, 100},
  };
  std::printf("%-24s %8s %9s %9s %6s %10s %10s %10s %10s\n", "devices are", "devices", "decisions", "admitted", "moves",
              "first ms", "p50 ms", "p99 ms", "us/device");
  for (const auto& setting : settings) {
    const bool is_named = argc < 2 || std::strcmp(argv[1], setting.name) == 0;
    if (is_named && (argc < 3 || std::atoi(argv[2]) == setting.devices)) avocet::Measure(setting);
  }
}
