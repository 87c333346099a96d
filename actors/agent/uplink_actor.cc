#include "actors/agent/uplink_actor.h"

#include <caf/typed_event_based_actor.hpp>
#include <spdlog/spdlog.h>

namespace avocet {
namespace {

using Self = uplink_actor::stateful_pointer<UplinkState>;

void SendPending(Self self, const UplinkArgs& args) {
  auto& state = self->state;
  if (!state.controller) return;
  auto windows = state.buffer.TakeToSend(self->clock().now());
  if (!windows.empty()) self->send(state.controller, ReportWindows{args.node, std::move(windows), args.boot});
}

void Tick(Self self, const UplinkArgs& args) {
  auto& state = self->state;
  for (auto& window : args.close_windows())
    state.buffer.Push(std::move(window));
  if (state.buffer.dropped() > state.reported_drops) {
    spdlog::warn("measurement windows dropped total={}", state.buffer.dropped());
    state.reported_drops = state.buffer.dropped();
  }
  SendPending(self, args);
}

} // namespace

uplink_actor::behavior_type UplinkBehavior(Self self, const std::shared_ptr<const UplinkArgs>& args) {
  self->state.buffer = WindowBuffer(args->options.buffer);

  self->delayed_send(self, args->options.window, WindowTick{});
  return {
      [self](const WindowAck& ack) { self->state.buffer.Acknowledge(ack.device, ack.boot, ack.sequence); },
      // Another controller acknowledged nothing yet: what was sent to the last one may be lost.
      [self](SetWindowTarget& target) {
        self->state.controller = std::move(target.controller);
        self->state.buffer.SendAgain();
      },
      [self, args](WindowTick) {
        Tick(self, *args);
        self->delayed_send(self, args->options.window, WindowTick{});
      },
      // The last window closes here, or what was measured since the last tick would be lost.
      [self, args](StopActor) -> caf::result<Done> {
        Tick(self, *args);
        self->quit();
        return Done{};
      },
  };
}

} // namespace avocet
