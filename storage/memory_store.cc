#include "storage/memory_store.h"

namespace avocet {

Result<std::optional<std::string>> MemoryStore::Get(std::string_view key) const {
  const auto found = records_.find(key);
  if (found == records_.end()) return std::optional<std::string>{};
  return std::optional<std::string>{found->second};
}

Status MemoryStore::Scan(std::string_view prefix,
                         const std::function<bool(std::string_view key, std::string_view value)>& visit) const {
  for (auto it = records_.lower_bound(prefix); it != records_.end() && it->first.starts_with(prefix); ++it) {
    if (!visit(it->first, it->second)) break;
  }
  return {};
}

Status MemoryStore::Write(const WriteBatch& batch, Sync /*sync*/) {
  AVOCET_RETURN_IF_ERROR(batch.refused);
  for (const auto& change : batch.changes) {
    if (change.value) {
      records_.insert_or_assign(change.key, *change.value);
    } else {
      records_.erase(change.key);
    }
  }
  return {};
}

} // namespace avocet
