#include "actors/placement_predictions.h"

#include <algorithm>

#include <caf/typed_event_based_actor.hpp>

#include "controller/describe.h"

namespace avocet {
namespace {

/// Devices looked at in one call: about 0.2 ms each.
constexpr size_t kDevicesAtOnce = 16;

void TellOfDevice(placement_actor::stateful_pointer<PlacementActorState> self, const DeviceView& device) {
  auto& state = self->state;
  const auto agent = state.agents.find(device.spec.node);
  if (agent == state.agents.end()) return;
  const DeviceId id = device.spec.id();
  SetPredictions now{id, PredictLatencies(state.records.view, id), JudgedLatencies(state.records.view, id)};
  const auto [told, is_first] = state.told_predictions.try_emplace(id, now);
  if (!is_first && told->second == now) return;
  told->second = now;
  self->send(agent->second, std::move(now));
}

} // namespace

void TellPredictions(placement_actor::stateful_pointer<PlacementActorState> self) {
  const auto& devices = self->state.records.view.devices;
  auto& next = self->state.next_prediction;
  auto it = devices.lower_bound(next);
  for (size_t left = std::min(kDevicesAtOnce, devices.size()); left > 0; --left) {
    if (it == devices.end()) it = devices.begin();
    TellOfDevice(self, it->second);
    ++it;
  }
  next = it == devices.end() ? DeviceId() : it->first;
}

} // namespace avocet
