#include "node_agent/model_files.h"

#include <fcntl.h>
#include <openssl/evp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <memory>
#include <system_error>

#include <spdlog/spdlog.h>

#include "messages/files.h"
#include "messages/model.h"
#include "node_agent/file_io.h"

namespace avocet {
namespace {

constexpr size_t kPieceBytes = 256 * 1024;
constexpr std::string_view kPartSuffix = ".part";

Status CheckDigest(const Sha256& file) {
  if (IsSha256(file)) return {};
  return InvalidArgument("'" + file.str() + "' is not a sha256 digest: 64 lower-case hex digits");
}

Status BadSize(const Sha256& file, uint64_t bytes) {
  return InvalidArgument("model file " + file.str() + " cannot have " + std::to_string(bytes) + " bytes");
}

class Hasher {
public:
  Hasher() : context_(EVP_MD_CTX_new(), &EVP_MD_CTX_free) { EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr); }
  void Add(std::string_view bytes) { EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()); }
  Sha256 Finish() {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned int size = 0;
    EVP_DigestFinal_ex(context_.get(), digest.data(), &size);
    std::string text;
    for (unsigned int i = 0; i < size; ++i) {
      text += "0123456789abcdef"[digest[i] >> 4];
      text += "0123456789abcdef"[digest[i] & 15];
    }
    return Sha256(text);
  }

private:
  std::unique_ptr<EVP_MD_CTX, void (*)(EVP_MD_CTX*)> context_;
};

int64_t FileTimeNs(const struct stat& status) {
  return int64_t{status.st_mtim.tv_sec} * 1'000'000'000 + status.st_mtim.tv_nsec;
}

} // namespace

Sha256 Sha256Of(std::string_view bytes) {
  Hasher hasher;
  hasher.Add(bytes);
  return hasher.Finish();
}

Result<Sha256> Sha256OfFile(const std::filesystem::path& file) {
  const Fd fd = OpenFile(file, O_RDONLY);
  if (!fd.ok()) return FileError("open", file, errno);
  Hasher hasher;
  std::string piece(kPieceBytes, '\0');
  for (uint64_t offset = 0;;) {
    AVOCET_ASSIGN_OR_RETURN(const auto got, ReadAt(fd, file, piece.data(), piece.size(), offset));
    hasher.Add(std::string_view(piece).substr(0, got));
    if (got < piece.size()) return hasher.Finish();
    offset += got;
  }
}

struct ModelFiles::Entry {
  std::filesystem::path path;
  Sha256 file;
  uint64_t bytes = 0;
  int64_t used_ns = 0;
};

Result<ModelFiles> ModelFiles::Open(ModelFilesOptions options) {
  std::error_code error;
  std::filesystem::create_directories(options.directory, error);
  if (error) return FileError("create", options.directory, error.value());
  // Models are somebody's property; a folder of another owner stays as it is.
  std::filesystem::permissions(options.directory, std::filesystem::perms::owner_all, error);
  if (access(options.directory.c_str(), R_OK | W_OK | X_OK) != 0) return FileError("use", options.directory, errno);
  ModelFiles files(std::move(options));
  if (!files.options_.evict) files.RemoveParts();
  for (const Entry& entry : files.List())
    files.last_use_ns_ = std::max(files.last_use_ns_, entry.used_ns);
  return files;
}

std::filesystem::path ModelFiles::PathOf(const Sha256& file) const {
  return options_.directory / file.str();
}

std::filesystem::path ModelFiles::PartOf(const Sha256& file) const {
  return options_.directory / (file.str() + std::string(kPartSuffix));
}

std::vector<ModelFiles::Entry> ModelFiles::List() const {
  std::vector<Entry> entries;
  std::error_code error;
  for (const auto& item : std::filesystem::directory_iterator(options_.directory, error)) {
    std::string name = item.path().filename().string();
    if (name.ends_with(kPartSuffix)) name.resize(name.size() - kPartSuffix.size());
    struct stat status {};
    if (!CheckDigest(Sha256(name)).ok() || stat(item.path().c_str(), &status) != 0) continue;
    entries.push_back({item.path(), Sha256(name), static_cast<uint64_t>(status.st_size), FileTimeNs(status)});
  }
  return entries;
}

