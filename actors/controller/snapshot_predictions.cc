#include "actors/controller/snapshot_steps.h"

#include <algorithm>

#include <caf/typed_event_based_actor.hpp>

#include "controller/placement/describe.h"

namespace avocet {
namespace {

/// Devices that one call looks at. Milliseconds for each that changed.
constexpr size_t kDevicesAtOnce = 16;

void TellDevice(SnapshotSelf self, const DeviceView& device) {
  auto& state = self->state;
  const auto agent = state.snapshot->agents.find(device.spec.node);
  if (agent == state.snapshot->agents.end()) return;

  const DeviceId id = device.spec.id();
  const ClusterView& view = state.snapshot->view;
  SetPredictions now{id, PredictLatencies(view, id, state.predictions), JudgedLatencies(view, id)};

  // An agent that registered anew shows nothing yet.
  auto& told = state.told[id];
  if (told.registration == agent->second.registration && told.predictions == now) return;
  told = {agent->second.registration, now};
  self->send(agent->second.handle, std::move(now));
}

} // namespace

void TellPredictions(SnapshotSelf self) {
  auto& state = self->state;
  const auto& devices = state.snapshot->view.devices;
  state.predictions.Allow(kDevicesAtOnce);

  auto it = devices.lower_bound(state.next_told);
  for (size_t left = std::min(kDevicesAtOnce, devices.size()); left > 0; --left) {
    if (it == devices.end()) it = devices.begin();
    TellDevice(self, it->second);
    ++it;
  }

  state.next_told = it == devices.end() ? DeviceId() : it->first;
}

} // namespace avocet
