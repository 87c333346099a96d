#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "messages/units.h"
#include "storage/store.h"

namespace avocet {

/// Sized for an edge machine whose records fit in a few MiB; raise them only after measuring.
struct RocksStoreOptions {
  std::filesystem::path directory;        ///< created, with its parents, when missing; its owner's alone (0700)
  uint64_t block_cache_bytes = 1 * kMiB;  ///< of read blocks kept in memory; > 0
  uint64_t write_buffer_bytes = 1 * kMiB; ///< of recent writes kept in memory before they go to a table; >= 64 KiB
  int background_jobs = 2;                ///< threads that flush and compact; 1..16
};

/// kInvalidArgument that names the field.
Status Validate(const RocksStoreOptions& options);

/// A Store in a directory, on RocksDB. One process holds a directory at a time.
///
/// Survives a kill at any moment: every acknowledged batch is there, and of an unacknowledged one
/// everything or nothing. Survives a power cut: the same for batches written with Sync::kYes; later
/// ones may be gone, but never one whose successor is there.
///
/// Survives a disk that refuses writes: a failed batch may be in the files all the same, so the folder is closed, and
/// opened again by the next call; what the failed batch changed is put back first. Until that succeeds every call is
/// answered with the disk's error.
class RocksStore final : public Store {
public:
  /// kInvalidArgument (options), kUnavailable (the directory is in use or cannot be used),
  /// kCorruption (its files are damaged: nothing is repaired or thrown away; only the last record of a log may be torn)
  static Result<std::unique_ptr<RocksStore>> Open(const RocksStoreOptions& options);
  ~RocksStore() override;
  RocksStore(const RocksStore&) = delete;
  RocksStore& operator=(const RocksStore&) = delete;

  Result<std::optional<std::string>> Get(std::string_view key) const override;
  Status Scan(std::string_view prefix,
              const std::function<bool(std::string_view key, std::string_view value)>& visit) const override;
  /// kResourceExhausted when the disk is full.
  Status Write(const WriteBatch& batch, Sync sync) override;

private:
  struct Impl;
  explicit RocksStore(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

} // namespace avocet
