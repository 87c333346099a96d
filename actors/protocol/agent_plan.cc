#include "actors/protocol/agent_plan.h"

#include <algorithm>

#include "messages/text.h"
#include "storage/records.h"

namespace avocet {
namespace {

bool Covers(const Command& stop, const Placement& copy) {
  return copy.device == stop.device && copy.epoch <= stop.epoch;
}

void EraseCovered(std::map<AppId, Placement>& copies, const Command& stop) {
  const auto found = copies.find(stop.app);
  if (found != copies.end() && Covers(stop, found->second)) copies.erase(found);
}

/// One that is tried again stays in the state of starting, with the reason why it does.
std::string ReasonOf(const Status& why, bool again) {
  // The text is cut to leave room for the suffix, as a report that is too long is refused.
  return ToText(why.ToString(), kMaxTextBytes / 2) + (again ? "; it is tried again" : "");
}

} // namespace

Placement CopyOf(const Command& start) {
  return {.app = start.app,
          .device = start.device,
          .model = start.model,
          .format = start.format,
          .file = start.file,
          .size_bytes = start.size_bytes,
          .epoch = start.epoch,
          .phase = PlacementPhase::kStarting,
          .reason = ""};
}

AgentPlan::AgentPlan(const AgentPlanOptions& options, const std::vector<Placement>& plan, uint64_t highest_epoch)
    : options_(options), highest_epoch_(highest_epoch) {
  for (const auto& planned : plan) {
    gate_.Announce(StartCommand(planned));
    highest_epoch_ = std::max(highest_epoch_, planned.epoch);
    taken_[planned.app] = recorded_[planned.app] = latest_[planned.app] = CopyOf(StartCommand(planned));
  }
}

std::vector<Command> AgentPlan::Resume() const {
  std::vector<Command> starts;
  for (const auto& [app, copy] : latest_)
    starts.push_back(StartCommand(copy));
  return starts;
}

Result<WriteBatch> AgentPlan::Take(const Command& command) {
  const bool start = command.kind == CommandKind::kStart;
  if (start && gate_.IsPast(command))
    return Cancelled("epoch " + std::to_string(command.epoch) + " of application '" + command.app.str() +
                     "' is past: its latest start here has epoch " + std::to_string(gate_.LatestStart(command.app)));
  gate_.Announce(command);
  highest_epoch_ = std::max(highest_epoch_, command.epoch);

  // The records follow what was taken, not what was committed: a stop must also erase a start that is still on its way
  // to the disk.
  WriteBatch batch;

  Put(batch, kHighestEpoch, highest_epoch_);

  if (start) {
    taken_[command.app] = CopyOf(command);
    Put(batch, kPlan, taken_[command.app]);
  } else {
    EraseCovered(taken_, command);
    if (!taken_.contains(command.app)) Delete(batch, kPlan, command.app.str());
  }
  return batch;
}

AgentPlan::Step AgentPlan::Commit(const Command& command) {
  if (command.kind == CommandKind::kStop) {
    CommitStop(command);
    return {.execute = command, .report = {}};
  }
  recorded_[command.app] = CopyOf(command);

  // A later command was taken while this one was being written: that one decides.
  if (gate_.IsPast(command)) return {};
  if (const Placement* known = Latest(command); known != nullptr) return {.execute = {}, .report = *known};

  latest_[command.app] = CopyOf(command);
  ForgetRetriesOf(command.app);
  return {.execute = command, .report = {}};
}

void AgentPlan::Refused(const Command& command) {
  // A start that was taken after this command says itself what the records are to be.
  const auto taken = taken_.find(command.app);
  if (taken != taken_.end() && taken->second.epoch > command.epoch) return;

  taken_.erase(command.app);
  if (const auto recorded = recorded_.find(command.app); recorded != recorded_.end()) taken_.insert(*recorded);
}

void AgentPlan::CommitStop(const Command& stop) {
  if (!taken_.contains(stop.app)) recorded_.erase(stop.app);
  EraseCovered(latest_, stop);
  EraseCovered(serving_, stop);
  const auto retry = retries_.find({stop.app, stop.device});
  if (retry != retries_.end() && retry->second.command.epoch <= stop.epoch) retries_.erase(retry);
}

/// A later start makes every attempt at an earlier one pointless, and what is to be stopped on its own device is
/// replaced by it. Stops on other devices are still to be made.
void AgentPlan::ForgetRetriesOf(const AppId& app) {
  const auto latest = latest_.find(app);
  std::erase_if(retries_, [&](const auto& entry) {
    const bool of_app = entry.first.first == app;
    const bool start = entry.second.command.kind == CommandKind::kStart;
    return of_app && (start || (latest != latest_.end() && latest->second.device == entry.first.second));
  });
}

/// Null when the start was stopped or replaced.
Placement* AgentPlan::Latest(const Command& start) {
  const auto found = latest_.find(start.app);
  const bool same =
      found != latest_.end() && found->second.epoch == start.epoch && found->second.device == start.device;
  return same ? &found->second : nullptr;
}

std::vector<Placement> AgentPlan::Started(const Command& start) {
  Placement* copy = Latest(start);
  if (copy == nullptr) return {};
  copy->phase = PlacementPhase::kReady;
  copy->reason.clear();
  retries_.erase({start.app, start.device});
  serving_[start.app] = *copy;
  return {*copy};
}

/// Notes when to try again; false when it was tried often enough.
bool AgentPlan::PlanRetry(const Command& command, MonotonicTime now) {
  const std::pair key(command.app, command.device);
  const Retry fresh{command, Backoff(options_.backoff, command.epoch), 0, false, {}};
  auto& retry = retries_.try_emplace(key, fresh).first->second;
  if (retry.command != command) retry = fresh;
  retry.under_way = false;
  retry.next = now + retry.backoff.Next();
  if (++retry.attempts < options_.max_attempts) return true;
  retries_.erase(key);
  return false;
}

std::vector<Placement> AgentPlan::Failed(const Command& start, const Status& why, MonotonicTime now) {
  Placement* copy = Latest(start);
  if (copy == nullptr) return {};
  const bool again = why.code() == StatusCode::kUnavailable && PlanRetry(start, now);
  if (!again) retries_.erase({start.app, start.device});
  copy->phase = again ? PlacementPhase::kStarting : PlacementPhase::kFailed;
  copy->reason = ReasonOf(why, again);
  if (again || !serving_.contains(start.app)) return {*copy};

  // The controller may have forgotten the earlier copy, as the start was to replace it.
  return {*copy, serving_.at(start.app)};
}

void AgentPlan::StopFailed(const Command& stop, MonotonicTime now) {
  const auto latest = latest_.find(stop.app);
  const bool wanted_again = latest != latest_.end() && latest->second.device == stop.device;
  if (!wanted_again) (void)PlanRetry(stop, now);
}

std::vector<Command> AgentPlan::Retries(MonotonicTime now) {
  std::vector<Command> commands;
  for (auto& [key, retry] : retries_) {
    if (retry.under_way || now < retry.next) continue;
    retry.under_way = true;
    commands.push_back(retry.command);
  }
  return commands;
}

std::vector<Placement> AgentPlan::Running() const {
  std::vector<Placement> running;
  for (const auto& [app, copy] : latest_)
    running.push_back(copy);
  for (const auto& [app, copy] : serving_) {
    const auto latest = latest_.find(app);
    if (latest == latest_.end() || latest->second.epoch != copy.epoch) running.push_back(copy);
  }
  return running;
}

} // namespace avocet
