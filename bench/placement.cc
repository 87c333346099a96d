// Policies on placement instances: clean prefix, applications hosted, violations found by simulation, decision times;
// beside them the fluid bound and the offline heuristic. One line of the results file per cell (instance, statistic,
// policy, moves); cells that are there already are skipped, so it can be stopped and run in parts. See
// bench/placement_report for the tables.
//   placement --data tests/data/placement --results build/placement.csv --sizes 4,10 --seeds 201,202
//             --statistics mean,p95 --policies fragmentation,memory_worst,fluid,offline --moves 0,3
// Moves are for our own policies; baselines make none.
#include <cstdio>
#include <cstring>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "cli/offline/cbc_solver.h"
#include "cli/offline/simulate.h"
#include "cli/process/parallel.h"
#include "controller/planning/fluid_bound.h"
#include "controller/planning/offline_packing.h"

namespace avocet {
namespace {

using Arguments = std::map<std::string, std::string>;

std::vector<std::string> Split(const std::string& text) {
  std::vector<std::string> parts;
  std::stringstream stream(text);
  for (std::string part; std::getline(stream, part, ',');)
    parts.push_back(part);
  return parts;
}

/// What identifies a line of the results file.
struct Cell {
  std::string size, seed, statistic, policy, moves;
  std::string Key() const { return size + "," + seed + "," + statistic + "," + policy + "," + moves; }
};

std::string ReadText(const std::string& path) {
  std::stringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

/// A number, or nothing.
std::string Text(const std::optional<size_t>& value) {
  return value ? std::to_string(*value) : "";
}

class Benchmark {
public:
  explicit Benchmark(Arguments arguments) : arguments_(std::move(arguments)) {
    std::ifstream in(arguments_["results"]);
    for (std::string line; std::getline(in, line);) {
      size_t end = 0;
      for (int commas = 0; commas < 5 && end < line.size(); ++end)
        commas += line[end] == ',' ? 1 : 0;
      done_.insert(line.substr(0, end - 1));
    }
    out_.open(arguments_["results"], std::ios::app);
    if (done_.empty())
      out_ << "n,seed,statistic,policy,moves_allowed,clean_prefix,first_rejection,first_violation,hosted,within,"
              "violations,undecided,moves,worst_ratio,decision_p50_us,decision_p99_us,wall_s\n";
  }

  int Run() {
    for (const auto& size : Split(arguments_["sizes"])) {
      for (const auto& seed : Split(arguments_["seeds"])) {
        for (const auto& statistic : Split(arguments_["statistics"])) {
          for (const auto& policy : Split(arguments_["policies"])) {
            if (!RunPolicy({size, seed, statistic, policy, "0"})) return 1;
          }
        }
      }
    }
    return 0;
  }

private:
  bool RunPolicy(Cell cell) {
    const auto policy = ParsePlacementPolicy(cell.policy);
    const bool ours = policy && *policy <= PlacementPolicy::kFirstFit;
    for (const auto& moves : ours ? Split(arguments_["moves"]) : std::vector<std::string>{"0"}) {
      cell.moves = moves;
      if (done_.contains(cell.Key())) continue;
      const std::string path = arguments_["data"] + "/p_n" + cell.size + "_s" + cell.seed + ".json";
      std::ifstream exists(path);
      if (!exists) return true; // not every size has every seed
      const auto statistic = ParseStatistic(cell.statistic);
      if (!statistic) return Complain("no statistic " + cell.statistic);
      const auto instance = ParsePlacementInstance(ReadText(path), path, *statistic);
      if (!instance.ok()) return Complain(instance.status().message());
      const auto line = policy ? Simulated(*instance, *policy, std::stoi(moves)) : Bound(*instance, cell);
      if (!line) return Complain("no policy " + cell.policy);
      out_ << cell.Key() << ',' << *line << std::endl;
      std::printf("%s %s\n", cell.Key().c_str(), line->c_str());
    }
    return true;
  }

  static bool Complain(const std::string& what) {
    std::fprintf(stderr, "placement: %s\n", what.c_str());
    return false;
  }

  Policy PolicyFor(const PlacementInstance& instance, PlacementPolicy placement, int moves) const {
    Policy policy;
    policy.memory_fraction = instance.memory_fraction;
    policy.placement = placement;
    policy.max_moves = moves;
    return policy;
  }

  std::optional<std::string> Simulated(const PlacementInstance& instance, PlacementPolicy placement, int moves) {
    const SimulatePlan plan{.policy = PolicyFor(instance, placement, moves),
                            .check = {.seed = std::stoull(arguments_["seed"])},
                            .jobs = std::stoi(arguments_["jobs"])};
    const auto r = SimulateInstance(instance, plan);
    std::ostringstream line;
    line << r.clean_prefix << ',' << Text(r.first_rejection) << ',' << Text(r.first_violation) << ',' << r.hosted << ','
         << r.hosted - r.violations.size() << ',' << r.violations.size() << ',' << r.undecided.size() << ',' << r.moves
         << ',' << r.worst_ratio << ',' << r.timing.decision_p50_us << ',' << r.timing.decision_p99_us << ','
         << r.timing.wall_s;
    return line.str();
  }

  /// `fluid`: prefix and, as hosted, the total. `offline`: the prefix, at least --offline_from, which is taken to fit.
  std::optional<std::string> Bound(const PlacementInstance& instance, const Cell& cell) const {
    const double fraction = instance.memory_fraction;
    if (cell.policy == "fluid") {
      const auto solver = LoadCbc();
      if (!solver.ok()) return std::nullopt;
      const auto prefix = LongestPrefix(instance.view, instance.apps, fraction, *solver);
      const auto total =
          MostHosted(FluidProblemOf(instance.view, instance.apps, instance.apps.size(), fraction), *solver);
      if (!prefix.ok() || !total.ok()) return std::nullopt;
      std::ostringstream line;
      line << *prefix << ",,," << *total << ",,,,,,,,";
      return line.str();
    }
    if (cell.policy != "offline") return std::nullopt;
    const auto policy = PolicyFor(instance, PlacementPolicy::kHeadroom, 1);
    const auto least = static_cast<size_t>(std::stoul(arguments_.at("offline_from")));
    return std::to_string(LargestOfflinePrefix(instance.view, instance.apps, policy, {}, least)) + ",,,,,,,,,,,";
  }

  Arguments arguments_;
  std::set<std::string> done_;
  std::ofstream out_;
};

} // namespace
} // namespace avocet

int main(int argc, char** argv) {
  avocet::Arguments arguments{{"data", "tests/data/placement"},
                              {"results", "build/placement.csv"},
                              {"sizes", "4,10,20"},
                              {"seeds", "201,202,203,204,205,206"},
                              {"statistics", "mean,p95"},
                              {"policies", "fragmentation,headroom,first_fit,paper_bfs,paper_dfs,memory_first,"
                                           "memory_best,memory_worst,utilization_first,utilization_best,"
                                           "utilization_worst,fluid"},
                              {"moves", "0,3"},
                              {"seed", "1"},
                              {"offline_from", "0"},
                              {"jobs", std::to_string(avocet::AvailableJobs())}};
  for (int i = 1; i < argc; i += 2) {
    if (std::strncmp(argv[i], "--", 2) != 0 || !arguments.contains(argv[i] + 2) || i + 1 == argc) {
      std::fprintf(stderr, "placement: %s is no option, or has no value\n", argv[i]);
      return 64;
    }
    arguments[argv[i] + 2] = argv[i + 1];
  }
  return avocet::Benchmark(arguments).Run();
}
