#pragma once

#include <map>
#include <utility>
#include <vector>

#include "messages/placement.h"

namespace avocet {

/// Copies that agents run of applications that the controller has no record of: neither placed nor removed. They are
/// left running until an operator applies the application (which takes them over) or removes it. Lost with the process:
/// agents report them again. Pure. Not thread-safe.
class Orphans {
public:
  /// All that the agent of a node runs of this kind, as it registers; those that were not known yet.
  std::vector<Placement> Registered(const NodeId& node, const std::vector<Placement>& copies);
  /// One that an agent reports. True: it was not known yet.
  bool Note(const Placement& copy);

  /// The copies of an application, which are orphans no longer.
  std::vector<Placement> Take(const AppId& app);
  /// Those of an application; those on a node.
  std::vector<Placement> Of(const AppId& app) const;
  std::vector<Placement> On(const NodeId& node) const;

private:
  std::map<std::pair<AppId, DeviceId>, Placement> copies_;
};

} // namespace avocet
