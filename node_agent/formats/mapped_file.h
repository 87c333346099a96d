#pragma once

#include <filesystem>
#include <string_view>
#include <utility>

#include "messages/status.h"

namespace avocet {

/// A file's bytes, mapped read-only: only what is looked at is read. Unmapped with this object. The file must not be
/// truncated meanwhile; model files, which are named by their content, never are.
class MappedFile {
public:
  /// kNotFound where it cannot be opened, kUnavailable where it cannot be mapped.
  static Result<MappedFile> Open(const std::filesystem::path& file);
  MappedFile(MappedFile&& other) noexcept : bytes_(std::exchange(other.bytes_, {})) {}
  MappedFile& operator=(MappedFile&&) = delete;
  ~MappedFile();

  std::string_view bytes() const { return bytes_; }

private:
  explicit MappedFile(std::string_view bytes) : bytes_(bytes) {}
  std::string_view bytes_;
};

} // namespace avocet
