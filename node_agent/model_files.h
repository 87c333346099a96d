#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "messages/ids.h"
#include "messages/status.h"
#include "messages/units.h"

namespace avocet {

/// How much of a model file travels in one message.
inline constexpr uint64_t kModelChunkBytes = kMiB;

struct ModelFilesOptions {
  std::filesystem::path directory;  ///< created when missing
  uint64_t max_bytes = 4096 * kMiB; ///< of all files; least recently used go first
  bool evict = true;                ///< false: a file that does not fit is refused instead
};

/// Between two looks at a file that is served: whoever asks for it can make it be read so often.
inline constexpr std::chrono::minutes kVerifyEvery(1);

/// Model files by content: `<directory>/<sha256>`. A file is visible only when complete, synced
/// and verified; a partial download survives as `<sha256>.part` and is resumed. A disk may lose bytes later, so a file
/// is verified again where its bytes matter: before it is loaded (Ensure), before it is served (Read), and when it is
/// stored again. One that is damaged is removed, with a line in the log, and counts as absent. The time of the last
/// use is the file's modification time, so it survives restarts. Files and folder are the owner's alone. A digest that
/// is not 64 lower-case hex digits is kInvalidArgument. Not thread-safe; one process per directory.
class ModelFiles {
public:
  /// Reads up to some bytes of the file from `offset`; empty at its end.
  using Fetch = std::function<Result<std::string>(const Sha256& file, uint64_t offset)>;

  /// Without eviction, what uploads left incomplete is removed: nobody goes on with them after a restart.
  static Result<ModelFiles> Open(ModelFilesOptions options);

  /// Path of a present file (marks it used), as it is; kNotFound otherwise.
  Result<std::filesystem::path> Find(const Sha256& file);
  /// As Find, but reads all of it: one that is damaged is removed, and is kNotFound. Hashes about 0.3 to 2 GB/s.
  Result<std::filesystem::path> FindWhole(const Sha256& file);
  /// Of a present file; nullopt otherwise.
  std::optional<uint64_t> SizeOf(const Sha256& file) const;
  /// Stores bytes under their digest.
  Result<Sha256> Put(std::string_view bytes);
  /// Appends one piece of an upload to the partial file and returns the next offset wanted: the end of
  /// this piece, `total_bytes` when the file is complete and verified, or, when `offset` is not where
  /// the partial file ends, the offset where it does (so a cut upload resumes). An empty piece asks
  /// for that offset. Errors as Ensure. When the disk is full, the partial file is removed.
  Result<uint64_t> PutChunk(const Sha256& file, uint64_t offset, uint64_t total_bytes, std::string_view data);
  /// The present and undamaged file, or downloads it (`size_bytes` 0: unknown beforehand); kCorruption when the bytes
  /// do not match the digest (the partial file is removed), kResourceExhausted when it can never fit.
  Result<std::filesystem::path> Ensure(const Sha256& file, uint64_t size_bytes, const Fetch& fetch);
  /// Bytes of a present file from `offset`, at most `max_bytes`. From offset 0 it is verified, if it was not within
  /// kVerifyEvery: kCorruption, once, when it is damaged.
  Result<std::string> Read(const Sha256& file, uint64_t offset, uint64_t max_bytes);
  /// Files that must not be evicted. Replaces the earlier set.
  void SetPinned(std::set<Sha256> files);
  /// Bytes of all files, partial ones included.
  uint64_t total_bytes() const;

private:
  struct Entry;
  explicit ModelFiles(ModelFilesOptions options) : options_(std::move(options)) {}
  std::filesystem::path PathOf(const Sha256& file) const;
  std::filesystem::path PartOf(const Sha256& file) const;
  std::vector<Entry> List() const;
  Status MakeRoom(const Sha256& file, uint64_t bytes);
  Status Download(const Sha256& file, uint64_t size_bytes, const Fetch& fetch, bool& resumed);
  Status Finish(const Sha256& file);
  Status Keep(const Sha256& file);
  void MarkUsed(const std::filesystem::path& path);
  Result<std::filesystem::path> FindToServe(const Sha256& file);
  void RemoveParts() const;

  ModelFilesOptions options_;
  std::set<Sha256> pinned_;
  std::map<Sha256, std::chrono::steady_clock::time_point> verified_; ///< of files that are served
  int64_t last_use_ns_ = 0; ///< time of the latest use; strictly grows, also when the wall clock steps back
};

/// Digest of bytes, and of a file read in pieces.
Sha256 Sha256Of(std::string_view bytes);
Result<Sha256> Sha256OfFile(const std::filesystem::path& file);

} // namespace avocet
