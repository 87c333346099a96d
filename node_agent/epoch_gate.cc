#include "node_agent/epoch_gate.h"

#include <algorithm>

namespace avocet {

bool EpochGate::Known::ended() const {
  if (start == 0) return !stopped.empty(); // its starts have not come yet, or never will
  const auto stop = stopped.find(device);
  return stop != stopped.end() && stop->second >= start;
}

uint64_t EpochGate::Known::highest() const {
  uint64_t highest = start;
  for (const auto& [device_id, epoch] : stopped)
    highest = std::max(highest, epoch);
  return highest;
}

void EpochGate::Announce(const Command& command) {
  auto& known = apps_[command.app];
  const bool had_ended = known.ended();

  if (command.kind == CommandKind::kStop) {
    auto& stopped = known.stopped[command.device];
    stopped = std::max(stopped, command.epoch);
  } else if (command.epoch > known.start) {
    known.start = command.epoch;
    known.device = command.device;
    // Stops up to here say nothing more: their starts are past by the later start alone.
    std::erase_if(known.stopped, [&](const auto& stop) { return stop.second < command.epoch; });
  }

  ended_ += known.ended() ? 1 : 0;
  ended_ -= had_ended ? 1 : 0;
  if (ended_ > max_ended_) Forget();
}

/// The application that ended first. Its starts that are still under way stay past, like all of their time.
void EpochGate::Forget() {
  auto oldest = apps_.end();
  for (auto it = apps_.begin(); it != apps_.end(); ++it) {
    if (it->second.ended() && (oldest == apps_.end() || it->second.highest() < oldest->second.highest())) oldest = it;
  }
  forgotten_ = std::max(forgotten_, oldest->second.highest());
  apps_.erase(oldest);
  --ended_;
}

bool EpochGate::IsPast(const Command& start) const {
  const auto it = apps_.find(start.app);
  if (it == apps_.end()) return start.epoch <= forgotten_;
  const auto stop = it->second.stopped.find(start.device);
  return start.epoch < it->second.start || (stop != it->second.stopped.end() && start.epoch <= stop->second);
}

uint64_t EpochGate::LatestStart(const AppId& app) const {
  const auto it = apps_.find(app);
  return it == apps_.end() ? 0 : it->second.start;
}

} // namespace avocet
