#include "actors/protocol/cluster_guard.h"

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

Status ClusterGuard::WhyRefused(const NodeId& node, uint64_t of) const {
  return Denied("the agent of node '" + node.str() + "' belongs to cluster " + ClusterName(of) +
                ", this controller is " + ClusterName(cluster_) +
                ": what it runs is left alone. Start the controller on the data_dir that it had; " +
                "or, if this one is right, `avocet node adopt " + node.str() + "`");
}

std::string ClusterName(uint64_t cluster) {
  std::string text(16, '0');
  for (auto digit = text.rbegin(); digit != text.rend(); ++digit, cluster /= 16)
    *digit = "0123456789abcdef"[cluster % 16];
  return text;
}

} // namespace avocet
