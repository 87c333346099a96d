// Applications that leave, and copies that agents run and the records do not know: these may be an older copy, or those
// of an empty folder.
#include <algorithm>

#include <caf/typed_event_based_actor.hpp>

#include "actors/controller/placement_steps.h"
#include "actors/errors.h"
#include "controller/cluster/cluster_changes.h"
#include "storage/records.h"

namespace avocet {
namespace {

using Self = PlacementSelf;

/// The application is removed by this batch: copies of it that are found later are to be stopped.
void PutRemoval(Self self, WriteBatch& batch, const AppId& app) {
  auto& records = self->state.records;
  uint64_t epoch = std::max<uint64_t>(1, records.last_epoch);
  for (const auto& copy : self->state.orphans.Of(app))
    epoch = std::max(epoch, copy.epoch);

  const Removal removal{app, epoch};
  const auto dropped = records.removals.Add(removal);
  Put(batch, kRemovals, removal);
  if (dropped) Delete(batch, kRemovals, dropped->app.str());
}

/// Stops the orphans of an application that is not in the records. kNotFound: there are none.
caf::result<RemovedApp> RemoveOrphans(Self self, const AppId& app) {
  const auto copies = self->state.orphans.Of(app);
  if (copies.empty()) return MakeError(NotFound("application '" + app.str() + "' does not exist"));

  WriteBatch batch;
  PutRemoval(self, batch, app);
  AddEvent(self, batch, "app_removed", app.str(), "from " + copies.front().device.str() + ", left running until now");

  auto promise = self->make_response_promise<RemovedApp>();
  Persist(self, std::move(batch), [self, app, promise](const Status& status) mutable {
    auto& state = self->state;
    if (!status.ok()) {
      state.records.removals.Erase(app);
      return Refuse(promise, status);
    }
    const auto stopped = state.orphans.Take(app);
    Answer(self, promise, RemovedApp{app});
    for (const auto& copy : stopped)
      SendCommand(self, StopCommand(copy));
  });
  return promise;
}

} // namespace

void NoteOrphans(Self self, WriteBatch& batch, const std::vector<Placement>& found) {
  for (const auto& copy : found)
    AddEvent(self, batch, "orphan_found", copy.app.str(),
             "it runs on " + copy.device.str() + " with epoch " + std::to_string(copy.epoch) +
                 ", but these records neither place nor remove it: it is left running. `avocet app apply` takes it " +
                 "over, `avocet app rm " + copy.app.str() + "` stops it");
}

void TakeOverOrphans(Self self, const Placement& current) {
  auto& state = self->state;
  for (const auto& copy : state.orphans.Take(current.app)) {
    // On its own device the start replaces it.
    if (copy.device != current.device) SendCommands(self, state.moves.Keep(copy));
  }
}

void KeepPastDecision(Self self, WriteBatch& batch, const AppId& app) {
  // What is not deleted, as the disk refuses the batch, is found at the next start.
  if (const auto forgotten = self->state.records.history.Ended(app)) Delete(batch, kDecisions, forgotten->str());
}

caf::result<RemovedApp> Remove(Self self, const AppId& app) {
  auto& view = self->state.records.view;
  if (!view.apps.contains(app)) return RemoveOrphans(self, app);

  const UndoTicket ticket = self->state.undo.Begin(Snapshot(view, app));
  const auto placement = ForgetPlacement(view, app);

  // In one batch: a placement without its application must not survive a crash.
  WriteBatch batch;
  Delete(batch, kApplications, app.str());
  Delete(batch, kPlacements, app.str());
  KeepPastDecision(self, batch, app);
  PutRemoval(self, batch, app);
  AddEvent(self, batch, "app_removed", app.str(), placement ? "from " + placement->device.str() : "not placed");

  auto promise = self->make_response_promise<RemovedApp>();
  Persist(self, std::move(batch), [self, app, placement, ticket, promise](const Status& status) mutable {
    auto& state = self->state;
    if (!status.ok()) {
      state.records.removals.Erase(app);
      if (const auto before = state.undo.Failed(ticket)) RollBack(state.records.view, *before);
      if (state.records.view.apps.contains(app)) state.records.history.Runs(app);
      return Refuse(promise, status);
    }

    (void)state.undo.Durable(ticket);
    Answer(self, promise, RemovedApp{app});
    SendCommands(self, state.moves.Removed(app));
    // Devices that the application was moved away from still have its totals.
    for (const auto& [id, device] : state.devices)
      self->send(device, ForgetApp{app});
    if (placement) SendCommand(self, StopCommand(*placement));
  });
  return promise;
}

} // namespace avocet
