#include "cli/offline/simulate.h"

#include <algorithm>
#include <chrono>
#include <cmath>

#include "cli/process/parallel.h"
#include "controller/placement/prediction_cache.h"

namespace avocet {
namespace {

using Clock = std::chrono::steady_clock;

/// What the phases take of the progress bar.
constexpr double kPlacing = 0.4, kChecking = 0.8;
/// Nodes whose history is searched at a time: what one wave finds shortens the search of the next. Not the number
/// of threads, on which nothing may depend.
constexpr size_t kWave = 8;

double SecondsSince(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

double PercentileOf(std::vector<double> values, double p) {
  if (values.empty()) return 0;
  const auto at = values.begin() + std::lround(p * static_cast<double>(values.size() - 1));
  std::nth_element(values.begin(), at, values.end());
  return *at;
}

class Simulation {
public:
  Simulation(const PlacementInstance& instance, const SimulatePlan& plan, const SimulateProgress& progress)
      : instance_(instance), plan_(plan), progress_(progress), run_(instance.view) {
    for (const auto& [id, node] : instance.view.nodes)
      nodes_.push_back(id);
  }

  SimulateReport Play() {
    const auto start = Clock::now();
    PlaceAll();
    CheckEnd();
    report_.clean_prefix = report_.first_rejection.value_or(report_.offered);
    if (plan_.check_prefix) CheckPrefix();
    report_.timing.wall_s = SecondsSince(start);
    return std::move(report_);
  }

private:
  void Show(const char* phase, double fraction) const {
    if (progress_) progress_(phase, fraction);
  }

  void PlaceAll() {
    // One cache for all decisions, as in a controller.
    PredictionCache cache;
    std::vector<double> micros;

    for (const auto& app : instance_.apps) {
      const auto start = Clock::now();
      const Decision decision = Decide(run_.view(), app, plan_.policy, cache);
      // Only the decision counts as time; keeping the books is the simulator's own work.
      micros.push_back(SecondsSince(start) * 1e6);
      Count(run_.Take(decision));
      Show("placing", kPlacing * static_cast<double>(micros.size()) / static_cast<double>(instance_.apps.size()));
    }

    report_.hosted = run_.view().placements.size();
    report_.moves = run_.moves();
    for (const auto& [id, device] : run_.view().devices)
      report_.utilization[id] = Utilization(LoadOf(run_.view(), id));
    SetTiming(micros);
  }

  void Count(const PlacementStep& step) {
    const size_t number = report_.offered++;
    if (step.device) return;
    ++report_.rejected[step.reason];
    if (!report_.first_rejection) report_.first_rejection = number;
  }

  void SetTiming(const std::vector<double>& micros) {
    double sum = 0;
    for (const double one : micros)
      sum += one;
    report_.timing.decision_p50_us = PercentileOf(micros, 0.50);
    report_.timing.decision_p99_us = PercentileOf(micros, 0.99);
    if (sum > 0) report_.timing.decisions_per_s = static_cast<double>(micros.size()) / sum * 1e6;
  }

  /// Every node has a seed of its own, which does not depend on which other nodes are simulated.
  ObjectiveCheckOptions OptionsOf(size_t node) const {
    ObjectiveCheckOptions options = plan_.check;
    options.seed = plan_.check.seed * 1000003 + node;
    return options;
  }

  void CheckEnd() {
    std::vector<std::vector<ObjectiveFinding>> findings(nodes_.size());

    // Every thread writes to elements of its own, so `findings` needs no lock.
    ParallelFor(
        nodes_.size(), plan_.jobs, [&](size_t i) { findings[i] = CheckNode(run_.view(), nodes_[i], OptionsOf(i)); },
        [&](size_t done) {
          Show("checking",
               kPlacing + (kChecking - kPlacing) * static_cast<double>(done) / static_cast<double>(nodes_.size()));
        });

    // In the order of the nodes, not of completion: two runs give equal reports.
    for (size_t i = 0; i < nodes_.size(); ++i) {
      for (const auto& finding : findings[i]) {
        report_.worst_ratio = std::max(report_.worst_ratio, finding.ratio);
        if (finding.promise == Promise::kBroken) report_.violations.push_back({finding, nodes_[i]});
        if (finding.promise == Promise::kUndecided) report_.undecided.push_back({finding, nodes_[i]});
      }
    }
  }

  void CheckPrefix() {
    for (size_t begin = 0; begin < nodes_.size(); begin += kWave) {
      std::vector<std::optional<size_t>> found(std::min(kWave, nodes_.size() - begin));
      ParallelFor(found.size(), plan_.jobs, [&](size_t i) {
        found[i] = FirstBrokenStep(run_, nodes_[begin + i], report_.clean_prefix, OptionsOf(begin + i));
      });
      for (const auto& step : found) {
        if (!step || *step >= report_.clean_prefix) continue;
        report_.first_violation = step;
        report_.clean_prefix = *step;
      }
      Show("prefix", kChecking + (1 - kChecking) * static_cast<double>(begin) / static_cast<double>(nodes_.size()));
    }
  }

  const PlacementInstance& instance_;
  const SimulatePlan& plan_;
  const SimulateProgress& progress_;
  PlacementRun run_;
  std::vector<NodeId> nodes_;
  SimulateReport report_;
};

} // namespace

SimulateReport SimulateInstance(const PlacementInstance& instance, const SimulatePlan& plan,
                                const SimulateProgress& progress) {
  return Simulation(instance, plan, progress).Play();
}

} // namespace avocet
