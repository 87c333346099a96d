#include "actors/protocol/lease_table.h"

#include <algorithm>

namespace avocet {

Claim LeaseTable::Open(const NodeId& node, const SessionId& session, uint64_t instance, MonotonicTime now) {
  const auto it = sessions_.find(node);
  if (it != sessions_.end() && it->second.instance != instance && it->second.instance != 0 && instance != 0)
    return Claim::kTaken;
  if (IsReplaced(node, session)) return Claim::kReplaced;
  if (it == sessions_.end()) {
    sessions_[node] = {session, instance, now};
    return Claim::kOpen;
  }

  if (it->second.id.boot != session.boot && IsCopy(it->second, session.boot)) return Claim::kCopied;
  it->second.id = session;
  it->second.instance = instance;
  it->second.heard = now;
  return Claim::kOpen;
}

/// Whether a boot other than the one that spoke until now is to be refused. Notes what follows if it is not.
bool LeaseTable::IsCopy(Session& spoke, const BootId& boot) {
  auto& [id, instance, heard, replaced, copies] = spoke;
  if (std::find(copies.begin(), copies.end(), boot) != copies.end()) return true;

  // It came back after it was replaced: whoever spoke since then came later, and lives as well.
  const auto back = std::find(replaced.begin(), replaced.end(), boot);
  if (back != replaced.end()) {
    copies.insert(copies.end(), back + 1, replaced.end());
    copies.push_back(id.boot);
    replaced.erase(back, replaced.end());
  } else {
    replaced.push_back(id.boot);
  }

  for (auto* boots : {&replaced, &copies}) {
    if (boots->size() > kMaxBootsPerNode)
      boots->erase(boots->begin(), boots->end() - static_cast<ptrdiff_t>(kMaxBootsPerNode));
  }
  return false;
}

bool LeaseTable::Close(const NodeId& node, const SessionId& session) {
  return IsCurrent(node, session) && sessions_.erase(node) > 0;
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
