#include "actors/controller/placement_predictions.h"

#include <algorithm>

#include <caf/typed_event_based_actor.hpp>

#include "controller/placement/describe.h"

namespace avocet {
namespace {

/// Devices whose predictions one call computes. About 0.2 ms each, in an actor that must answer others, too.
constexpr size_t kDevicesAtOnce = 16;

void NotifyDevicePredictions(placement_actor::stateful_pointer<PlacementActorState> self, const DeviceView& device) {
  auto& state = self->state;
  const auto agent = state.agents.find(device.spec.node);
  if (agent == state.agents.end()) return;
  const DeviceId id = device.spec.id();
  SetPredictions now{id, PredictLatencies(state.records.view, id), JudgedLatencies(state.records.view, id)};
  const auto [last, is_first] = state.notified_predictions.try_emplace(id, now);
  if (!is_first && last->second == now) return;
  last->second = now;
  self->send(agent->second, std::move(now));
}

} // namespace

void NotifyPredictions(placement_actor::stateful_pointer<PlacementActorState> self) {
  const auto& devices = self->state.records.view.devices;
  auto& next = self->state.next_prediction;
  auto it = devices.lower_bound(next);
  for (size_t left = std::min(kDevicesAtOnce, devices.size()); left > 0; --left) {
    if (it == devices.end()) it = devices.begin();
    NotifyDevicePredictions(self, it->second);
    ++it;
  }
  next = it == devices.end() ? DeviceId() : it->first;
}

} // namespace avocet
