#include "node_agent/file_io.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace avocet {
namespace {

std::string ErrorText(int error) {
  return std::generic_category().message(error);
}

} // namespace

Status FileError(const std::string& verb, const std::filesystem::path& path, int error) {
  const std::string text = "cannot " + verb + " " + path.string() + ": " + ErrorText(error);
  if (error == ENOSPC || error == EDQUOT) return ResourceExhausted(text);
  if (error == ENOENT) return NotFound(text);
  if (error == EIO) return Corruption(text); // a sector that is lost
  return Internal(text);
}

Fd OpenFile(const std::filesystem::path& path, int flags) {
  return Fd(open(path.c_str(), flags | O_CLOEXEC, 0600));
}

Status WriteAt(const Fd& fd, const std::filesystem::path& path, std::string_view bytes, uint64_t offset) {
  while (!bytes.empty()) {
    const ssize_t written = pwrite(fd.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return FileError("write", path, errno);
    bytes.remove_prefix(static_cast<size_t>(written));
    offset += static_cast<uint64_t>(written);
  }
  return {};
}

Result<size_t> ReadAt(const Fd& fd, const std::filesystem::path& path, char* bytes, size_t size, uint64_t offset) {
  size_t have = 0;
  while (have < size) {
    const ssize_t got = pread(fd.get(), bytes + have, size - have, static_cast<off_t>(offset + have));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return FileError("read", path, errno);
    if (got == 0) break;
    have += static_cast<size_t>(got);
  }
  return have;
}

Status SyncToDisk(const std::filesystem::path& path) {
  const Fd fd = OpenFile(path, O_RDONLY);
  if (!fd.ok()) return FileError("open", path, errno);
  return fsync(fd.get()) == 0 ? Status{} : FileError("sync", path, errno);
}

} // namespace avocet