void ModelFiles::RemoveParts() const {
  for (const Entry& entry : List()) {
    if (entry.path.extension() != kPartSuffix) continue;
    spdlog::info("incomplete model file removed file={} bytes={}", entry.file.str(), entry.bytes);
    (void)unlink(entry.path.c_str()); // a bound on all files counts it, so it costs room at most
  }
}

uint64_t ModelFiles::total_bytes() const {
  uint64_t total = 0;
  for (const Entry& entry : List())
    total += entry.bytes;
  return total;
}

void ModelFiles::SetPinned(std::set<Sha256> files) {
  pinned_ = std::move(files);
}

void ModelFiles::MarkUsed(const std::filesystem::path& path) {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  last_use_ns_ = std::max(last_use_ns_ + 1, int64_t{std::chrono::nanoseconds(now).count()});
  const timespec time{last_use_ns_ / 1'000'000'000, last_use_ns_ % 1'000'000'000};
  const std::array<timespec, 2> times{time, time};
  (void)utimensat(AT_FDCWD, path.c_str(), times.data(), 0); // a worse eviction order at most
}

Result<std::filesystem::path> ModelFiles::Find(const Sha256& file) {
  AVOCET_RETURN_IF_ERROR(CheckDigest(file));
  std::filesystem::path path = PathOf(file);
  if (access(path.c_str(), R_OK) != 0) return NotFound("no model file " + file.str());
  MarkUsed(path);
  return path;
}

std::optional<uint64_t> ModelFiles::SizeOf(const Sha256& file) const {
  struct stat status {};
  if (!CheckDigest(file).ok() || stat(PathOf(file).c_str(), &status) != 0) return std::nullopt;
  return static_cast<uint64_t>(status.st_size);
}

Result<std::filesystem::path> ModelFiles::FindWhole(const Sha256& file) {
  AVOCET_ASSIGN_OR_RETURN(auto path, Find(file));
  const auto digest = Sha256OfFile(path);
  const bool damaged = digest.ok() ? *digest != file : digest.status().code() == StatusCode::kCorruption;
  if (!damaged && !digest.ok()) return digest.status();
  if (!damaged) return path;

  spdlog::error("model file damaged: removed file={} found=\"{}\"", file.str(),
                digest.ok() ? digest->str() : digest.status().message());
  if (unlink(path.c_str()) != 0) return FileError("remove", path, errno);
  return NotFound("model file " + file.str() + " was damaged, and removed");
}

/// Evicts least recently used files until `file` with `bytes` fits beside the rest.
Status ModelFiles::MakeRoom(const Sha256& file, uint64_t bytes) {
  std::vector<Entry> others = List();
  std::erase_if(others, [&](const Entry& entry) { return entry.file == file; });

  uint64_t used = 0;
  uint64_t fixed = 0;
  for (const Entry& entry : others) {
    used += entry.bytes;
    // What may not be removed: files in use, and all where eviction is off.
    if (!options_.evict || pinned_.contains(entry.file)) fixed += entry.bytes;
  }
  // By subtraction: `fixed + bytes` could overflow.
  if (bytes > options_.max_bytes || fixed > options_.max_bytes - bytes)
    return ResourceExhausted("model file " + file.str() + " of " + std::to_string(bytes) +
                             " bytes does not fit: " + std::to_string(fixed) + " bytes must stay, the limit is " +
                             std::to_string(options_.max_bytes));

  // Oldest use first. A file that is needed again can be fetched again.
  std::sort(others.begin(), others.end(), [](const Entry& a, const Entry& b) { return a.used_ns < b.used_ns; });
  for (const Entry& entry : others) {
    if (used <= options_.max_bytes - bytes) break;
    if (pinned_.contains(entry.file)) continue;
    if (unlink(entry.path.c_str()) != 0) return FileError("remove", entry.path, errno);
    used -= entry.bytes;
  }
  return {};
}

