#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "messages/status.h"

namespace avocet {

/// A place in a text file, counted from 1.
struct FilePosition {
  uint32_t line = 1;
  uint32_t column = 1;
  friend auto operator<=>(const FilePosition&, const FilePosition&) = default;
};

struct TomlEntry;

/// A parsed TOML value and where it stands. Only the member that belongs to `kind` is meaningful.
struct TomlNode {
  enum class Kind { kBool, kInteger, kFloat, kString, kArray, kTable, kDate };
  Kind kind = Kind::kTable;
  FilePosition at;
  bool boolean = false;
  int64_t integer = 0;
  double number = 0;              ///< kFloat, and kInteger converted
  std::string text;               ///< kString
  std::vector<TomlNode> items;    ///< kArray
  std::vector<TomlEntry> entries; ///< kTable

  /// The entry of a table, or nullptr.
  const TomlEntry* Find(std::string_view key) const;
};

struct TomlEntry {
  std::string key;
  FilePosition key_at;
  TomlNode value;
};

/// "a string", "an integer", ... for messages.
std::string_view Describe(TomlNode::Kind kind);

/// Longest TOML text that is read; a configuration is never near it.
inline constexpr size_t kMaxTomlBytes = size_t{1} << 20;

/// Parses a whole file. kInvalidArgument with "file:line:col: what"; kResourceExhausted when too long.
Result<TomlNode> ParseToml(std::string_view text, const std::string& filename);

} // namespace avocet
