#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <vector>

#include "messages/ids.h"
#include "messages/units.h"

namespace avocet {

/// Names one session of one node: the boot of the agent, and a number that is greater for every later
/// session with the same controller process (0 for an agent inside this process).
struct SessionId {
  BootId boot;
  uint64_t number = 0;
  friend bool operator==(const SessionId&, const SessionId&) = default;
};

/// What became of a session's wish to speak for a node.
enum class Claim {
  kOpen = 1,     ///< it speaks for the node from now on
  kReplaced = 2, ///< a later session of the agent already does
  kTaken = 3,    ///< another agent of that name does, and is alive
  kCopied = 4,   ///< an agent with the same data folder does, and is alive: one is a copy of the other
};

/// Boots that are remembered of one node, of each kind; the oldest is forgotten first.
inline constexpr size_t kMaxBootsPerNode = 8;

/// Which session speaks for a node, and which nodes were heard of lately. A later session of an agent replaces an
/// earlier one; what the earlier one still says is refused. An agent of another instance waits until the lease is
/// over. A data folder may have been copied: a process that was replaced by another one is dead, so when it is heard
/// again both live, and the one that came later waits like a stranger. Driven by calls, knows no clock. Not
/// thread-safe.
class LeaseTable {
public:
  explicit LeaseTable(Duration lease) : lease_(lease) {}

  /// `instance` tells agents of the same name apart; 0: unknown, any other may be the same.
  Claim Open(const NodeId& node, const SessionId& session, uint64_t instance, MonotonicTime now);
  /// The session's agent stopped; false unless the session speaks for the node.
  bool Close(const NodeId& node, const SessionId& session);
  /// Whether the session speaks for the node.
  bool IsCurrent(const NodeId& node, const SessionId& session) const;
  /// Whether a session later than this one speaks for the node: this one is to end.
  bool IsReplaced(const NodeId& node, const SessionId& session) const;
  /// The node is alive; false unless the session speaks for it.
  bool Renew(const NodeId& node, const SessionId& session, MonotonicTime now);
  /// Ends the sessions that were silent for longer than the lease and returns their nodes. When nobody
  /// asked for longer than a lease, this process stood still, not the others: everyone gets a new lease.
  std::vector<NodeId> TakeExpired(MonotonicTime now);

  size_t size() const { return sessions_.size(); }

private:
  struct Session {
    SessionId id;
    uint64_t instance = 0;
    MonotonicTime heard;
    std::vector<BootId> replaced = {}; ///< boots of this instance that spoke before, oldest first
    std::vector<BootId> copies = {};   ///< boots of this instance that came later, and are refused
  };
  static bool IsCopy(Session& spoke, const BootId& boot);
  Duration lease_;
  MonotonicTime asked_{};
  std::map<NodeId, Session> sessions_;
};

} // namespace avocet
