#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "messages/files.h"
#include "messages/status.h"

/// Files as a whole, with errors that name them. They block.
namespace avocet {

/// "cannot <verb> <path>: ..." of an errno: kResourceExhausted when the disk is full, kNotFound, kCorruption when a
/// part of it cannot be read any more, else kInternal.
Status FileError(const std::string& verb, const std::filesystem::path& path, int error);

/// Its owner's alone, where it is created.
Fd OpenFile(const std::filesystem::path& path, int flags);

Status WriteAt(const Fd& fd, const std::filesystem::path& path, std::string_view bytes, uint64_t offset);

/// Up to `size` bytes; fewer only at the end of the file.
Result<size_t> ReadAt(const Fd& fd, const std::filesystem::path& path, char* bytes, size_t size, uint64_t offset);

/// What was written to the file, or to the folder, is on the disk.
Status SyncToDisk(const std::filesystem::path& path);

} // namespace avocet
