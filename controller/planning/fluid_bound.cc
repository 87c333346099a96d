#include "controller/planning/fluid_bound.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <tuple>

#include "controller/placement/decide.h"

namespace avocet {
namespace {

constexpr double kInfinite = LinearProgram::kInfinite;
constexpr double kRounding = 1e-6;
/// Bytes would make coefficients of 1e9 beside some of 1e-3.
constexpr double kMemoryUnit = double{1 << 30};

/// The program of both questions. Columns: devices of each pool, then copies of models and shares of demands.
class FluidProgram {
public:
  enum class Goal { kMostHosted, kCheapest };

  FluidProgram(const FluidProblem& problem, Goal goal) : goal_(goal) {
    for (const auto& pool : problem.pools)
      AddPool(pool);
    for (const auto& demand : problem.demands)
      AddDemand(demand);
  }

  const LinearProgram& program() const { return program_; }

private:
  struct PoolRows {
    int devices = 0; ///< column
    int utilization = 0;
    int memory = 0;
  };
  struct Copies {
    int column = 0;
    int load = 0; ///< row: the model's utilization is at most its copies
  };

  void AddPool(const FluidProblem::Pool& pool) {
    const bool buys = goal_ == Goal::kCheapest;
    PoolRows rows;
    rows.devices = buys ? program_.AddColumn({0, static_cast<double>(pool.most)}, pool.price, true)
                        : program_.AddColumn({pool.devices, pool.devices}, 0);
    rows.utilization = program_.AddRow({-kInfinite, 0});
    rows.memory = program_.AddRow({-kInfinite, 0});
    program_.Set(rows.utilization, rows.devices, -1);
    program_.Set(rows.memory, rows.devices, -pool.memory_bytes / kMemoryUnit);
    pools_.push_back(rows);
  }

  Copies& CopiesOf(const std::string& model, const FluidProblem::Demand::Need& need) {
    const auto [it, is_new] = copies_.try_emplace({model, need.pool});
    if (!is_new) return it->second;
    const PoolRows& pool = pools_[need.pool];
    it->second = {program_.AddColumn({}, 0), program_.AddRow({-kInfinite, 0})};
    program_.Set(pool.memory, it->second.column, need.model_bytes / kMemoryUnit);
    program_.Set(it->second.load, it->second.column, -1);
    const int at_most_all = program_.AddRow({-kInfinite, 0});
    program_.Set(at_most_all, it->second.column, 1);
    program_.Set(at_most_all, pool.devices, -1);
    return it->second;
  }

  void AddDemand(const FluidProblem::Demand& demand) {
    // The cheapest purchase must host all; the largest number hosts as many as it can.
    const bool all = goal_ == Goal::kCheapest;
    const int hosted = program_.AddRow({all ? demand.count : 0, demand.count});

    // One column for each kind of device: in the fluid an application may be spread over several.
    for (const auto& need : demand.needs) {
      const PoolRows& pool = pools_[need.pool];
      const Copies copies = CopiesOf(demand.model, need);

      const int share = program_.AddColumn({0, demand.count}, all ? 0 : -1);

      program_.Set(hosted, share, 1);
      program_.Set(pool.utilization, share, need.utilization);
      program_.Set(pool.memory, share, need.memory_bytes / kMemoryUnit);
      program_.Set(copies.load, share, need.utilization);
      const int loaded = program_.AddRow({-kInfinite, 0}); // an application needs a whole copy: share / count <= copies
      program_.Set(loaded, share, 1 / demand.count);
      program_.Set(loaded, copies.column, -1);
    }
  }

  Goal goal_;
  LinearProgram program_;
  std::vector<PoolRows> pools_;
  std::map<std::pair<std::string, size_t>, Copies> copies_;
};

FluidProblem::Demand::Need NeedOf(const Application& app, const Profile& profile, size_t pool) {
  return {.pool = pool,
          .utilization = app.rate_rps * ToSeconds(profile.service_mean),
          .memory_bytes = static_cast<double>(profile.memory_per_app_bytes),
          .model_bytes = static_cast<double>(profile.memory_bytes)};
}

bool Allows(const Application& app, DeviceKind kind) {
  return app.device_kinds.empty() ||
         std::find(app.device_kinds.begin(), app.device_kinds.end(), kind) != app.device_kinds.end();
}

} // namespace

FluidProblem FluidProblemOf(const ClusterView& view, const std::vector<Application>& apps, size_t count,
                            double memory_fraction) {
  FluidProblem problem;
  std::map<std::string, size_t> pool_of;
  std::vector<const DeviceSpec*> specs;
  for (const auto& [id, device] : view.devices) {
    const auto [it, is_new] = pool_of.emplace(device.spec.type, problem.pools.size());
    if (is_new) problem.pools.push_back({.type = device.spec.type});
    if (is_new) specs.push_back(&device.spec);
    auto& pool = problem.pools[it->second];
    const double memory = memory_fraction * static_cast<double>(device.spec.memory_bytes);
    pool.memory_bytes = (pool.memory_bytes * pool.devices + memory) / (pool.devices + 1);
    pool.devices += 1;
  }
  std::map<std::tuple<std::string, double, std::vector<DeviceKind>>, size_t> demand_of;
  for (size_t i = 0; i < std::min(count, apps.size()); ++i) {
    const auto& app = apps[i];
    const auto [it, is_new] =
        demand_of.emplace(std::tuple(app.model, app.rate_rps, app.device_kinds), problem.demands.size());
    if (is_new) {
      auto& demand = problem.demands.emplace_back(FluidProblem::Demand{.model = app.model});
      const Model* model = view.FindModel(app.model);
      for (size_t p = 0; model != nullptr && p < specs.size(); ++p) {
        const auto* profile = view.FindProfile(model->id(), FormatOf(specs[p]->engine), specs[p]->type);
        if (profile != nullptr && Allows(app, specs[p]->kind)) demand.needs.push_back(NeedOf(app, *profile, p));
      }
    }
    problem.demands[it->second].count += 1;
  }
  return problem;
}

Result<double> MostHosted(const FluidProblem& problem, const LinearSolver& solver) {
  const auto solution = solver(FluidProgram(problem, FluidProgram::Goal::kMostHosted).program());
  if (!solution.ok()) return solution.status();
  return *solution ? -(*solution)->objective : 0;
}

Result<size_t> LongestPrefix(const ClusterView& view, const std::vector<Application>& apps, double memory_fraction,
                             const LinearSolver& solver) {
  size_t fits = 0, fails = apps.size() + 1;
  while (fails - fits > 1) {
    const size_t middle = fits + (fails - fits) / 2;
    AVOCET_ASSIGN_OR_RETURN(const auto hosted, MostHosted(FluidProblemOf(view, apps, middle, memory_fraction), solver));
    (hosted >= static_cast<double>(middle) - kRounding ? fits : fails) = middle;
  }
  return fits;
}

Result<std::optional<FluidPurchase>> CheapestPools(const FluidProblem& problem, const LinearSolver& solver) {
  AVOCET_ASSIGN_OR_RETURN(const auto solution, solver(FluidProgram(problem, FluidProgram::Goal::kCheapest).program()));
  if (!solution) return std::optional<FluidPurchase>();
  FluidPurchase purchase{.price = solution->objective, .devices = {}};
  for (size_t i = 0; i < problem.pools.size(); ++i) // the first columns
    purchase.devices.push_back(static_cast<int>(std::lround(solution->columns[i])));
  return std::optional(std::move(purchase));
}

} // namespace avocet
