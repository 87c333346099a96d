#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <vector>

#include "actors/protocol/backoff.h"
#include "messages/command.h"
#include "messages/units.h"

namespace avocet {

struct CommandRefusalsOptions {
  /// Pauses before an agent that refused something registers again.
  BackoffOptions backoff{.first = std::chrono::seconds(1), .longest = std::chrono::seconds(30)};
  size_t max_apps_per_node = 1024; ///< whose refusals are told apart; those of one more are never the first
};

/// The commands that agents did not take: their disk is full, their sync was late, they know a later command. Such a
/// command is as good as lost, so its agent is made to register again after a pause, which grows while it goes on
/// refusing: a registration finds every difference (Reconcile). The rules, without actors or clock. Not thread-safe.
class CommandRefusals {
public:
  explicit CommandRefusals(const CommandRefusalsOptions& options = {}) : options_(options) {}

  struct Refusal {
    bool first = false;            ///< of this application on this node since its last command was taken: to be told
    std::optional<Duration> pause; ///< ask TakeDue after this time; absent: somebody is to do so already
  };
  /// The agent of the node did not take the command.
  Refusal Refused(const NodeId& node, const Command& command, MonotonicTime now);

  /// As after a refusal, of no command: the agent is to register again. How long until somebody is to ask TakeDue;
  /// absent as in Refusal.
  std::optional<Duration> RegisterLater(const NodeId& node, MonotonicTime now);

  /// The agent took the command. True when it had refused one of the application before.
  bool Taken(const NodeId& node, const Command& command);

  /// The agent registers: what was refused before is among `commands`, or is not wanted any more.
  void Registered(const NodeId& node, std::span<const Command> commands);

  /// The node is away: when it returns it registers anyway.
  void Away(const NodeId& node) { nodes_.erase(node); }

  /// The nodes whose agents are to register again by now. Each is named once.
  std::vector<NodeId> TakeDue(MonotonicTime now);

private:
  struct Node {
    Backoff backoff;
    std::set<AppId> apps; ///< with a command that was refused and none that was taken since
    std::optional<MonotonicTime> due = {};
  };

  Node& Of(const NodeId& node);
  void ForgetIfIdle(std::map<NodeId, Node>::iterator node);

  CommandRefusalsOptions options_;
  std::map<NodeId, Node> nodes_;
};

} // namespace avocet
