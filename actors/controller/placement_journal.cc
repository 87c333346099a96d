// Where the placement actor's steps send their results: to the disk, to followers of events.
#include "actors/controller/placement_steps.h"

#include <caf/typed_event_based_actor.hpp>
#include <spdlog/spdlog.h>

#include "actors/errors.h"
#include "controller/cluster/cluster_changes.h"
#include "messages/text.h"
#include "storage/records.h"

namespace avocet {

using Self = PlacementSelf;

void Persist(Self self, WriteBatch batch, const std::function<void(Status)>& then) {
  auto& state = self->state;
  const auto& events = state.records.events;
  const uint64_t last_event = events.empty() ? 0 : events.back().sequence;
  self->request(state.store, state.options.deadlines.store, WriteRecords{std::move(batch)})
      .then(
          [self, last_event, then](Done) {
            self->state.durable_events = std::max(self->state.durable_events, last_event);
            NotifyEventWaiters(self);
            ViewChanged(self);
            then({});
          },
          [self, then](const caf::error& error) {
            ViewChanged(self);
            then(ToStatus(error, "store"));
          });
}

void Publish(Self self) {
  auto& state = self->state;
  state.published = true;

  auto snapshot = std::make_shared<ClusterSnapshot>(ClusterSnapshot{state.records.view, state.agents, state.devices});
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

void AddEvent(Self self, WriteBatch& batch, std::string kind, std::string subject, std::string detail) {
  auto& state = self->state;
  auto& events = state.records.events;
  const uint64_t sequence = events.empty() ? 1 : events.back().sequence + 1;
  spdlog::info("event kind={} subject={} detail=\"{}\"", kind, subject, detail);
  events.push_back(
      {sequence, std::chrono::system_clock::now(), std::move(kind), ToText(subject, kMaxLabelBytes), ToText(detail)});
  Put(batch, kEvents, events.back());
  // At the start there may be more by those that name records which cannot be read.
  while (events.size() > state.options.max_events) {
    Delete(batch, kEvents, EventId(events.front().sequence));
    events.pop_front();
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
