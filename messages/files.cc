#include "messages/files.h"

#include <cerrno>
#include <system_error>

#include <fcntl.h>
#include <unistd.h>

namespace avocet {
namespace {

constexpr size_t kPieceBytes = size_t{1} << 16;

} // namespace

Fd::~Fd() {
  if (descriptor_ >= 0) close(descriptor_);
}

Fd& Fd::operator=(Fd&& other) noexcept {
  if (this == &other) return *this;
  if (descriptor_ >= 0) close(descriptor_);
  descriptor_ = other.Release();
  return *this;
}

std::string ErrnoText() {
  return std::error_code(errno, std::generic_category()).message();
}

Result<std::string> ReadWholeFile(const std::filesystem::path& file, size_t most_bytes) {
  const Fd fd(open(file.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.ok()) return NotFound("cannot open '" + file.string() + "': " + ErrnoText());

  // Pseudo files have no size to ask for, so it is read until its end, or until it is too long.
  std::string text;
  std::string piece(kPieceBytes, '\0');
  while (true) {
    // A signal is no error of the file.
    const ssize_t got = read(fd.get(), piece.data(), piece.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return Unavailable("cannot read '" + file.string() + "': " + ErrnoText());
    if (got == 0) return text;
    text.append(piece, 0, static_cast<size_t>(got));
    if (text.size() > most_bytes)
      return ResourceExhausted("'" + file.string() + "' is longer than " + std::to_string(most_bytes) + " bytes");
  }
}

} // namespace avocet
