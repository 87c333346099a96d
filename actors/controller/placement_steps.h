#pragma once

#include <functional>
#include <string>
#include <vector>

#include "actors/controller/placement_actor.h"

namespace avocet {

// The steps that the placement actor's handlers are made of. All run inside the actor.

using PlacementSelf = placement_actor::stateful_pointer<PlacementActorState>;

/// Has the batch, with the events added since, on disk (synced), then calls `then` in the actor: when the disk has
/// answered, however late. What `then` changes is published. kUnavailable, at once, when too many writes wait for the
/// disk.
void Persist(PlacementSelf self, WriteBatch batch, const std::function<void(Status)>& then);

/// Sends the snapshot actor what is known, without what is under way to the disk.
void Publish(PlacementSelf self);

/// The view is published soon: once for all that changes before the next message is looked at.
void ViewChanged(PlacementSelf self);

/// Answers a request. Who has the answer, and asks for a list then, sees in it what the answer says.
template <class Value> void Answer(PlacementSelf self, caf::typed_response_promise<Value>& promise, Value value) {
  if (!self->state.published) Publish(self);
  promise.deliver(std::move(value));
}

/// A `then` that only logs a failure, with the name of what was to be recorded.
std::function<void(Status)> LogFailure(std::string what);

/// Appends to the bounded event log. On disk with the next Persist, whose batch this is.
void AddEvent(PlacementSelf self, WriteBatch& batch, std::string kind, const std::string& subject,
              const std::string& detail);

/// An event that a node's agent causes.
struct NodeEvent {
  NodeId node;
  std::string kind;
  std::string subject;
  std::string detail;
};

/// As AddEvent, unless the node caused too many lately: those are counted, and the next event of the node says so.
void AddNodeEvent(PlacementSelf self, WriteBatch& batch, const NodeEvent& event);

/// As Persist, where there is anything to write, or an event to tell of.
void PersistAny(PlacementSelf self, WriteBatch batch, const std::string& what);

/// The node that a device belongs to; empty where the device is not known.
NodeId NodeOf(const PlacementActorState& state, const DeviceId& device);

/// The devices left the view: their actors end, with their records.
void ForgetDevices(PlacementSelf self, const std::vector<DeviceId>& devices);

/// The events after that sequence number that are on disk. Others may be lost in a crash, so nobody sees them.
EventList DurableEvents(const PlacementActorState& state, uint64_t after);

/// Answers those who wait for events that are durable by now.
void NotifyEventWaiters(PlacementSelf self);

/// A number greater than every epoch before. The caller persists it with what uses it.
uint64_t NextEpoch(PlacementSelf self);

/// Hands a command to the agent of its device. One that cannot be delivered is dropped: when the agent registers again,
/// Reconcile finds the difference. One that the agent does not take is shown, with an event, and the agent is made to
/// register again after a pause.
void SendCommand(PlacementSelf self, const Command& command);

/// As SendCommand. What waited for room waits no longer.
void SendCommands(PlacementSelf self, const std::vector<Command>& commands);

/// Has the agents register again whose pause is over.
void OnRefusalTick(PlacementSelf self);

/// The application's current copy serves: stops its other copies, and starts who waited for its place.
void OnArrived(PlacementSelf self, const AppId& app);

/// The application's current copy failed. Who waited for its place fails, too; the application itself is placed where
/// an earlier copy of it still is, if there is one. Durable, with an event.
void OnFailed(PlacementSelf self, const AppId& app, const std::string& why);

/// A report about a copy that is not the current one: a kept copy's state is noted, any other copy is stopped.
void OnOtherCopy(PlacementSelf self, const Placement& copy);

/// A model was imported (again): its applications that failed are started again where they are placed, as what they
/// failed for may have been its file. Durable, with an event for each.
void RestartFailed(PlacementSelf self, const ModelId& model);

/// Tells operators of copies that agents run and that the records do not know.
void NoteOrphans(PlacementSelf self, WriteBatch& batch, const std::vector<Placement>& found);

/// The application was admitted, durably: its orphans go on serving until `current` does.
void TakeOverOrphans(PlacementSelf self, const Placement& current);

/// The application does not run: its decision is kept for a while, in place of the oldest of those.
void KeepPastDecision(PlacementSelf self, WriteBatch& batch, const AppId& app);

caf::result<Decision> Plan(PlacementSelf self, const PlanApp& plan);
caf::result<Decision> Apply(PlacementSelf self, const ApplyApp& apply);
caf::result<RemovedApp> Remove(PlacementSelf self, const AppId& app);
caf::result<RebalancePlan> RunRebalance(PlacementSelf self, const Rebalance& rebalance);

struct ProfileOutcome {
  std::vector<Profile> profiles; ///< on disk and in the view
  Status first_error;            ///< why the first device failed; ok when none did
};

/// Measures the model on each of the devices, at once on different devices, bounded by the profile
/// deadline, and makes the results durable before calling `then`. Requires at least one device.
void RunProfiles(PlacementSelf self, const Model& model, const std::vector<DeviceId>& devices,
                 const std::function<void(const ProfileOutcome&)>& then);

} // namespace avocet
