#include "controller/cluster/pending_moves.h"

#include <algorithm>
#include <iterator>

#include "messages/invariant.h"

namespace avocet {
namespace {

/// What serves comes before what does not, later epochs before earlier ones.
bool ServesBetter(const Placement& a, const Placement& b) {
  const bool a_serves = a.phase == PlacementPhase::kReady, b_serves = b.phase == PlacementPhase::kReady;
  return a_serves != b_serves ? a_serves : a.epoch > b.epoch;
}

} // namespace

CopyFate FateOf(const Placement& copy, const Placement* current, const Removals& removals) {
  if (current == nullptr) return removals.Covers(copy) ? CopyFate::kStop : CopyFate::kLeave;
  const bool serves = copy.phase == PlacementPhase::kReady;
  if (current->device == copy.device)
    return serves && current->phase == PlacementPhase::kFailed ? CopyFate::kKeep : CopyFate::kIgnore;
  if (current->phase == PlacementPhase::kReady || copy.phase == PlacementPhase::kFailed) return CopyFate::kStop;
  return CopyFate::kKeep;
}

PendingMoves::Commands PendingMoves::Replace(const std::optional<Placement>& before, const Placement& now) {
  Commands stops;
  if (before && before->device != now.device) stops = Keep(*before);

  // The start of `now` replaces the copy on its own device, so a stop would only be in its way.
  if (const auto kept = copies_.find(now.app); kept != copies_.end()) {
    kept->second.erase(now.device);
    if (kept->second.empty()) copies_.erase(kept);
  }
  waiting_.erase(now.app);
  return stops;
}

PendingMoves::Commands PendingMoves::Keep(const Placement& copy) {
  auto& copies = copies_[copy.app];
  Merge(copies.try_emplace(copy.device, Kept{copy, copy.epoch}).first->second, copy);
  if (copies.size() <= kMaxCopiesPerApp) return {};

  const auto worst = std::max_element(copies.begin(), copies.end(), IsBetter);
  Commands stops{Stop(worst->second)};
  copies.erase(worst);
  return stops;
}

bool PendingMoves::IsBetter(const Copies::value_type& a, const Copies::value_type& b) {
  return ServesBetter(a.second.copy, b.second.copy);
}

/// A start of a later epoch than that of the copy may still be on its way there.
Command PendingMoves::Stop(const Kept& kept) {
  Command stop = StopCommand(kept.copy);
  stop.epoch = kept.last_epoch;
  return stop;
}

void PendingMoves::Merge(Kept& kept, const Placement& copy) {
  kept.last_epoch = std::max(kept.last_epoch, copy.epoch);
  if (kept.copy.epoch == copy.epoch || ServesBetter(copy, kept.copy)) kept.copy = copy;
}

void PendingMoves::Wait(const Placement& placement, std::set<AppId> movers) {
  AVOCET_CHECK(!movers.empty());
  waiting_[placement.app] = {placement, std::move(movers)};
}

void PendingMoves::Renew(const Placement& placement) {
  const auto waiting = waiting_.find(placement.app);
  if (waiting != waiting_.end()) waiting->second.placement = placement;
}

PendingMoves::Commands PendingMoves::StopCopies(const AppId& app) {
  Commands stops;
  const auto kept = copies_.extract(app);
  if (kept.empty()) return stops;
  for (const auto& [device, copy] : kept.mapped())
    stops.push_back(Stop(copy));
  return stops;
}

PendingMoves::Commands PendingMoves::StartWaitersFor(const AppId& mover) {
  Commands starts;
  for (auto it = waiting_.begin(); it != waiting_.end();) {
    const bool waited = it->second.movers.erase(mover) > 0;
    if (!waited || !it->second.movers.empty()) {
      ++it;
      continue;
    }
    starts.push_back(StartCommand(it->second.placement));
    it = waiting_.erase(it);
  }
  return starts;
}

PendingMoves::Commands PendingMoves::Arrived(const AppId& app) {
  // Stops first: what they free is what the waiting applications wait for.
  Commands commands = StopCopies(app);
  Commands starts = StartWaitersFor(app);
  std::move(starts.begin(), starts.end(), std::back_inserter(commands));
  return commands;
}

PendingMoves::Commands PendingMoves::Removed(const AppId& app) {
  waiting_.erase(app);
  return Arrived(app);
}

std::optional<Placement> PendingMoves::TakeFallback(const AppId& app) {
  const auto kept = copies_.find(app);
  if (kept == copies_.end()) return std::nullopt;
  const auto best = std::min_element(kept->second.begin(), kept->second.end(), IsBetter);
  Placement fallback = std::move(best->second.copy);
  kept->second.erase(best);
  if (kept->second.empty()) copies_.erase(kept);
  return fallback;
}

std::vector<Placement> PendingMoves::GiveUp(const AppId& mover) {
  std::vector<Placement> given_up;
  std::erase_if(waiting_, [&](auto& entry) {
    if (!entry.second.movers.contains(mover)) return false;
    given_up.push_back(std::move(entry.second.placement));
    return true;
  });
  return given_up;
}

bool PendingMoves::Note(const Placement& report) {
  const auto kept = copies_.find(report.app);
  if (kept == copies_.end()) return false;
  const auto copy = kept->second.find(report.device);
  if (copy == kept->second.end()) return false;
  Merge(copy->second, report);
  return true;
}

bool PendingMoves::HasServingCopy(const AppId& app) const {
  const auto kept = copies_.find(app);
  return kept != copies_.end() && std::any_of(kept->second.begin(), kept->second.end(), [](const auto& copy) {
           return copy.second.copy.phase == PlacementPhase::kReady;
         });
}

} // namespace avocet
