#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "controller/cluster/cluster_changes.h"

namespace avocet {

/// Names a change that is under way to the disk.
struct UndoTicket {
  AppId app;
  uint64_t number = 0;
};

/// Changes of a view that are not on disk yet, so that one whose write fails can be undone although later changes of
/// the same application were made on top of it. Each change ends by one call of Durable or Failed, which require that
/// it has begun and not ended. Pure. Not thread-safe.
class UndoLog {
public:
  /// A change begins; `before`: the application as it was.
  UndoTicket Begin(AppSnapshot before);

  /// The change is on disk. The application as it was before, with what was noted since.
  AppSnapshot Durable(const UndoTicket& ticket);

  /// The change is not on disk: what the application must be rolled back to now. Nothing while later changes of it
  /// stand: if those fail, too, they roll back beyond this one.
  std::optional<AppSnapshot> Failed(const UndoTicket& ticket);

  /// Takes over what an agent reports of a copy that a change under way replaces: it would be current again if the
  /// disk refused the change. False: no such change is under way.
  bool Note(const Placement& report);

  /// The applications that changes under way to the disk are about, each as it is on disk, in order of name.
  std::vector<AppSnapshot> OnDisk() const;

  /// Whether changes of the application are under way to the disk.
  bool IsPending(const AppId& app) const { return changes_.contains(app); }

private:
  struct Change {
    uint64_t number = 0;
    AppSnapshot before;
  };
  using Changes = std::vector<Change>; ///< oldest first
  Changes::iterator Find(const UndoTicket& ticket);
  AppSnapshot Take(const UndoTicket& ticket, Changes::iterator change);

  std::map<AppId, Changes> changes_; ///< never empty inside
  uint64_t last_number_ = 0;
};

} // namespace avocet
