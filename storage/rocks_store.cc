#include "storage/rocks_store.h"

#include <system_error>
#include <utility>

#include <rocksdb/cache.h>
#include <rocksdb/db.h>
#include <rocksdb/options.h>
#include <rocksdb/table.h>
#include <rocksdb/write_batch.h>

namespace avocet {
namespace {

rocksdb::Slice ToSlice(std::string_view text) {
  return {text.data(), text.size()};
}
std::string_view ToView(const rocksdb::Slice& slice) {
  return {slice.data(), slice.size()};
}

std::string InDirectory(const std::filesystem::path& directory) {
  return "store '" + directory.string() + "'";
}

bool IsLockFailure(const rocksdb::Status& status) {
  const std::string text = status.ToString();
  return status.IsIOError() && (text.find("While lock file") != std::string::npos ||
                                text.find("lock hold by current process") != std::string::npos);
}

Status FromRocks(const rocksdb::Status& status, const std::filesystem::path& directory) {
  if (status.ok()) return {};
  const std::string text = InDirectory(directory) + ": " + status.ToString();
  if (IsLockFailure(status)) {
    return Unavailable(InDirectory(directory) +
                       " is in use by another process; stop that process or choose another data_dir");
  }
  if (status.IsCorruption()) return Corruption(text + "; restore the directory from a backup or remove it");
  if (status.IsNoSpace()) return ResourceExhausted(text + "; free space on its disk");
  if (status.IsInvalidArgument() || status.IsNotSupported()) return Internal(text);
  return Unavailable(text);
}

rocksdb::BlockBasedTableOptions TableOptions(const RocksStoreOptions& options) {
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = rocksdb::NewLRUCache(options.block_cache_bytes, /*num_shard_bits=*/0);
  return table;
}

rocksdb::Options DatabaseOptions(const RocksStoreOptions& options) {
  rocksdb::Options db;
  db.create_if_missing = true;
  // A checksum that does not match is an error, never an answer.
  db.paranoid_checks = true;

  // After a power cut the unsynced tail may have holes; stop there instead of refusing to start.
  db.wal_recovery_mode = rocksdb::WALRecoveryMode::kPointInTimeRecovery;

  // Records are small and few: two buffers bound the memory, and the log that a restart replays.
  db.write_buffer_size = options.write_buffer_bytes;
  db.max_write_buffer_number = 2;
  db.max_total_wal_size = 4 * options.write_buffer_bytes;
  db.max_open_files = 64;
  db.max_background_jobs = options.background_jobs;

  // Debian builds differ in their compressors; a store must open wherever it is carried.
  db.compression = rocksdb::kNoCompression;

  db.info_log_level = rocksdb::InfoLogLevel::WARN_LEVEL;
  db.max_log_file_size = options.max_info_log_bytes;
  db.keep_log_file_num = 2;

  // Periodic statistics would wake an idle process for nobody.
  db.stats_dump_period_sec = 0;
  db.stats_persist_period_sec = 0;

  db.table_factory.reset(rocksdb::NewBlockBasedTableFactory(TableOptions(options)));

  return db;
}

/// The smallest key greater than all that begin with `prefix`; nullopt when there is none.
std::optional<std::string> EndOf(std::string_view prefix) {
  std::string end(prefix);
  while (!end.empty() && static_cast<unsigned char>(end.back()) == 0xff)
    end.pop_back();
  if (end.empty()) return std::nullopt;
  end.back() = static_cast<char>(static_cast<unsigned char>(end.back()) + 1);
  return end;
}

} // namespace

Status Validate(const RocksStoreOptions& options) {
  if (options.directory.empty()) return InvalidArgument("store directory is empty; name one");
  if (options.block_cache_bytes == 0) return InvalidArgument("store block_cache_bytes is 0; at least 1 is needed");
  if (options.write_buffer_bytes < kMiB / 16) {
    return InvalidArgument("store write_buffer_bytes is " + std::to_string(options.write_buffer_bytes) +
                           "; at least 65536 are needed");
  }
  if (options.background_jobs < 1 || options.background_jobs > 16) {
    return InvalidArgument("store background_jobs is " + std::to_string(options.background_jobs) +
                           "; 1 to 16 are possible");
  }
  if (options.max_info_log_bytes == 0) return InvalidArgument("store max_info_log_bytes is 0; at least 1 is needed");
  return {};
}

struct RocksStore::Impl {
  std::filesystem::path directory;
  std::unique_ptr<rocksdb::DB> db;
};

RocksStore::RocksStore(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
RocksStore::~RocksStore() = default;

Result<std::unique_ptr<RocksStore>> RocksStore::Open(const RocksStoreOptions& options) {
  AVOCET_RETURN_IF_ERROR(Validate(options));
  std::error_code error;
  std::filesystem::create_directories(options.directory, error);
  if (error) return Unavailable(InDirectory(options.directory) + " cannot be created: " + error.message());
  rocksdb::DB* db = nullptr;
  const auto status = rocksdb::DB::Open(DatabaseOptions(options), options.directory.string(), &db);
  if (!status.ok()) return FromRocks(status, options.directory);
  auto impl = std::make_unique<Impl>(Impl{options.directory, std::unique_ptr<rocksdb::DB>(db)});
  return std::unique_ptr<RocksStore>(new RocksStore(std::move(impl)));
}

Result<std::optional<std::string>> RocksStore::Get(std::string_view key) const {
  std::string value;
  const auto status = impl_->db->Get(rocksdb::ReadOptions(), ToSlice(key), &value);
  if (status.IsNotFound()) return std::optional<std::string>{};
  if (!status.ok()) return FromRocks(status, impl_->directory);
  return std::optional<std::string>{std::move(value)};
}

Status RocksStore::Scan(std::string_view prefix,
                        const std::function<bool(std::string_view key, std::string_view value)>& visit) const {
  rocksdb::ReadOptions read;
  const std::optional<std::string> end = EndOf(prefix);
  const rocksdb::Slice bound = end ? ToSlice(*end) : rocksdb::Slice();
  if (end) read.iterate_upper_bound = &bound;
  const std::unique_ptr<rocksdb::Iterator> it(impl_->db->NewIterator(read));
  for (it->Seek(ToSlice(prefix)); it->Valid(); it->Next()) {
    if (!visit(ToView(it->key()), ToView(it->value()))) break;
  }
  return FromRocks(it->status(), impl_->directory);
}

Status RocksStore::Write(const WriteBatch& batch, Sync sync) {
  AVOCET_RETURN_IF_ERROR(batch.refused);
  if (batch.empty()) return {};
  rocksdb::WriteBatch changes;
  for (const auto& change : batch.changes) {
    const auto added =
        change.value ? changes.Put(ToSlice(change.key), ToSlice(*change.value)) : changes.Delete(ToSlice(change.key));
    if (!added.ok()) return FromRocks(added, impl_->directory);
  }
  rocksdb::WriteOptions write;
  write.sync = sync == Sync::kYes;
  return FromRocks(impl_->db->Write(write, &changes), impl_->directory);
}

} // namespace avocet
