#pragma once

#include <deque>
#include <functional>
#include <map>
#include <set>

#include "actors/controller_records.h"
#include "actors/interfaces.h"
#include "actors/options.h"
#include "controller/prediction_cache.h"

namespace avocet {

/// One more makes the one that waits longest ask again.
inline constexpr size_t kMaxEventWaiters = 256;

struct PlacementActorArgs {
  ControllerRecords records;
  store_actor store;
  ControllerOptions options;
};

/// An admitted application whose device is not free yet: it starts when these have moved.
struct Waiting {
  Placement placement;
  std::set<AppId> moving;
};

/// The single writer of placements. Owns the ClusterView, asks Decide, has the decision on disk
/// before anyone is told, then commands the agent.
struct PlacementActorState {
  static inline const char* name = "placement";
  ControllerRecords records;
  store_actor store;
  ControllerOptions options;
  std::map<NodeId, agent_handle> agents;
  std::map<DeviceId, device_actor> devices;
  std::map<AppId, Placement> retiring; ///< old copies to stop once the new one is ready
  uint64_t durable_events = 0;         ///< events up to this sequence number are on disk
  std::deque<std::pair<uint64_t, caf::typed_response_promise<EventList>>> event_waiters; ///< after which number
  std::map<AppId, Waiting> waiting; ///< by the application that waits for room
  PredictionCache predictions;
  std::map<DeviceId, std::vector<PredictedLatency>> told_predictions; ///< what the agents show
  DeviceId next_prediction;                                           ///< where the next look begins
  caf::actor_clock::time_point started_at;
};

placement_actor::behavior_type PlacementBehavior(placement_actor::stateful_pointer<PlacementActorState> self,
                                                 const std::shared_ptr<const PlacementActorArgs>& args);

} // namespace avocet
