#include "cli/offline/objective_check.h"

#include <algorithm>
#include <numeric>

namespace avocet {
namespace {

/// Each look at a run plays twice as long as the one before.
constexpr double kGrowth = 2;
/// Any odd number that spreads seeds.
constexpr uint64_t kSeedStep = 0x9e3779b97f4a7c15;

Promise Judge(const Interval& ratio, double tolerated) {
  if (ratio.low > tolerated) return Promise::kBroken;
  return ratio.high && *ratio.high <= tolerated ? Promise::kKept : Promise::kUndecided;
}

double StatisticOf(std::span<const double> responses, Statistic statistic) {
  if (statistic == Statistic::kMean)
    return std::accumulate(responses.begin(), responses.end(), 0.0) / static_cast<double>(responses.size());
  std::vector<double> sorted(responses.begin(), responses.end());
  std::sort(sorted.begin(), sorted.end());
  return SortedQuantile(sorted, ProbabilityOf(statistic));
}

/// One run of a node, looked at again and again until all the applications asked about are decided.
class Run {
public:
  Run(const NodeLoad& load, const std::vector<Application>& apps, const ObjectiveCheckOptions& options, uint64_t seed)
      : simulation_(load, seed, options.warm_up_s), apps_(apps), options_(options) {}

  std::vector<ObjectiveFinding> Decide(double first_s, const std::vector<size_t>& asked) {
    std::vector<ObjectiveFinding> findings;
    for (double until = first_s;; until = std::min(until * kGrowth, options_.most_s)) {
      simulation_.Run(options_.warm_up_s + until);
      findings.clear();
      for (const size_t i : asked)
        findings.push_back(FindingOf(i, until));
      const bool decided = std::none_of(findings.begin(), findings.end(),
                                        [](const auto& f) { return f.promise == Promise::kUndecided; });
      if (decided || until >= options_.most_s) return findings;
    }
  }

private:
  ObjectiveFinding FindingOf(size_t i, double simulated_s) const {
    const Application& app = apps_[i];
    ObjectiveFinding finding{.app = app.name, .simulated_s = simulated_s};
    const auto responses = simulation_.Responses(i);
    // So few responses say nothing about a tail; the finding stays undecided.
    if (responses.size() < kLeastRequests) return finding;

    const auto ratio_of = [&](double s) {
      // The network's share counts against the objective, because the client waits for both.
      return (s + ToSeconds(app.network_allowance)) / ToSeconds(app.objective.latency);
    };
    const auto interval = ConfidenceInterval(app.objective.statistic, responses);
    finding.ratio = ratio_of(StatisticOf(responses, app.objective.statistic));
    // Batches can give a negative bound, which no latency has.
    finding.interval.low = ratio_of(std::max(interval->low, 0.0));

    if (interval->high) finding.interval.high = ratio_of(*interval->high);
    finding.promise = Judge(finding.interval, options_.tolerated_ratio);
    return finding;
  }

  NodeSimulation simulation_;
  const std::vector<Application>& apps_;
  const ObjectiveCheckOptions& options_;
};

} // namespace

std::string_view ToString(Promise promise) {
  switch (promise) {
  case Promise::kKept:
    return "kept";
  case Promise::kBroken:
    return "broken";
  case Promise::kUndecided:
    return "undecided";
  }
  return "unknown";
}

std::vector<ObjectiveFinding> CheckObjectives(const NodeLoad& load, const std::vector<Application>& objectives,
                                              const ObjectiveCheckOptions& options) {
  if (objectives.empty()) return {};
  std::vector<size_t> all(objectives.size()), flagged;
  for (size_t i = 0; i < all.size(); ++i)
    all[i] = i;
  auto findings = Run(load, objectives, options, options.seed).Decide(options.first_s, all);
  for (const size_t i : all) {
    if (findings[i].promise == Promise::kBroken) flagged.push_back(i);
  }
  if (flagged.empty()) return findings;
  const auto again = Run(load, objectives, options, options.seed + kSeedStep).Decide(options.confirm_s, flagged);
  for (size_t i = 0; i < flagged.size(); ++i)
    findings[flagged[i]] = again[i];
  return findings;
}

std::vector<ObjectiveFinding> CheckNode(const ClusterView& view, const NodeId& node,
                                        const ObjectiveCheckOptions& options) {
  const NodeLoad load = NodeLoadOf(view, node);
  std::vector<Application> apps;
  for (const auto& device : load.devices) {
    for (const auto& app : device.apps)
      apps.push_back(view.apps.at(app.app));
  }
  return CheckObjectives(load, apps, options);
}

std::optional<size_t> FirstBrokenStep(const PlacementRun& run, const NodeId& node, size_t steps,
                                      const ObjectiveCheckOptions& options) {
  const auto changes = run.ChangesOf(node, steps);
  const auto breaks = [&](const NodeChange& change) {
    const auto findings = CheckNode(run.NodeAfter(node, change.step + 1), node, options);
    return std::any_of(findings.begin(), findings.end(), [](const auto& f) { return f.promise == Promise::kBroken; });
  };
  for (auto begin = changes.begin(); begin != changes.end();) {
    const auto end = std::find_if(begin + 1, changes.end(), [](const NodeChange& change) { return change.shrinks; });
    if (breaks(*(end - 1)))
      return std::partition_point(begin, end - 1, [&](const NodeChange& change) { return !breaks(change); })->step;
    begin = end;
  }
  return std::nullopt;
}

} // namespace avocet
