// Where the placement actor's steps send their results: to the disk, to followers of events.
#include "actors/controller/placement_steps.h"

#include <caf/typed_event_based_actor.hpp>
#include <spdlog/spdlog.h>

#include "actors/errors.h"
#include "actors/protocol/event_retention.h"
#include "controller/cluster/cluster_changes.h"
#include "messages/printable.h"
#include "messages/text.h"
#include "storage/records.h"

namespace avocet {

using Self = PlacementSelf;

namespace {

uint64_t LastEvent(const PlacementActorState& state) {
  return state.records.events.empty() ? 0 : state.records.events.back().sequence;
}

/// Adds the events that are not on their way to the disk; those of a write that failed go again.
void PutEvents(PlacementActorState& state, WriteBatch& batch) {
  for (const auto& event : state.records.events) {
    if (event.sequence > state.sent_events) Put(batch, kEvents, event);
  }
  state.sent_events = LastEvent(state);
}

void EventsWritten(Self self, uint64_t last) {
  auto& state = self->state;
  // Events before these went with a write that failed. Nobody sees later ones first, so all of them go again.
  if (state.sent_events < last) return Persist(self, {}, LogFailure("events"));
  state.durable_events = std::max(state.durable_events, last);
  NotifyEventWaiters(self);
}

/// Their numbers are given away, so they stay, and say what became of them.
void EventsLost(PlacementActorState& state, uint64_t first, uint64_t last, const Status& why) {
  if (first > last) return;
  state.sent_events = std::min(state.sent_events, first - 1);
  for (auto& event : state.records.events) {
    if (event.sequence < first || event.sequence > last || event.kind == "not_recorded") continue;
    event.detail = ToText(event.kind + " (" + event.detail + ") was undone, as the disk refused it: " + why.message());
    event.kind = "not_recorded";
  }
}

} // namespace

void Persist(Self self, WriteBatch batch, const std::function<void(Status)>& then) {
  auto& state = self->state;
  const uint64_t first = state.sent_events + 1;
  if (state.writes_under_way >= kMaxWritesUnderWay) {
    const Status why = Unavailable(std::to_string(kMaxWritesUnderWay) + " changes wait for the disk; try again later");
    EventsLost(state, first, LastEvent(state), why);
    ViewChanged(self);
    return then(why);
  }

  PutEvents(state, batch);
  const uint64_t last = state.sent_events;
  ++state.writes_under_way;

  // Without a deadline: a write that is late may still be written, and what is on disk is the truth. Whoever asked has
  // a deadline of its own, and a store that dies answers.
  self->request(state.store, caf::infinite, WriteRecords{std::move(batch)})
      .then(
          [self, last, then](Done) {
            --self->state.writes_under_way;
            EventsWritten(self, last);
            ViewChanged(self);
            then({});
          },
          [self, first, last, then](const caf::error& error) {
            --self->state.writes_under_way;
            const Status why = ToStatus(error, "store");
            EventsLost(self->state, first, last, why);
            ViewChanged(self);
            then(why);
          });
}

void Publish(Self self) {
  auto& state = self->state;
  state.published = true;

  auto snapshot = std::make_shared<ClusterSnapshot>(ClusterSnapshot{
      state.records.view, state.agents, state.devices, state.orphans, state.foreigners, state.records.lost_files});
  for (const AppSnapshot& app : state.undo.OnDisk())
    RollBack(snapshot->view, app);
  self->send(state.snapshots, TakeSnapshot{std::move(snapshot)});
}

void ViewChanged(Self self) {
  if (std::exchange(self->state.published, false)) self->send(self, PublishTick{});
}

std::function<void(Status)> LogFailure(std::string what) {
  return [what = std::move(what)](const Status& status) {
    if (!status.ok()) spdlog::error("record not written what={} reason=\"{}\"", what, status.message());
  };
}

void AddEvent(Self self, WriteBatch& batch, std::string kind, const std::string& subject, const std::string& detail) {
  auto& state = self->state;
  auto& events = state.records.events;
  const uint64_t sequence = LastEvent(state) + 1;
  // An agent may have written the reason that is told here.
  events.push_back({sequence, std::chrono::system_clock::now(), std::move(kind),
                    ToText(Printable(subject), kMaxLabelBytes), ToText(Printable(detail))});
  const Event& event = events.back();
  spdlog::info("event kind={} subject={} detail=\"{}\"", event.kind, event.subject, event.detail);
  // At the start there may be more by those that name records which cannot be read.
  while (events.size() > state.options.max_events) {
    const auto oldest = events.begin() + static_cast<ptrdiff_t>(EventToDrop(events));
    Delete(batch, kEvents, EventId(oldest->sequence));
    events.erase(oldest);
  }
}

void AddNodeEvent(Self self, WriteBatch& batch, const NodeEvent& event) {
  auto& budget = self->state.node_events;
  if (!budget.Take(event.node, self->clock().now())) return;
  if (const uint64_t dropped = budget.TakeDropped(event.node); dropped > 0)
    AddEvent(self, batch, "events_left_out", event.node.str(),
             std::to_string(dropped) + " events of this node, as it caused too many");
  AddEvent(self, batch, event.kind, event.subject, event.detail);
}

void PersistAny(Self self, WriteBatch batch, const std::string& what) {
  const bool has_events = LastEvent(self->state) > self->state.sent_events;
  if (batch.empty() && !has_events) return ViewChanged(self);
  Persist(self, std::move(batch), LogFailure(what));
}

NodeId NodeOf(const PlacementActorState& state, const DeviceId& device) {
  const auto found = state.records.view.devices.find(device);
  return found == state.records.view.devices.end() ? NodeId() : found->second.spec.node;
}

void ForgetDevices(Self self, const std::vector<DeviceId>& devices) {
  auto& state = self->state;
  for (const DeviceId& device : devices) {
    const auto actor = state.devices.find(device);
    if (actor == state.devices.end()) continue;
    self->send(actor->second, ForgetDevice{});
    state.devices.erase(actor);
  }
}

EventList DurableEvents(const PlacementActorState& state, uint64_t after) {
  EventList list;
  for (const auto& event : state.records.events) {
    if (event.sequence > after && event.sequence <= state.durable_events) list.events.push_back(event);
  }
  return list;
}

void NotifyEventWaiters(Self self) {
  auto& state = self->state;
  std::erase_if(state.event_waiters, [&state](auto& waiter) {
    auto& [after, promise] = waiter;
    if (after >= state.durable_events) return false;
    promise.deliver(DurableEvents(state, after));
    return true;
  });
}

uint64_t NextEpoch(Self self) {
  return ++self->state.records.last_epoch;
}

} // namespace avocet
