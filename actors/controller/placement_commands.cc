// How commands reach agents, and what becomes of those that an agent does not take.
#include <caf/typed_event_based_actor.hpp>
#include <spdlog/spdlog.h>

#include "actors/controller/placement_steps.h"
#include "actors/errors.h"
#include "controller/cluster/cluster_changes.h"
#include "messages/text.h"

namespace avocet {
namespace {

using Self = PlacementSelf;

void RecordEvent(Self self, const NodeEvent& event) {
  WriteBatch batch;
  AddNodeEvent(self, batch, event);
  PersistAny(self, std::move(batch), event.kind);
}

std::string Describe(const Command& command) {
  return std::string(ToString(command.kind)) + " on " + command.device.str();
}

void OnTaken(Self self, const NodeId& node, const Command& command) {
  if (!self->state.refusals.Taken(node, command)) return;
  NoteStart(self->state.records.view, command, "");
  ViewChanged(self);
  RecordEvent(self, {node, "command_taken", command.app.str(), Describe(command) + ", which was not taken before"});
}

void OnRefused(Self self, const NodeId& node, const Command& command, const Status& why) {
  auto& state = self->state;
  if (state.node_lines.Take(node, self->clock().now()))
    spdlog::warn("command not taken app={} reason=\"{}\" lines_left_out={}", command.app.str(), why.message(),
                 state.node_lines.TakeDropped(node));

  // The text is cut to leave room for what is said around it.
  const std::string reason = "agent '" + node.str() + "' did not take the command to " +
                             std::string(ToString(command.kind)) + " it on '" + command.device.str() +
                             "': " + ToText(why.message(), kMaxTextBytes / 2) + "; it is sent again";
  NoteStart(state.records.view, command, reason);
  ViewChanged(self);

  const auto refusal = state.refusals.Refused(node, command, self->clock().now());
  if (refusal.first) RecordEvent(self, {node, "command_not_taken", command.app.str(), reason});
  if (refusal.pause) self->delayed_send(self, *refusal.pause, RefusalTick{});
}

} // namespace

void SendCommand(Self self, const Command& command) {
  auto& state = self->state;
  const auto device = state.records.view.devices.find(command.device);
  if (device == state.records.view.devices.end()) return;
  const NodeId node = device->second.spec.node;
  const auto agent = state.agents.find(node);
  if (agent == state.agents.end()) return;
  if (command.kind == CommandKind::kStart) state.grants.Grant(node, command.file);

  self->request(agent->second.handle, state.options.deadlines.command, RunCommand{command})
      .then([self, node, command](Done) { OnTaken(self, node, command); },
            [self, node, command, registration = agent->second.registration](const caf::error& error) {
              // Away, or registered anew: what the earlier session lost was found by Reconcile, or will be.
              const auto now = self->state.agents.find(node);
              if (now == self->state.agents.end() || now->second.registration != registration) return;
              OnRefused(self, node, command, ToStatus(error, "agent"));
            });
}

void SendCommands(Self self, const std::vector<Command>& commands) {
  for (const auto& command : commands) {
    NoteStart(self->state.records.view, command, "");
    SendCommand(self, command);
  }
  if (!commands.empty()) ViewChanged(self);
}

void OnRefusalTick(Self self) {
  auto& state = self->state;
  for (const auto& node : state.refusals.TakeDue(self->clock().now())) {
    const auto agent = state.agents.find(node);
    if (agent != state.agents.end()) self->send(agent->second.handle, RegisterAgain{"it did not take a command"});
  }
}

} // namespace avocet
