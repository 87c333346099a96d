#include "storage/rocks_store.h"

#include <array>
#include <cstdarg>
#include <cstdio>
#include <system_error>
#include <utility>

#include <rocksdb/cache.h>
#include <rocksdb/db.h>
#include <rocksdb/env.h>
#include <rocksdb/options.h>
#include <rocksdb/table.h>
#include <rocksdb/write_batch.h>
#include <spdlog/spdlog.h>

#include "storage/write_ahead_log.h"

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

/// What it warns of goes where our own lines go.
class ToOurLog final : public rocksdb::Logger {
public:
  ToOurLog() : rocksdb::Logger(rocksdb::InfoLogLevel::WARN_LEVEL) {}
  using rocksdb::Logger::Logv;
  void Logv(const char* format, va_list arguments) override {
    std::array<char, 1024> line{};
    const int size = std::vsnprintf(line.data(), line.size(), format, arguments);
    if (size > 0) spdlog::warn("rocksdb text=\"{}\"", line.data());
  }
};

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

  // After a power cut the last record may be torn in any way; CheckWriteAheadLogs has seen that nothing follows it.
  db.wal_recovery_mode = rocksdb::WALRecoveryMode::kPointInTimeRecovery;

  // Records are small and few: two buffers bound the memory, and the log that a restart replays.
  db.write_buffer_size = options.write_buffer_bytes;
  db.max_write_buffer_number = 2;
  db.max_total_wal_size = 4 * options.write_buffer_bytes;
  db.max_open_files = 64;
  db.max_background_jobs = options.background_jobs;

  // Debian builds differ in their compressors; a store must open wherever it is carried.
  db.compression = rocksdb::kNoCompression;

  // Its own logger ends the process with an assertion at the second line that does not fit on a full disk.
  db.info_log = std::make_shared<ToOurLog>();
  // After a failed write we open the folder again (RocksStore::Write); what it would do meanwhile, it does not do well.
  db.max_bgerror_resume_count = 0;

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
  return {};
}

namespace {

Result<std::unique_ptr<rocksdb::DB>> OpenDatabase(const RocksStoreOptions& options) {
  if (auto status = CheckWriteAheadLogs(options.directory); !status.ok())
    return status.WithContext(InDirectory(options.directory));
  rocksdb::DB* db = nullptr;
  const auto status = rocksdb::DB::Open(DatabaseOptions(options), options.directory.string(), &db);
  if (!status.ok()) return FromRocks(status, options.directory);
  return std::unique_ptr<rocksdb::DB>(db);
}

Result<std::optional<std::string>> GetFrom(rocksdb::DB& db, std::string_view key,
                                           const std::filesystem::path& directory) {
  std::string value;
  const auto status = db.Get(rocksdb::ReadOptions(), ToSlice(key), &value);
  if (status.IsNotFound()) return std::optional<std::string>{};
  if (!status.ok()) return FromRocks(status, directory);
  return std::optional<std::string>{std::move(value)};
}

Status WriteTo(rocksdb::DB& db, const WriteBatch& batch, Sync sync, const std::filesystem::path& directory) {
  rocksdb::WriteBatch changes;
  for (const auto& change : batch.changes) {
    const auto added =
        change.value ? changes.Put(ToSlice(change.key), ToSlice(*change.value)) : changes.Delete(ToSlice(change.key));
    if (!added.ok()) return FromRocks(added, directory);
  }
  rocksdb::WriteOptions write;
  write.sync = sync == Sync::kYes;
  return FromRocks(db.Write(write, &changes), directory);
}

} // namespace

struct RocksStore::Impl {
  RocksStoreOptions options;
  std::unique_ptr<rocksdb::DB> db; ///< null after a failed write, until it is open again
  WriteBatch undo;                 ///< of the failed write
  Status lost;                     ///< not ok: what the failed write replaced could not be read

  const std::filesystem::path& directory() const { return options.directory; }

  /// Open, and as if the failed write had never been; or why not.
  Status Ready() {
    if (db != nullptr) return {};
    AVOCET_RETURN_IF_ERROR(lost);

    AVOCET_ASSIGN_OR_RETURN(auto opened, OpenDatabase(options));
    AVOCET_RETURN_IF_ERROR(WriteTo(*opened, undo, Sync::kYes, directory()));
    db = std::move(opened);
    undo = {};
    spdlog::info("store writable again directory={}", directory().string());
    return {};
  }

  /// Its changes may be in the log all the same, and would be there after the next start, although who wrote was told
  /// otherwise. RocksDB shows the records as they were; asked to write on, Debian's build ends with an assertion.
  void Suspend(const WriteBatch& failed, const Status& why) {
    spdlog::error("store not writable directory={} reason=\"{}\"", directory().string(), why.message());
    for (const auto& change : failed.changes) {
      auto before = GetFrom(*db, change.key, directory());
      if (!before.ok())
        lost = before.status().WithContext("a write failed, and what it replaced cannot be read; restart the process");
      else
        undo.changes.push_back({change.key, std::move(*before)});
    }
    db.reset();
  }
};

RocksStore::RocksStore(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
RocksStore::~RocksStore() = default;

Result<std::unique_ptr<RocksStore>> RocksStore::Open(const RocksStoreOptions& options) {
  AVOCET_RETURN_IF_ERROR(Validate(options));
  std::error_code error;
  std::filesystem::create_directories(options.directory, error);
  if (error) return Unavailable(InDirectory(options.directory) + " cannot be created: " + error.message());
  // Records are nobody else's business; a folder of another owner stays as it is.
  std::filesystem::permissions(options.directory, std::filesystem::perms::owner_all, error);
  AVOCET_ASSIGN_OR_RETURN(auto db, OpenDatabase(options));
  auto impl = std::make_unique<Impl>(Impl{options, std::move(db), {}, {}});
  return std::unique_ptr<RocksStore>(new RocksStore(std::move(impl)));
}

Result<std::optional<std::string>> RocksStore::Get(std::string_view key) const {
  AVOCET_RETURN_IF_ERROR(impl_->Ready());
  return GetFrom(*impl_->db, key, impl_->directory());
}

Status RocksStore::Scan(std::string_view prefix,
                        const std::function<bool(std::string_view key, std::string_view value)>& visit) const {
  AVOCET_RETURN_IF_ERROR(impl_->Ready());
  rocksdb::ReadOptions read;
  const std::optional<std::string> end = EndOf(prefix);
  const rocksdb::Slice bound = end ? ToSlice(*end) : rocksdb::Slice();
  if (end) read.iterate_upper_bound = &bound;
  const std::unique_ptr<rocksdb::Iterator> it(impl_->db->NewIterator(read));
  for (it->Seek(ToSlice(prefix)); it->Valid(); it->Next()) {
    if (!visit(ToView(it->key()), ToView(it->value()))) break;
  }
  return FromRocks(it->status(), impl_->directory());
}

Status RocksStore::Write(const WriteBatch& batch, Sync sync) {
  AVOCET_RETURN_IF_ERROR(batch.refused);
  if (batch.empty()) return {};
  AVOCET_RETURN_IF_ERROR(impl_->Ready());
  Status status = WriteTo(*impl_->db, batch, sync, impl_->directory());
  if (!status.ok()) impl_->Suspend(batch, status);
  return status;
}

} // namespace avocet
