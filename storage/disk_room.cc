#include "storage/disk_room.h"

#include <algorithm>
#include <system_error>

#include "messages/units.h"

namespace avocet {

std::optional<DiskRoomChange> DiskRoomWatch::Look() {
  if (folder_.empty()) return std::nullopt;
  std::error_code error;
  const auto space = std::filesystem::space(folder_, error);
  if (error || space.capacity == 0) return std::nullopt;
  return Judge(space.available, space.capacity);
}

std::optional<DiskRoomChange> DiskRoomWatch::Judge(uint64_t free_bytes, uint64_t total_bytes) {
  const uint64_t little = std::clamp(total_bytes / 20, 64 * kMiB, 1024 * kMiB);
  // Between the two limits nothing changes, or a disk at the limit would be told of over and over.
  if (low_ ? free_bytes < 2 * little : free_bytes >= little) return std::nullopt;
  low_ = !low_;
  return DiskRoomChange{low_, "the disk of " + folder_.string() + " has " + std::to_string(free_bytes / kMiB) + " of " +
                                  std::to_string(total_bytes / kMiB) + " MiB left"};
}

} // namespace avocet
