#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <vector>

#include "controller/cluster/cluster_view.h"
#include "controller/cluster/decision_history.h"
#include "controller/cluster/removals.h"
#include "messages/command.h"
#include "messages/totals.h"
#include "node_agent/model_files.h"
#include "storage/store.h"

namespace avocet {

/// Everything the controller keeps across restarts.
struct ControllerRecords {
  ClusterView view;                                   ///< devices are away until their agents register
  DecisionHistory history;                            ///< whose decisions are kept
  std::deque<Event> events;                           ///< oldest first
  std::map<DeviceId, std::vector<TotalsSlot>> totals; ///< only of applications that are in the view
  Removals removals;
  uint64_t last_epoch = 0;
  uint64_t cluster = 0;                     ///< see ClusterGuard
  std::map<Sha256, std::string> lost_files; ///< model files that are not there as they should be: why
};

/// Events that name one record (or model) each, of those set aside (or without a file) at a start; one more counts the
/// others.
inline constexpr size_t kMaxSetAsideEvents = 32;

/// Reads it all. An application, placement, model or counter that cannot be read is an error that names its key and
/// says what to do. Any other record (event, fit, profile, node, last decision) comes back by itself or is history: it
/// is set aside (storage/records.h), with a line in the log and an event that names it. Decisions that are not kept any
/// more, or were kept in more words by an earlier version, are cut to what is kept. An empty store gives empty records,
/// and a new cluster. Requires OpenSchema.
Result<ControllerRecords> LoadControllerRecords(Store& store);

/// Looks for the files of all models, and at their sizes. What is missing goes into `lost_files`, the log and, on disk,
/// events: the records may have been restored without models/, or the other way round.
Status NoteLostFiles(Store& store, const ModelFiles& files, ControllerRecords& records);

} // namespace avocet