/// The complete and verified part becomes visible, durably.
Status ModelFiles::Keep(const Sha256& file) {
  AVOCET_RETURN_IF_ERROR(SyncToDisk(PartOf(file)));
  if (rename(PartOf(file).c_str(), PathOf(file).c_str()) != 0) return FileError("rename", PartOf(file), errno);
  MarkUsed(PathOf(file));
  return SyncToDisk(options_.directory);
}

Result<Sha256> ModelFiles::Put(std::string_view bytes) {
  const Sha256 file = Sha256Of(bytes);
  if (FindWhole(file).ok()) return file;

  AVOCET_RETURN_IF_ERROR(MakeRoom(file, bytes.size()));
  const std::filesystem::path part = PartOf(file);
  const Fd fd = OpenFile(part, O_WRONLY | O_CREAT | O_TRUNC);
  if (!fd.ok()) return FileError("create", part, errno);

  Status status = WriteAt(fd, part, bytes, 0);
  if (status.ok()) status = Keep(file);
  // The bytes are incomplete, and perhaps the disk is full: leave nothing behind.
  if (!status.ok()) {
    unlink(part.c_str());
    return status;
  }
  return file;
}

/// Completes the part from where it ends; `resumed` says whether it held bytes before.
Status ModelFiles::Download(const Sha256& file, uint64_t size_bytes, const Fetch& fetch, bool& resumed) {
  const bool known = size_bytes > 0;
  if (!known) size_bytes = kMaxModelFileBytes; // until the sender says that this is all

  const std::filesystem::path part = PartOf(file);
  const Fd fd = OpenFile(part, O_RDWR | O_CREAT);
  struct stat status {};
  if (!fd.ok() || fstat(fd.get(), &status) != 0) return FileError("open", part, errno);

  auto have = static_cast<uint64_t>(status.st_size);
  // Longer than the whole file: not the beginning of this one.
  if (have > size_bytes) {
    if (ftruncate(fd.get(), 0) != 0) return FileError("truncate", part, errno);
    have = 0;
  }

  resumed = have > 0;
  while (have < size_bytes) {
    AVOCET_ASSIGN_OR_RETURN(const auto piece, fetch(file, have));
    // An empty piece ends a file of unknown length, but for a known one it is a sender that lost the rest.
    if (piece.empty() && !known) break;
    if (piece.empty())
      return Unavailable("the download of model file " + file.str() + " ended after " + std::to_string(have) + " of " +
                         std::to_string(size_bytes) + " bytes");
    // A sender that does not stop must not fill the disk.
    if (piece.size() > size_bytes - have) return Corruption("model file " + file.str() + " is longer than announced");
    if (!known) AVOCET_RETURN_IF_ERROR(MakeRoom(file, have + piece.size()));

    const Status written = WriteAt(fd, part, piece, have);
    if (written.code() == StatusCode::kResourceExhausted) unlink(part.c_str()); // room for the records
    AVOCET_RETURN_IF_ERROR(written);
    have += piece.size();
  }
  return {};
}

Result<std::filesystem::path> ModelFiles::Ensure(const Sha256& file, uint64_t size_bytes, const Fetch& fetch) {
  auto present = FindWhole(file);
  // Any error but kNotFound is one of the disk: a download would meet it, too.
  if (present.ok() || present.status().code() != StatusCode::kNotFound) return present;
  if (size_bytes > kMaxModelFileBytes) return BadSize(file, size_bytes);
  AVOCET_RETURN_IF_ERROR(MakeRoom(file, size_bytes));

  Status status;
  // Twice at most: the second time there is no part to resume, so `resumed` is false.
  for (bool resumed = true; resumed;) {
    status = Download(file, size_bytes, fetch, resumed);
    if (status.ok()) {
      // Verified before it gets its name: nobody can ever load a file with other bytes.
      AVOCET_ASSIGN_OR_RETURN(const auto digest, Sha256OfFile(PartOf(file)));
      if (digest == file) break;
      status = Corruption("model file " + file.str() + " arrived with digest " + digest.str() +
                          "; if it goes on, import it again");
    }
    if (status.code() != StatusCode::kCorruption) return status;
    unlink(PartOf(file).c_str()); // a resumed part may be what a crash left: try once from the start
  }

  AVOCET_RETURN_IF_ERROR(status);
  AVOCET_RETURN_IF_ERROR(Keep(file));
  return PathOf(file);
}

