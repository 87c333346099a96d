#pragma once

#include <optional>
#include <string>
#include <vector>

#include "controller/cluster/cluster_view.h"
#include "controller/planning/linear_program.h"
#include "messages/status.h"

namespace avocet {

/// Bounds that no placement can beat, by linear programs: applications may be divided,
/// devices of a type are one pool, there are no switches and no objectives. Kept are: the utilization of a type's
/// devices is at most their number, their memory is not exceeded, and a model that serves an application somewhere
/// is loaded there, as often as its load needs. What is already placed in the view is not looked at. Deterministic.
struct FluidProblem {
  /// One pool: devices that share profiles.
  struct Pool {
    std::string type; ///< DeviceSpec::type
    double devices = 0;
    double memory_bytes = 0; ///< usable, of one device
    double price = 0;        ///< of one device
    int most = 0;            ///< devices that may be bought, see CheapestPools
  };
  /// Equal applications, and what one of them needs of each pool.
  struct Demand {
    std::string model;
    double count = 0;
    struct Need {
      size_t pool = 0;
      double utilization = 0; ///< of one application
      double memory_bytes = 0;
      double model_bytes = 0; ///< once for each device that has the model
    };
    std::vector<Need> needs; ///< empty: it runs nowhere
  };
  std::vector<Pool> pools;
  std::vector<Demand> demands;
};

/// Devices and profiles of the view, the first `count` applications. Applications that nothing is known of anywhere
/// need nothing and get nothing.
FluidProblem FluidProblemOf(const ClusterView& view, const std::vector<Application>& apps, size_t count,
                            double memory_fraction);

/// The most applications that can be hosted, with fractions. The solver's errors are passed on.
Result<double> MostHosted(const FluidProblem& problem, const LinearSolver& solver);

/// The largest number of first applications that can be hosted all together.
Result<size_t> LongestPrefix(const ClusterView& view, const std::vector<Application>& apps, double memory_fraction,
                             const LinearSolver& solver);

/// How many devices of each pool are the cheapest that can host all demands; whole devices, fractions of
/// applications. nullopt: not even `most` of each can.
struct FluidPurchase {
  double price = 0;
  std::vector<int> devices; ///< by pool
};
Result<std::optional<FluidPurchase>> CheapestPools(const FluidProblem& problem, const LinearSolver& solver);

} // namespace avocet
