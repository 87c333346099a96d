#include "actors/controller/snapshot_actor.h"

#include <caf/actor_system.hpp>
#include <caf/typed_event_based_actor.hpp>

#include "actors/controller/snapshot_notes.h"
#include "actors/controller/snapshot_steps.h"
#include "actors/errors.h"
#include "controller/placement/describe.h"

namespace avocet {
namespace {

using Self = SnapshotSelf;

void OnSnapshot(Self self, TakeSnapshot& take) {
  auto& state = self->state;
  state.snapshot = std::move(take.snapshot);
  state.rows.reset();

  // Devices that are gone need nothing any more.
  const ClusterView& view = state.snapshot->view;
  state.predictions.KeepOnly(view);
  std::erase_if(state.told, [&](const auto& one) { return !view.devices.contains(one.first); });
}

/// Every application, as the snapshot shows it: described once, however often it is asked for.
std::shared_ptr<const std::vector<AppStatus>> Rows(Self self) {
  auto& state = self->state;
  if (state.rows != nullptr) return state.rows;

  state.predictions.Allow(kMaxNewPredictions);
  auto rows = std::make_shared<const std::vector<AppStatus>>(DescribeApps(state.snapshot->view, state.predictions));
  // Else there may be more to predict when they are asked for next.
  if (state.predictions.may_compute()) state.rows = rows;
  return rows;
}

caf::result<AppList> OnListApps(Self self) {
  auto promise = self->make_response_promise<AppList>();
  GatherTotals(self, *Rows(self),
               [promise](std::vector<AppStatus> rows) mutable { promise.deliver(AppList{std::move(rows)}); });
  return promise;
}

Status NoSuchApp(const AppId& app) {
  return NotFound("application '" + app.str() + "' does not exist; `avocet app list` shows those that do");
}

caf::result<AppStatus> OnGetApp(Self self, const GetApp& get) {
  auto& state = self->state;
  const auto& view = state.snapshot->view;
  if (!view.apps.contains(get.app)) return MakeError(NoSuchApp(get.app));

  state.predictions.Allow(kMaxNewPredictions);
  auto promise = self->make_response_promise<AppStatus>();
  GatherTotals(self, {DescribeApp(view, get.app, state.predictions)},
               [promise](std::vector<AppStatus> rows) mutable { promise.deliver(std::move(rows.front())); });
  return promise;
}

void ReadNextDecision(Self self);

/// The store answered, for the first one that waits.
void Explained(Self self, const std::function<void(caf::typed_response_promise<Decision>&)>& answer) {
  auto& waiting = self->state.explanations;
  answer(waiting.front().second);
  waiting.pop_front();
  if (!waiting.empty()) ReadNextDecision(self);
}

void ReadNextDecision(Self self) {
  auto& state = self->state;
  self->request(state.store, state.options.deadlines.store, ReadDecision{state.explanations.front().first})
      .then(
          [self](Decision& decision) { Explained(self, [&](auto& promise) { promise.deliver(std::move(decision)); }); },
          [self](const caf::error& error) {
            Explained(self, [&](auto& promise) { Refuse(promise, ToStatus(error, "store")); });
          });
}

caf::result<Decision> OnExplain(Self self, const ExplainApp& explain) {
  auto& waiting = self->state.explanations;
  if (waiting.size() >= kMaxWaitingExplanations)
    return MakeError(ResourceExhausted(std::to_string(waiting.size()) +
                                       " explanations wait to be read from the disk; ask again later"));

  auto promise = self->make_response_promise<Decision>();
  waiting.emplace_back(explain.app, promise);
  if (waiting.size() == 1) ReadNextDecision(self);
  return promise;
}

caf::result<VersionInfo> OnVersion(Self self) {
  const auto& state = self->state;
  return VersionInfo{.version = AVOCET_VERSION,
                     .role = state.options.role,
                     .view_version = state.snapshot->view.version,
                     .uptime = self->clock().now() - state.started_at};
}

} // namespace

snapshot_actor::behavior_type SnapshotBehavior(Self self, const SnapshotActorArgs& args) {
  auto& state = self->state;
  state.store = args.store;
  state.options = args.options;
  state.snapshot = std::make_shared<const ClusterSnapshot>();
  state.started_at = self->clock().now();

  self->delayed_send(self, state.options.predict_every, PredictionTick{});
  return {
      [self](TakeSnapshot& take) { OnSnapshot(self, take); },
      [self](PredictionTick) {
        TellPredictions(self);
        self->delayed_send(self, self->state.options.predict_every, PredictionTick{});
      },

      // What the Control service carries, see actors/wire/control_table.h.
      [self](GetVersion) { return OnVersion(self); },
      [self](ListNodes) -> caf::result<NodeList> { return ListAllNodes(*self->state.snapshot); },
      [self](ListDevices) -> caf::result<DeviceList> {
        return DeviceList{DescribeDevices(self->state.snapshot->view)};
      },
      [self](ListModels) -> caf::result<ModelList> { return ListAllModels(*self->state.snapshot); },
      [self](ListApps) { return OnListApps(self); },
      [self](const GetApp& get) { return OnGetApp(self, get); },
      [self](const ExplainApp& explain) { return OnExplain(self, explain); },
  };
}

snapshot_actor SpawnSnapshots(caf::actor_system& system, const SnapshotActorArgs& args, bool detached) {
  if (detached) return system.spawn<caf::detached>(SnapshotBehavior, args);
  return system.spawn(SnapshotBehavior, args);
}

} // namespace avocet
