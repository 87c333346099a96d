#include "actors/protocol/cluster_guard.h"

#include <array>
#include <cstdio>

namespace avocet {

ClusterGuard::Entry ClusterGuard::Ask(const NodeId& node, uint64_t of) {
  const bool ours = cluster_ == 0 || of == 0 || of == cluster_;
  if (ours) {
    foreign_.erase(node);
    return Entry::kOpen;
  }

  const auto known = foreign_.find(node);
  if (known != foreign_.end() && known->second.cluster == of)
    return known->second.adopted ? Entry::kOpen : Entry::kRefused;
  if (known == foreign_.end() && foreign_.size() >= kMaxForeignNodes) return Entry::kRefused;

  foreign_[node] = {of, false};
  return Entry::kRefusedFirst;
}

bool ClusterGuard::Adopt(const NodeId& node) {
  const auto known = foreign_.find(node);
  if (known == foreign_.end()) return false;
  known->second.adopted = true;
  return true;
}

std::string ClusterName(uint64_t cluster) {
  std::array<char, 17> text{};
  (void)std::snprintf(text.data(), text.size(), "%016llx", static_cast<unsigned long long>(cluster));
  return text.data();
}

} // namespace avocet
