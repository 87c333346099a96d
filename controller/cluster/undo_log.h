#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "controller/cluster/cluster_changes.h"

namespace avocet {

/// Changes of a view that are not on disk yet, so that one whose write fails can be undone although later changes of
/// the same application were made on top of it. Writes end in the order in which they began; ended by one call each.
/// Pure. Not thread-safe.
class UndoLog {
public:
  /// A change begins; `before`: the application as it was. The ticket is for one of the calls below.
  uint64_t Begin(AppSnapshot before);

  /// The change is on disk.
  void Durable(uint64_t ticket);

  /// The change is not on disk: what the application must be rolled back to now. Nothing while later changes of it
  /// stand: if those fail, too, they roll back beyond this one.
  std::optional<AppSnapshot> Failed(uint64_t ticket);

  /// Whether changes of the application are under way to the disk.
  bool IsPending(const AppId& app) const { return changes_.contains(app); }

private:
  struct Change {
    uint64_t ticket = 0;
    AppSnapshot before;
  };
  std::map<AppId, std::vector<Change>> changes_; ///< oldest first; never empty inside
  uint64_t last_ticket_ = 0;
};

} // namespace avocet
