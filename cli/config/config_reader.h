#pragma once

#include <array>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cli/config/toml_reader.h"
#include "messages/status.h"
#include "messages/units.h"

namespace avocet {

enum class Need { kOptional, kRequired };

class ConfigFile;

/// One table of a configuration file. Every getter declares its key as valid and leaves `out` alone
/// when the key is absent. A wrong value, or an absent required one, is reported to the file.
/// A handle: copy freely, it must not outlive its ConfigFile. An absent table has no entries and
/// requires nothing.
class ConfigTable {
public:
  bool present() const { return node_ != nullptr; }
  bool Has(std::string_view key) const { return present() && node_->Find(key) != nullptr; }

  void String(std::string_view key, std::string& out, Need need = Need::kOptional);
  void Bool(std::string_view key, bool& out, Need need = Need::kOptional);
  /// Finite; integers are accepted.
  void Number(std::string_view key, double& out, Need need = Need::kOptional);
  void Integer(std::string_view key, int& out, Need need = Need::kOptional);
  /// Milliseconds, may have a fraction.
  void Millis(std::string_view key, Duration& out, Need need = Need::kOptional);
  void Integers(std::string_view key, std::vector<int>& out);

  /// A string that must be the name (ToString) of one of `values`.
  template <class T, size_t N>
  void Choice(std::string_view key, const std::array<T, N>& values, T& out, Need need = Need::kOptional) {
    if (auto index = ChoiceIndex(key, NamesOf(values), need)) out = values[*index];
  }
  /// An array of such strings.
  template <class T, size_t N> void Choices(std::string_view key, const std::array<T, N>& values, std::vector<T>& out) {
    for (size_t index : ChoiceIndexes(key, NamesOf(values)))
      out.push_back(values[index]);
  }

  /// A table, absent if it is absent; `example` is shown when it is required and missing.
  ConfigTable Table(std::string_view key, Need need = Need::kOptional, std::string_view example = "");
  /// An array of tables, `[[key]]`.
  std::vector<ConfigTable> Tables(std::string_view key);

  /// Reports a problem of one of this table's fields, at its value.
  void Problem(std::string_view key, const std::string& what);

private:
  friend class ConfigFile;
  ConfigTable(ConfigFile& file, const TomlNode* node, std::string path, std::string pattern);

  template <class T, size_t N> static std::array<std::string_view, N> NamesOf(const std::array<T, N>& values) {
    std::array<std::string_view, N> names;
    for (size_t i = 0; i < N; ++i)
      names[i] = ToString(values[i]);
    return names;
  }
  std::optional<size_t> ChoiceIndex(std::string_view key, std::span<const std::string_view> names, Need need);
  std::vector<size_t> ChoiceIndexes(std::string_view key, std::span<const std::string_view> names);
  std::optional<size_t> MatchChoice(std::string_view field, const TomlNode& node,
                                    std::span<const std::string_view> names);
  /// Declares the key; the value when it is there and of that kind.
  const TomlNode* Value(std::string_view key, TomlNode::Kind kind, Need need, std::string_view example);
  const TomlNode* Lookup(std::string_view key, Need need, std::string_view example);
  std::string PathOf(std::string_view key) const;

  ConfigFile* file_;
  const TomlNode* node_;
  std::string path_;    ///< "device[1]"
  std::string pattern_; ///< "device": the same for every element of an array
};

/// A configuration file while it is read: its tree, which keys turned out to be valid, and the
/// problems found so far. Not movable (tables point to it), not thread-safe.
class ConfigFile {
public:
  static constexpr size_t kMaxProblems = 10; ///< reported ones; further ones are only counted

  ConfigFile(TomlNode tree, std::string filename);
  ConfigFile(const ConfigFile&) = delete;
  ConfigFile& operator=(const ConfigFile&) = delete;

  ConfigTable root();

  /// After everything was read: adds unknown keys to the problems. kInvalidArgument with one line
  /// "file:line:col: field 'x.y': what is wrong; what would be right" per problem, in order of place.
  Status Finish();

  /// Gives the failure of a struct's Validate the place of the field that it names.
  Status Locate(const Status& status) const;

private:
  friend class ConfigTable;
  struct Found {
    FilePosition at;
    std::string text;
  };
  void Add(FilePosition at, std::string_view field, std::string_view what);
  void AddUnknownKeys(const TomlNode& table, const std::string& path, const std::string& pattern);
  std::string ExplainUnknown(const std::string& key, const std::string& pattern) const;
  std::string At(FilePosition at) const;

  TomlNode tree_;
  std::string filename_;
  std::map<std::string, std::set<std::string, std::less<>>> known_; ///< pattern of a table -> valid keys
  std::map<std::string, FilePosition> fields_;                      ///< path -> place of its value
  std::vector<Found> problems_;
};

} // namespace avocet
