// Copies that agents run and the records do not know: the records may be an older copy, or those of an empty folder.
#include <algorithm>

#include <caf/typed_event_based_actor.hpp>

#include "actors/controller/placement_steps.h"
#include "actors/errors.h"
#include "storage/records.h"

namespace avocet {

using Self = PlacementSelf;

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
    const auto copies = state.orphans.Take(app);
    Answer(self, promise, RemovedApp{app});
    for (const auto& copy : copies)
      SendCommand(self, StopCommand(copy));
  });
  return promise;
}

} // namespace avocet
