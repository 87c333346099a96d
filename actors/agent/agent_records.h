#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <vector>

#include "messages/placement.h"
#include "messages/status.h"
#include "storage/store.h"

namespace avocet {

/// Everything that an agent keeps across restarts.
struct AgentRecords {
  std::unique_ptr<Store> store;
  std::vector<Placement> plan;
  uint64_t highest_epoch = 0;
  uint64_t instance = 0; ///< see RegisterAgent
  uint64_t cluster = 0;  ///< see ClusterGuard; 0: none yet
};

/// Folders of damaged records that are kept; one more replaces the oldest.
inline constexpr int kMaxDamagedFolders = 3;

/// Opens `<data_dir>/db` and reads it. Damaged records are renamed to `<data_dir>/db.damaged-<n>` (1: the latest), with
/// a line in the log, and the agent starts anew: its controller tells it again what to run, as after the loss of a
/// disk. Any other error (in use, another role's, a newer schema, a disk that cannot be read now) is returned.
Result<AgentRecords> OpenAgentRecords(const std::filesystem::path& data_dir);

} // namespace avocet
