#pragma once

#include <cstddef>
#include <map>
#include <set>

#include "messages/ids.h"

namespace avocet {

/// Model files that each node was told to run, or asked to profile, since the controller started. An agent needs no
/// other, and a stolen certificate gets no other. Not thread-safe.
class FetchGrants {
public:
  /// Files of one node; the node begins anew beyond that, with what it is told next.
  static constexpr size_t kMaxFiles = 16384;

  void Grant(const NodeId& node, const Sha256& file) {
    auto& files = files_[node];
    if (files.size() >= kMaxFiles) files.clear();
    files.insert(file);
  }
  bool Has(const NodeId& node, const Sha256& file) const {
    const auto found = files_.find(node);
    return found != files_.end() && found->second.contains(file);
  }
  /// The node left the cluster.
  void Forget(const NodeId& node) { files_.erase(node); }

private:
  std::map<NodeId, std::set<Sha256>> files_;
};

} // namespace avocet
