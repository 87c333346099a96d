#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "controller/cluster/removals.h"
#include "messages/command.h"
#include "messages/placement.h"

namespace avocet {

/// Copies of one application that are kept until its current one serves; the oldest one more is stopped at once.
inline constexpr size_t kMaxCopiesPerApp = 8;

/// What becomes of a copy that an agent reports and that is not the current one of its application.
enum class CopyFate {
  kIgnore = 1, ///< the start of the current copy, on the same device, replaces it
  kKeep = 2,   ///< it serves, or may, until the current copy does
  kStop = 3,
  kLeave = 4, ///< nobody knows it, so nobody stops it (Orphans)
};

/// `current`: the application's placement; null where it has none. The one rule for reports and registrations.
CopyFate FateOf(const Placement& copy, const Placement* current, const Removals& removals);

/// Placements that are on their way: make before break. Of each application the copies that its current placement
/// replaced, which go on serving until the current one does; and the applications that wait until others have made
/// room. Pure: what is to be commanded is the answer. Lost with the process: Reconcile finds the copies again.
/// Not thread-safe.
class PendingMoves {
public:
  using Commands = std::vector<Command>;

  /// `now` takes the place of `before` (absent: of nothing) and is to be started. A copy on the device of `now` is
  /// replaced by its start; every other copy is kept for later. The answer: stops of what is too much.
  Commands Replace(const std::optional<Placement>& before, const Placement& now);

  /// Keeps a copy that an agent reports although it is not placed there.
  Commands Keep(const Placement& copy);

  /// `placement` is to be started when all of `movers` have arrived; not sooner. Requires that `movers` is not empty.
  void Wait(const Placement& placement, std::set<AppId> movers);
  /// The application that waits was given another epoch; nothing when it does not wait.
  void Renew(const Placement& placement);
  /// Whether the application waits for room, so that it must not be started yet.
  bool IsWaiting(const AppId& app) const { return waiting_.contains(app); }

  /// The current copy of the application serves: stops of its other copies, starts of who waited for it only.
  Commands Arrived(const AppId& app);

  /// The application is not placed any more: stops of all its kept copies, starts of who waited for it only.
  Commands Removed(const AppId& app);

  /// The current copy failed: the copy to roll back to, which is kept no longer. One that serves, else the latest one;
  /// absent where there is none.
  std::optional<Placement> TakeFallback(const AppId& app);

  /// Nobody will make room by moving this application: the placements that waited for it, and wait no longer.
  std::vector<Placement> GiveUp(const AppId& mover);

  /// Takes over what an agent reports of a copy on a device where one is kept. Of several there, one that serves is
  /// kept, else the latest; the stop will end them all. False: none is kept there.
  bool Note(const Placement& report);

  /// Whether a copy is kept that serves.
  bool HasServingCopy(const AppId& app) const;

private:
  struct Waiting {
    Placement placement;
    std::set<AppId> movers;
  };

  /// What a device has of an application.
  struct Kept {
    Placement copy;
    uint64_t last_epoch = 0; ///< of all copies that were heard of there
  };
  using Copies = std::map<DeviceId, Kept>;

  static bool IsBetter(const Copies::value_type& a, const Copies::value_type& b);
  static Command Stop(const Kept& kept);
  static void Merge(Kept& kept, const Placement& copy);
  Commands StopCopies(const AppId& app);
  Commands StartWaitersFor(const AppId& mover);

  std::map<AppId, Copies> copies_; ///< never empty inside
  std::map<AppId, Waiting> waiting_;
};

} // namespace avocet
