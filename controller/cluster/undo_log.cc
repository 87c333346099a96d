#include "controller/cluster/undo_log.h"

#include <algorithm>
#include <utility>

#include "messages/invariant.h"

namespace avocet {

UndoTicket UndoLog::Begin(AppSnapshot before) {
  const AppId app = before.name;
  changes_[app].push_back({++last_number_, std::move(before)});
  return {app, last_number_};
}

UndoLog::Changes::iterator UndoLog::Find(const UndoTicket& ticket) {
  AVOCET_CHECK(changes_.contains(ticket.app));
  auto& changes = changes_.at(ticket.app);
  const auto found =
      std::find_if(changes.begin(), changes.end(), [&](const Change& one) { return one.number == ticket.number; });
  AVOCET_CHECK(found != changes.end());
  return found;
}

AppSnapshot UndoLog::Take(const UndoTicket& ticket, Changes::iterator change) {
  AppSnapshot before = std::move(change->before);
  auto& changes = changes_.at(ticket.app);
  changes.erase(change);
  if (changes.empty()) changes_.erase(ticket.app);
  return before;
}

AppSnapshot UndoLog::Durable(const UndoTicket& ticket) {
  return Take(ticket, Find(ticket));
}

std::optional<AppSnapshot> UndoLog::Failed(const UndoTicket& ticket) {
  const auto change = Find(ticket);
  const auto later = change + 1;
  if (later == changes_.at(ticket.app).end()) return Take(ticket, change);

  // The later change was made on top of this one: undoing it must go back to before both.
  later->before = change->before;
  (void)Take(ticket, change);
  return std::nullopt;
}

std::vector<AppSnapshot> UndoLog::OnDisk() const {
  std::vector<AppSnapshot> snapshots;
  for (const auto& [app, changes] : changes_)
    snapshots.push_back(changes.front().before);
  return snapshots;
}

bool UndoLog::Note(const Placement& report) {
  const auto of_app = changes_.find(report.app);
  if (of_app == changes_.end()) return false;

  bool noted = false;
  for (auto& change : of_app->second) {
    auto& replaced = change.before.placement;
    if (!replaced || replaced->device != report.device || replaced->epoch != report.epoch) continue;
    replaced->phase = report.phase;
    replaced->reason = report.reason;
    noted = true;
  }
  return noted;
}

} // namespace avocet
