#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "actors/controller/cluster_snapshot.h"
#include "actors/interfaces.h"
#include "actors/options.h"
#include "controller/placement/prediction_book.h"

namespace avocet {

/// Predictions that one question may compute, so that others are answered soon: of what is not known then, the answer
/// shows none. PredictionTick computes them bit by bit.
inline constexpr size_t kMaxNewPredictions = 64;

/// Explanations that wait for the store, which is read one at a time: between two writes at most one of them. One more
/// is refused.
inline constexpr size_t kMaxWaitingExplanations = 64;

struct SnapshotActorArgs {
  store_actor store;
  ControllerOptions options;
};

/// What an agent was told of a device.
struct ToldPredictions {
  uint64_t registration = 0; ///< of the agent; 0: nothing was told
  SetPredictions predictions;
};

/// Answers questions about the cluster from the latest snapshot, so that looking never holds up decisions: whoever
/// lists, however often, waits here and not in the placement actor's mailbox. Tells agents what is predicted, too.
/// Predicting takes milliseconds for each device that changed: spawn it detached.
struct SnapshotActorState {
  static inline const char* name = "snapshot";
  ControllerOptions options;
  store_actor store;
  std::shared_ptr<const ClusterSnapshot> snapshot; ///< never null
  PredictionBook predictions;
  std::shared_ptr<const std::vector<AppStatus>> rows; ///< of the snapshot, when they were asked for and are complete
  std::deque<std::pair<AppId, caf::typed_response_promise<Decision>>> explanations; ///< the first one is being read
  std::map<DeviceId, ToldPredictions> told;                                         ///< what the agents show
  DeviceId next_told; ///< the device that the next PredictionTick begins with
  caf::actor_clock::time_point started_at;
};

snapshot_actor::behavior_type SnapshotBehavior(snapshot_actor::stateful_pointer<SnapshotActorState> self,
                                               const SnapshotActorArgs& args);

/// Spawns it; `detached` is false only under the deterministic test scheduler.
snapshot_actor SpawnSnapshots(caf::actor_system& system, const SnapshotActorArgs& args, bool detached);

} // namespace avocet
