#pragma once

#include <optional>

#include "messages/units.h"

namespace avocet {

/// Time that a request spends in pre-processing.
struct PreprocessingTime {
  double mean_s = 0;
  double spread_s = 0; ///< standard deviation
};

/// How pre-processing on a node's cores adds to response times: M/G/c processor sharing. The mean is exact. The
/// spread is that of a delay that is, where there is one at all, exponential: for requests of equal work too wide.
struct Preprocessing {
  int cores = 1;
  double speed = 1; ///< of the cores, see NodeInfo
  double busy = 0;  ///< offered load, in cores of speed 1

  double share() const { return busy / (speed * cores); }
  /// Of `work_s` on cores of speed 1 under this load; nullopt where the cores cannot keep up.
  std::optional<PreprocessingTime> TimeOf(double work_s) const;
};

} // namespace avocet
