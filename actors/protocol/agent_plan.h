#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "actors/protocol/backoff.h"
#include "messages/command.h"
#include "messages/placement.h"
#include "messages/units.h"
#include "node_agent/epoch_gate.h"
#include "storage/store.h"

namespace avocet {

struct AgentPlanOptions {
  /// Of a start whose model file could not be fetched, or of a stop whose copy did not drain.
  BackoffOptions backoff{.first = std::chrono::seconds(1), .longest = std::chrono::seconds(30)};
  int max_attempts = 20; ///< attempts of one start or stop before it has failed for good
};

/// What an agent was commanded to run, how far that is, and what is to be done next: the rules, without actors, disk or
/// clock. Commands may come late, twice and out of order, and their outcomes in any order; the latest start of each
/// application wins. Reported as ready is only what was published.
///
/// A command goes through three steps: Take says what must be on disk, Commit (when it is) what to carry out, and
/// Started or Failed what came of it. Commands are committed in the order in which they were taken. One whose write
/// failed goes to Refused instead, and leaves nothing behind but that older ones stay past. Not thread-safe.
class AgentPlan {
public:
  /// `plan` and `highest_epoch`: as the last life left them on disk.
  AgentPlan(const AgentPlanOptions& options, const std::vector<Placement>& plan, uint64_t highest_epoch);

  /// What runs again after a restart; nothing is reported before it serves. Once, before anything else.
  std::vector<Command> Resume() const;

  /// What must be on disk before the command is acknowledged. kCancelled: a start that a later command overtook.
  /// Requires a valid command for a device of this node.
  Result<WriteBatch> Take(const Command& command);

  /// What to do now that the command is on disk.
  struct Step {
    std::optional<Command> execute;
    std::optional<Placement> report;
  };
  Step Commit(const Command& command);
  /// The disk refused the command: its records are as they were.
  void Refused(const Command& command);

  /// A start ended well: its copy was published. The report; none when it was overtaken meanwhile.
  std::vector<Placement> Started(const Command& start);
  /// A start did not end well. kUnavailable may pass by itself: it is tried again, a bounded number of times. The
  /// report, and when it failed for good a second one of the earlier copy that still serves, if there is one.
  std::vector<Placement> Failed(const Command& start, const Status& why, MonotonicTime now);

  /// A stop did not end well: it is tried again, a bounded number of times, unless a later start wants its device.
  void StopFailed(const Command& stop, MonotonicTime now);

  /// The commands that are to be tried again by now.
  std::vector<Command> Retries(MonotonicTime now);

  /// All copies that run, or were commanded to, for a registration: of each application the latest start and, as long
  /// as that does not serve, the copy that still does.
  std::vector<Placement> Running() const;
  /// Largest epoch of all commands ever taken.
  uint64_t highest_epoch() const { return highest_epoch_; }

private:
  /// A command that failed for a reason that passes by itself.
  struct Retry {
    Command command;
    Backoff backoff;
    int attempts = 0; ///< attempts that failed
    bool under_way = false;
    MonotonicTime next; ///< when it is due, unless `under_way`
  };

  Placement* Latest(const Command& start);
  bool PlanRetry(const Command& command, MonotonicTime now);
  void ForgetRetriesOf(const AppId& app);
  void CommitStop(const Command& stop);

  AgentPlanOptions options_;
  EpochGate gate_;
  std::map<AppId, Placement> taken_;                    ///< what the records say once all that was taken is written
  std::map<AppId, Placement> recorded_;                 ///< what the records say for certain
  std::map<AppId, Placement> latest_;                   ///< the latest start that was committed and not stopped
  std::map<AppId, Placement> serving_;                  ///< what was published last and not stopped
  std::map<std::pair<AppId, DeviceId>, Retry> retries_; ///< of the last command of an application for a device
  uint64_t highest_epoch_;
};

/// The copy that a start makes, still to be loaded.
Placement CopyOf(const Command& start);

} // namespace avocet
