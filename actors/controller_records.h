#pragma once

#include <cstdint>
#include <deque>
#include <map>

#include "controller/cluster_view.h"
#include "messages/command.h"
#include "storage/store.h"

namespace avocet {

/// Everything the controller remembers across restarts.
struct ControllerRecords {
  ClusterView view;                    ///< devices are away until their agents register
  std::map<AppId, Decision> decisions; ///< the last one of each application
  std::deque<Event> events;            ///< oldest first
  uint64_t last_epoch = 0;
};

/// Reads it all; an undecodable record is an error that names its key. An empty store gives empty
/// records. Requires OpenSchema.
Result<ControllerRecords> LoadControllerRecords(const Store& store);

} // namespace avocet