/// Verifies a complete part and makes it visible; one with other bytes is removed.
Status ModelFiles::Finish(const Sha256& file) {
  AVOCET_ASSIGN_OR_RETURN(const auto digest, Sha256OfFile(PartOf(file)));
  if (digest == file) return Keep(file);
  unlink(PartOf(file).c_str());
  return Corruption("model file " + file.str() + " arrived with digest " + digest.str());
}

Result<uint64_t> ModelFiles::PutChunk(const Sha256& file, uint64_t offset, uint64_t total_bytes,
                                      std::string_view data) {
  // Read once for each upload: importing the good file repairs a damaged one.
  const auto present = offset == 0 ? FindWhole(file) : Find(file);
  if (present.ok()) return total_bytes;
  if (present.status().code() != StatusCode::kNotFound) return present.status();
  if (total_bytes == 0 || total_bytes > kMaxModelFileBytes) return BadSize(file, total_bytes);
  const std::filesystem::path part = PartOf(file);
  const Fd fd = OpenFile(part, O_RDWR | O_CREAT);
  struct stat status {};
  if (!fd.ok() || fstat(fd.get(), &status) != 0) return FileError("open", part, errno);
  auto have = static_cast<uint64_t>(status.st_size);
  if (have < total_bytes && (offset != have || data.empty())) return have;
  if (have < total_bytes) {
    if (data.size() > total_bytes - have)
      return InvalidArgument("model file " + file.str() + " is longer than announced");
    AVOCET_RETURN_IF_ERROR(MakeRoom(file, total_bytes));
    const Status written = WriteAt(fd, part, data, have);
    // What nobody may complete must not keep the disk full.
    if (written.code() == StatusCode::kResourceExhausted) unlink(part.c_str());
    AVOCET_RETURN_IF_ERROR(written);
    have += data.size();
    if (have < total_bytes) return have;
  }
  AVOCET_RETURN_IF_ERROR(Finish(file));
  return total_bytes;
}

/// One that was read lately is not read again: agents may ask as often as they like.
Result<std::filesystem::path> ModelFiles::FindToServe(const Sha256& file) {
  const auto now = std::chrono::steady_clock::now();
  const auto read = verified_.find(file);
  if (read != verified_.end() && now - read->second < kVerifyEvery) return Find(file);

  const bool present = Find(file).ok();
  auto path = FindWhole(file);
  if (path.ok()) {
    verified_[file] = now;
    return path;
  }
  verified_.erase(file);
  if (present && path.status().code() == StatusCode::kNotFound)
    return Corruption("model file " + file.str() +
                      " was damaged on the controller's disk, and removed; import it again");
  return path;
}

Result<std::string> ModelFiles::Read(const Sha256& file, uint64_t offset, uint64_t max_bytes) {
  AVOCET_ASSIGN_OR_RETURN(const auto path, offset == 0 ? FindToServe(file) : Find(file));
  const Fd fd = OpenFile(path, O_RDONLY);
  struct stat status {};
  if (!fd.ok() || fstat(fd.get(), &status) != 0) return FileError("open", path, errno);
  const auto size = static_cast<uint64_t>(status.st_size);
  std::string bytes(std::min(max_bytes, size - std::min(offset, size)), '\0');
  AVOCET_ASSIGN_OR_RETURN(const auto got, ReadAt(fd, path, bytes.data(), bytes.size(), offset));
  bytes.resize(got);
  return bytes;
}

} // namespace avocet
