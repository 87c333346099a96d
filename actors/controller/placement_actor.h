#pragma once

#include <deque>
#include <functional>
#include <map>

#include "actors/controller/cluster_snapshot.h"
#include "actors/controller/controller_records.h"
#include "actors/interfaces.h"
#include "actors/options.h"
#include "actors/protocol/command_refusals.h"
#include "actors/protocol/fetch_grants.h"
#include "actors/protocol/keyed_budget.h"
#include "controller/cluster/orphans.h"
#include "controller/cluster/pending_moves.h"
#include "controller/cluster/undo_log.h"
#include "controller/placement/prediction_cache.h"

namespace avocet {

/// One more makes the one that waits longest ask again.
inline constexpr size_t kMaxEventWaiters = 256;
/// Changes that wait for the disk; one more is refused.
inline constexpr size_t kMaxWritesUnderWay = 1024;

struct PlacementActorArgs {
  ControllerRecords records;
  store_actor store;
  snapshot_actor snapshots;
  ControllerOptions options;
};

/// The single writer of placements. Owns the ClusterView, asks Decide, has the decision on disk
/// before anyone learns of it, then commands the agent. Questions are answered by the snapshot actor, to which the view
/// is published whenever it changed.
struct PlacementActorState {
  static inline const char* name = "placement";
  ControllerRecords records;
  store_actor store;
  snapshot_actor snapshots;
  ControllerOptions options;
  bool published = true; ///< the snapshot actor was sent all that is known
  uint64_t last_registration = 0;
  std::map<NodeId, RegisteredAgent> agents;
  std::map<DeviceId, device_actor> devices;
  PendingMoves moves;                            ///< what to stop, and to start, when a new copy serves
  Orphans orphans;                               ///< what agents run and the records do not know
  std::map<NodeId, ForeignerRefused> foreigners; ///< bounded by ClusterGuard
  CommandRefusals refusals;                      ///< commands that agents did not take
  UndoLog undo;                                  ///< changes of the view that are on their way to the disk
  size_t writes_under_way = 0;                   ///< to the disk
  uint64_t sent_events = 0;                      ///< events up to this sequence number are on disk or on their way
  uint64_t durable_events = 0;                   ///< events up to this sequence number are on disk
  std::deque<std::pair<uint64_t, caf::typed_response_promise<EventList>>> event_waiters; ///< after which number
  PredictionCache predictions;
  FetchGrants grants; ///< files that agents may fetch because they were told to
  /// Events that agents cause.
  KeyedBudget<NodeId> node_events{{.burst = 100, .interval = std::chrono::seconds(5)}};
  KeyedBudget<NodeId> node_lines{{.burst = 20, .interval = std::chrono::seconds(5)}}; ///< in the log, likewise
};

placement_actor::behavior_type PlacementBehavior(placement_actor::stateful_pointer<PlacementActorState> self,
                                                 const std::shared_ptr<const PlacementActorArgs>& args);

} // namespace avocet
