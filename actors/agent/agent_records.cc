#include "actors/agent/agent_records.h"

#include <string>
#include <system_error>
#include <utility>

#include <spdlog/spdlog.h>

#include "storage/records.h"
#include "storage/rocks_store.h"

namespace avocet {
namespace {

Result<AgentRecords> Open(const std::filesystem::path& folder) {
  AgentRecords records;
  AVOCET_ASSIGN_OR_RETURN(auto store, RocksStore::Open({.directory = folder}));
  AVOCET_RETURN_IF_ERROR(OpenSchema(*store, StoreRole::kAgent));
  AVOCET_ASSIGN_OR_RETURN(records.plan, LoadAll(*store, kPlan));
  AVOCET_ASSIGN_OR_RETURN(const auto highest_epoch, Load(*store, kHighestEpoch));
  AVOCET_ASSIGN_OR_RETURN(const auto cluster, Load(*store, kCluster));
  AVOCET_ASSIGN_OR_RETURN(records.instance, LoadOrDraw(*store, kInstance));
  records.highest_epoch = highest_epoch.value_or(0);
  records.cluster = cluster.value_or(0);
  records.store = std::move(store);
  return records;
}

std::filesystem::path Damaged(const std::filesystem::path& data_dir, int number) {
  return data_dir / ("db.damaged-" + std::to_string(number));
}

Status SetAside(const std::filesystem::path& data_dir) {
  std::error_code error;
  std::filesystem::remove_all(Damaged(data_dir, kMaxDamagedFolders), error);
  for (int number = kMaxDamagedFolders - 1; number >= 1 && !error; --number) {
    if (std::filesystem::exists(Damaged(data_dir, number)))
      std::filesystem::rename(Damaged(data_dir, number), Damaged(data_dir, number + 1), error);
  }
  if (!error) std::filesystem::rename(data_dir / "db", Damaged(data_dir, 1), error);
  return error ? Unavailable("cannot set aside " + (data_dir / "db").string() + ": " + error.message()) : Status{};
}

} // namespace

Result<AgentRecords> OpenAgentRecords(const std::filesystem::path& data_dir) {
  auto records = Open(data_dir / "db");
  if (records.ok() || records.status().code() != StatusCode::kCorruption) return records;

  AVOCET_RETURN_IF_ERROR(SetAside(data_dir));
  spdlog::error("records damaged: set aside, the agent starts without its plan folder={} reason=\"{}\"",
                Damaged(data_dir, 1).string(), records.status().message());
  return Open(data_dir / "db");
}

} // namespace avocet
