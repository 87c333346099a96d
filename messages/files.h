#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <utility>

#include "messages/status.h"

namespace avocet {

/// Owns a file descriptor and closes it. Not copyable; a moved-from one owns nothing.
class Fd {
public:
  Fd() = default;
  explicit Fd(int descriptor) : descriptor_(descriptor) {}
  ~Fd();
  Fd(Fd&& other) noexcept : descriptor_(other.Release()) {}
  Fd& operator=(Fd&& other) noexcept;

  /// -1 when it owns nothing, as after an open() that failed.
  int get() const { return descriptor_; }
  bool ok() const { return descriptor_ >= 0; }
  /// Hands the descriptor to the caller, who closes it.
  int Release() { return std::exchange(descriptor_, -1); }

private:
  int descriptor_ = -1;
};

/// What a file holds. kNotFound where it cannot be opened, kUnavailable where it cannot be read (a folder, a failing
/// disk), kResourceExhausted when it is longer than `most_bytes`. Blocks.
Result<std::string> ReadWholeFile(const std::filesystem::path& file, size_t most_bytes);

/// The text of the current errno, e.g. "Permission denied".
std::string ErrnoText();

} // namespace avocet
