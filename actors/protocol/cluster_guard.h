#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>

#include "messages/ids.h"
#include "messages/status.h"

namespace avocet {

/// Nodes of other clusters that are remembered; further ones are refused without an event, and cannot be adopted.
inline constexpr size_t kMaxForeignNodes = 256;

/// Keeps agents of other clusters out. A cluster is a number that is drawn with the controller's data folder, told to
/// agents when they register, and kept by them. So a controller that was started on an empty folder, or on another
/// controller's, is told from the one that the agents belong to: it must neither stop nor command what they run. An
/// operator lets them in by name. Pure. Not thread-safe.
class ClusterGuard {
public:
  /// `cluster`: the controller's own; 0 lets everybody in.
  explicit ClusterGuard(uint64_t cluster) : cluster_(cluster) {}

  enum class Entry {
    kOpen = 1,
    kRefused = 2,
    kRefusedFirst = 3, ///< since this agent was let in last, or since the start: an operator should hear of it
  };
  /// A node's agent wants to register; `of`: its cluster, 0 where it has none yet.
  Entry Ask(const NodeId& node, uint64_t of);

  /// For the agent and the operator, with what to do.
  Status WhyRefused(const NodeId& node, uint64_t of) const;

  /// The node's agent is let in from now on. False: none of that name was refused.
  bool Adopt(const NodeId& node);

  uint64_t cluster() const { return cluster_; }

private:
  struct Foreign {
    uint64_t cluster = 0;
    bool adopted = false;
  };
  uint64_t cluster_;
  std::map<NodeId, Foreign> foreign_;
};

/// As people are shown it: 16 hex digits.
std::string ClusterName(uint64_t cluster);

} // namespace avocet
