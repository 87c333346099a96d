#include "controller/cluster/removals.h"

#include <algorithm>

namespace avocet {

Removals::Removals(const std::vector<Removal>& removals) {
  for (const auto& removal : removals)
    (void)Add(removal);
}

std::optional<Removal> Removals::Add(const Removal& removal) {
  auto& epoch = epochs_[removal.app];
  epoch = std::max(epoch, removal.epoch);
  if (epochs_.size() <= kMaxRemovals) return std::nullopt;

  const auto oldest = std::min_element(epochs_.begin(), epochs_.end(),
                                       [](const auto& a, const auto& b) { return a.second < b.second; });
  Removal dropped{oldest->first, oldest->second};
  epochs_.erase(oldest);
  return dropped;
}

bool Removals::Covers(const Placement& copy) const {
  const auto found = epochs_.find(copy.app);
  return found != epochs_.end() && copy.epoch <= found->second;
}

} // namespace avocet
