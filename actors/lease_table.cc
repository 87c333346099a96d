#include "actors/lease_table.h"

#include <algorithm>

namespace avocet {

bool LeaseTable::Open(const NodeId& node, const SessionId& session, MonotonicTime now) {
  if (IsReplaced(node, session)) return false;
  sessions_[node] = {session, now};
  return true;
}

bool LeaseTable::IsCurrent(const NodeId& node, const SessionId& session) const {
  const auto it = sessions_.find(node);
  return it != sessions_.end() && it->second.id == session;
}

bool LeaseTable::IsReplaced(const NodeId& node, const SessionId& session) const {
  const auto it = sessions_.find(node);
  return it != sessions_.end() && it->second.id.number > session.number;
}

bool LeaseTable::Renew(const NodeId& node, const SessionId& session, MonotonicTime now) {
  if (!IsCurrent(node, session)) return false;
  sessions_[node].heard = now;
  return true;
}

std::vector<NodeId> LeaseTable::TakeExpired(MonotonicTime now) {
  const bool stood_still = asked_ != MonotonicTime{} && now - asked_ > lease_;
  asked_ = now;
  std::vector<NodeId> expired;
  for (auto& [node, session] : sessions_) {
    if (stood_still) session.heard = std::max(session.heard, now);
    if (now - session.heard > lease_) expired.push_back(node);
  }
  for (const auto& node : expired)
    sessions_.erase(node);
  return expired;
}

} // namespace avocet
