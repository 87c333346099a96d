#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

namespace avocet {

/// What to tell of a disk.
struct DiskRoomChange {
  bool low = false; ///< false: there is room again
  std::string text; ///< which folder, how much is left of how much
};

/// Tells once when a disk has little room left, and once when it has enough again: an operator should hear of it before
/// writes are refused. Not thread-safe.
class DiskRoomWatch {
public:
  /// An empty folder is never looked at.
  explicit DiskRoomWatch(std::filesystem::path folder) : folder_(std::move(folder)) {}

  /// Asks the file system. Nothing where it does not answer.
  std::optional<DiskRoomChange> Look();
  /// The rule: little is less than 5 % of the disk, but never more than 1 GiB or less than 64 MiB; twice that is
  /// enough.
  std::optional<DiskRoomChange> Judge(uint64_t free_bytes, uint64_t total_bytes);

private:
  std::filesystem::path folder_;
  bool low_ = false;
};

} // namespace avocet
