#include "controller/cluster/undo_log.h"

#include <algorithm>
#include <utility>

namespace avocet {

uint64_t UndoLog::Begin(AppSnapshot before) {
  auto& changes = changes_[before.name];
  changes.push_back({++last_ticket_, std::move(before)});
  return last_ticket_;
}

void UndoLog::Durable(uint64_t ticket) {
  for (auto it = changes_.begin(); it != changes_.end(); ++it) {
    auto& changes = it->second;
    const auto found = std::find_if(changes.begin(), changes.end(), [&](auto& one) { return one.ticket == ticket; });
    if (found == changes.end()) continue;
    changes.erase(found);
    if (changes.empty()) changes_.erase(it);
    return;
  }
}

std::optional<AppSnapshot> UndoLog::Failed(uint64_t ticket) {
  for (auto it = changes_.begin(); it != changes_.end(); ++it) {
    auto& changes = it->second;
    const auto found = std::find_if(changes.begin(), changes.end(), [&](auto& one) { return one.ticket == ticket; });
    if (found == changes.end()) continue;

    const auto later = found + 1;
    if (later != changes.end()) {
      // The later change was made on top of this one: its rollback must restore what was before both.
      later->before = std::move(found->before);
      changes.erase(found);
      return std::nullopt;
    }
    AppSnapshot before = std::move(found->before);
    changes.erase(found);
    if (changes.empty()) changes_.erase(it);
    return before;
  }
  return std::nullopt;
}

} // namespace avocet
