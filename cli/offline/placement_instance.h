#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "controller/cluster/cluster_view.h"
#include "controller/placement/decide.h"
#include "messages/status.h"

namespace avocet {

inline constexpr size_t kMaxInstanceBytes = size_t{64} << 20;
inline constexpr size_t kMaxInstanceNodes = 10000;
inline constexpr size_t kMaxInstanceApps = 1000000;

/// A placement problem: an empty cluster of emulated devices, and the applications that will ask for a place.
struct PlacementInstance {
  std::string name;
  ClusterView view;
  std::vector<Application> apps; ///< in the order in which they ask
  double memory_fraction = 1;    ///< usable share of the devices' memory
};

/// The file of `avocet simulate`, JSON; tests/data/placement/README.md describes it. Every node has one device: "gpu"
/// nodes a time_shared one, "tpu" nodes a fifo edgeTPU. Application number 7 is named "app0007"; its objective is
/// `statistic` of the response time, network included. kInvalidArgument with "file: field 'apps[7].rate': what is
/// wrong; what would be right" for the first problem. Unknown keys (seeds, remarks) are ignored.
Result<PlacementInstance> ParsePlacementInstance(std::string_view text, const std::string& filename,
                                                 Statistic statistic);

} // namespace avocet
