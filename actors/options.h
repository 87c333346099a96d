#pragma once

#include <cstddef>
#include <filesystem>

#include "actors/protocol/agent_plan.h"
#include "actors/protocol/window_buffer.h"
#include "controller/cluster/cluster_changes.h"
#include "controller/placement/admission_policy.h"
#include "controller/queueing/estimator.h"
#include "messages/units.h"

namespace avocet {

/// Deadlines of the requests between actors. A neighbour that misses one counts as dead for that request.
struct RequestDeadlines {
  Duration store = std::chrono::seconds(10);    ///< one group commit, for who can ask again; writes are waited for
  Duration local = std::chrono::seconds(5);     ///< a neighbour that only computes
  Duration command = std::chrono::seconds(15);  ///< until an agent has a command on disk; it answers within `store`
  Duration profile = std::chrono::seconds(90);  ///< until a profile run has ended
  Duration execute = std::chrono::seconds(300); ///< until a model is fetched, loaded and warm
};

struct ControllerOptions {
  Policy policy;
  EstimatorOptions estimator;
  RequestDeadlines deadlines;
  std::string role = "controller";          ///< what `version` shows
  Duration lease = std::chrono::seconds(3); ///< a node that sent no heartbeat for this long is away
  Duration lease_tick = std::chrono::milliseconds(500);
  Duration persist_every = std::chrono::seconds(2); ///< at most this much measurement is re-sent after a crash
  Duration predict_every = std::chrono::seconds(1); ///< between looks at what agents should show as predicted
  size_t max_events = 1000;                         ///< kept in memory and on disk; older ones are dropped
  ClusterLimits limits;
  std::filesystem::path data_dir;                ///< whose disk is watched; empty: none
  Duration disk_tick = std::chrono::seconds(10); ///< between looks at its room
  bool detached = true; ///< store and snapshots with threads of their own; false only under the deterministic scheduler
};

struct AgentActorOptions {
  RequestDeadlines deadlines;
  Duration window = std::chrono::milliseconds(200); ///< length of a measurement window
  Duration heartbeat = std::chrono::seconds(1);     ///< a third of the controller's lease
  WindowBufferOptions buffer;
  AgentPlanOptions plan;
  std::filesystem::path data_dir;                ///< whose disk is watched; empty: none
  Duration disk_tick = std::chrono::seconds(10); ///< between looks at its room
  bool detached_workers = true;                  ///< false only under the deterministic test scheduler
};

} // namespace avocet
