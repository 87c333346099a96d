#include "actors/protocol/command_refusals.h"

#include <functional>
#include <string>

namespace avocet {
namespace {

/// Nodes that share a cause, a network disk say, must not come back in step.
uint64_t SeedOf(const NodeId& node) {
  return std::hash<std::string>()(node.str());
}

} // namespace

CommandRefusals::Node& CommandRefusals::Of(const NodeId& node) {
  return nodes_.try_emplace(node, Node{Backoff(options_.backoff, SeedOf(node)), {}}).first->second;
}

CommandRefusals::Refusal CommandRefusals::Refused(const NodeId& node, const Command& command, MonotonicTime now) {
  auto& apps = Of(node).apps;
  const bool first = apps.size() < options_.max_apps_per_node && apps.insert(command.app).second;
  return {first, RegisterLater(node, now)};
}

std::optional<Duration> CommandRefusals::RegisterLater(const NodeId& node, MonotonicTime now) {
  auto& of_node = Of(node);
  // One registration answers for all refusals until then.
  if (of_node.due) return std::nullopt;
  const Duration pause = of_node.backoff.Next();
  of_node.due = now + pause;
  return pause;
}

bool CommandRefusals::Taken(const NodeId& node, const Command& command) {
  const auto refused = nodes_.find(node);
  if (refused == nodes_.end() || refused->second.apps.erase(command.app) == 0) return false;
  ForgetIfIdle(refused);
  return true;
}

/// Nothing is missing any more: the next refusal is a new story, with short pauses.
void CommandRefusals::ForgetIfIdle(std::map<NodeId, Node>::iterator node) {
  if (node->second.apps.empty() && !node->second.due) nodes_.erase(node);
}

void CommandRefusals::Registered(const NodeId& node, std::span<const Command> commands) {
  const auto refused = nodes_.find(node);
  if (refused == nodes_.end()) return;

  std::set<AppId> wanted;
  for (const auto& command : commands)
    wanted.insert(command.app);

  refused->second.due.reset();
  std::erase_if(refused->second.apps, [&](const AppId& app) { return !wanted.contains(app); });
  ForgetIfIdle(refused);
}

std::vector<NodeId> CommandRefusals::TakeDue(MonotonicTime now) {
  std::vector<NodeId> due;
  for (auto& [node, refused] : nodes_) {
    if (!refused.due || now < *refused.due) continue;
    refused.due.reset();
    due.push_back(node);
  }
  return due;
}

} // namespace avocet
