#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace avocet {

// The small text files in which the kernel describes the machine. What cannot be read is empty: on
// most machines most of them are not there.

/// The file's text without white space and zeros at its ends; at most 64 KiB of it.
std::optional<std::string> ReadText(const std::filesystem::path& file);
/// The whole number that the file holds, decimal or 0x hexadecimal.
std::optional<int64_t> ReadNumber(const std::filesystem::path& file);
/// What stands in a folder, sorted by name.
std::vector<std::filesystem::path> ListFolder(const std::filesystem::path& folder);

} // namespace avocet
