#include "cli/config/config_reader.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "messages/suggest.h"

namespace avocet {
namespace {

using Kind = TomlNode::Kind;

/// Far beyond any objective (31 years), far below the overflow of Duration.
constexpr double kMaxMillis = 1e12;

std::string Join(std::string_view path, std::string_view key) {
  return path.empty() ? std::string(key) : fmt::format("{}.{}", path, key);
}

std::string Element(std::string_view path, size_t index) {
  return fmt::format("{}[{}]", path, index);
}

/// "objective.latency_ms" -> "objective.latency": what the struct calls the field.
std::string_view WithoutUnit(std::string_view field) {
  for (std::string_view unit : {"_ms", "_mb"})
    if (field.ends_with(unit)) return field.substr(0, field.size() - unit.size());
  return field;
}

/// True when a struct's Validate may call the key at `path` by `name`: the tables of the file need
/// not be members of the struct, and its durations carry no unit.
bool IsNamed(std::string_view path, std::string_view name) {
  path = WithoutUnit(path);
  return path == name || (path.ends_with(name) && path[path.size() - name.size() - 1] == '.');
}

/// Splits Validate's "application 'x': field 'rate_rps' is 0; it must be > 0" at the field.
struct Violation {
  explicit Violation(std::string_view message) : what(message) {
    constexpr std::string_view kMark = "field '";
    const size_t begin = message.find(kMark);
    const size_t end = begin == std::string_view::npos ? begin : message.find('\'', begin + kMark.size());
    if (end == std::string_view::npos) return;
    field = message.substr(begin + kMark.size(), end - begin - kMark.size());
    what = message.substr(end + 1);
    what.remove_prefix(std::min(what.find_first_not_of(" :"), what.size()));
  }
  std::string_view field;
  std::string_view what;
};

} // namespace

ConfigTable::ConfigTable(ConfigFile& file, const TomlNode* node, std::string path, std::string pattern)
    : file_(&file), node_(node), path_(std::move(path)), pattern_(std::move(pattern)) {
  file_->known_[pattern_];
}

std::string ConfigTable::PathOf(std::string_view key) const {
  return Join(path_, key);
}

const TomlNode* ConfigTable::Lookup(std::string_view key, Need need, std::string_view example) {
  file_->known_[pattern_].emplace(key);
  if (!present()) return nullptr;
  const TomlEntry* entry = node_->Find(key);
  file_->fields_[PathOf(key)] = entry ? entry->value.at : node_->at;
  if (entry) return &entry->value;
  if (need == Need::kRequired) file_->Add(node_->at, PathOf(key), fmt::format("missing; add {} = {}", key, example));
  return nullptr;
}

const TomlNode* ConfigTable::Value(std::string_view key, Kind kind, Need need, std::string_view example) {
  const TomlNode* node = Lookup(key, need, example);
  const bool fits = node && (node->kind == kind || (kind == Kind::kFloat && node->kind == Kind::kInteger));
  if (node && !fits)
    Problem(key, fmt::format("expected {}, found {}; write e.g. {} = {}", Describe(kind), Describe(node->kind), key,
                             example));
  return fits ? node : nullptr;
}

void ConfigTable::Problem(std::string_view key, const std::string& what) {
  const std::string field = PathOf(key);
  file_->Add(file_->fields_[field], field, what);
}

void ConfigTable::String(std::string_view key, std::string& out, Need need) {
  const std::string example = out.empty() ? "..." : out;
  if (const TomlNode* node = Value(key, Kind::kString, need, "\"" + example + "\"")) out = node->text;
}

void ConfigTable::Bool(std::string_view key, bool& out, Need need) {
  if (const TomlNode* node = Value(key, Kind::kBool, need, "true")) out = node->boolean;
}

void ConfigTable::Number(std::string_view key, double& out, Need need) {
  // What is there before is the default: an example that is certainly valid.
  const std::string example = out != 0 ? fmt::format("{}", out) : "1.5";
  const TomlNode* node = Value(key, Kind::kFloat, need, example);
  if (node && !std::isfinite(node->number))
    Problem(key, fmt::format("is not a finite number; write e.g. {}", example));
  else if (node)
    out = node->number;
}

void ConfigTable::Integer(std::string_view key, int& out, Need need) {
  const TomlNode* node = Value(key, Kind::kInteger, need, std::to_string(out != 0 ? out : 1));
  if (!node) return;
  if (node->integer != static_cast<int>(node->integer))
    Problem(key, fmt::format("{} is out of range; the largest integer here is {}", node->integer,
                             std::numeric_limits<int>::max()));
  else
    out = static_cast<int>(node->integer);
}

void ConfigTable::Millis(std::string_view key, Duration& out, Need need) {
  double ms = ToMillis(out);
  Number(key, ms, need);
  if (std::abs(ms) > kMaxMillis)
    Problem(key, fmt::format("{} ms is out of range; it may be at most {} ms", ms, kMaxMillis));
  else
    out = FromMillis(ms);
}

void ConfigTable::Integers(std::string_view key, std::vector<int>& out) {
  const TomlNode* node = Value(key, Kind::kArray, Need::kOptional, "[1]");
  if (!node) return;
  out.clear();
  for (size_t i = 0; i < node->items.size(); ++i) {
    const TomlNode& item = node->items[i];
    if (item.kind != Kind::kInteger || item.integer != static_cast<int>(item.integer))
      file_->Add(item.at, Element(PathOf(key), i),
                 fmt::format("expected a small integer, found {}; write e.g. {} = [1]", Describe(item.kind), key));
    else
      out.push_back(static_cast<int>(item.integer));
  }
}

std::optional<size_t> ConfigTable::MatchChoice(std::string_view field, const TomlNode& node,
                                               std::span<const std::string_view> names) {
  const auto found = std::find(names.begin(), names.end(), node.text);
  if (node.kind == Kind::kString && found != names.end()) return static_cast<size_t>(found - names.begin());
  const bool text = node.kind == Kind::kString;
  std::string what = text ? fmt::format("'{}' is not valid", node.text)
                          : fmt::format("expected a string, found {}", Describe(node.kind));
  what += fmt::format("; use one of: {}", fmt::join(names, ", "));
  if (auto nearest = text ? Nearest(node.text, names) : std::nullopt)
    what += fmt::format("; did you mean '{}'?", *nearest);
  file_->Add(node.at, field, what);
  return std::nullopt;
}

std::optional<size_t> ConfigTable::ChoiceIndex(std::string_view key, std::span<const std::string_view> names,
                                               Need need) {
  const TomlNode* node = Lookup(key, need, fmt::format("\"{}\" (one of: {})", names[0], fmt::join(names, ", ")));
  return node ? MatchChoice(PathOf(key), *node, names) : std::nullopt;
}

std::vector<size_t> ConfigTable::ChoiceIndexes(std::string_view key, std::span<const std::string_view> names) {
  std::vector<size_t> indexes;
  const TomlNode* node = Value(key, Kind::kArray, Need::kOptional, fmt::format("[\"{}\"]", names[0]));
  for (size_t i = 0; node && i < node->items.size(); ++i)
    if (auto index = MatchChoice(Element(PathOf(key), i), node->items[i], names)) indexes.push_back(*index);
  return indexes;
}

ConfigTable ConfigTable::Table(std::string_view key, Need need, std::string_view example) {
  const TomlNode* node = Value(key, Kind::kTable, need, example.empty() ? "{ }" : example);
  return {*file_, node, PathOf(key), Join(pattern_, key)};
}

std::vector<ConfigTable> ConfigTable::Tables(std::string_view key) {
  std::vector<ConfigTable> tables;
  const TomlNode* node = Lookup(key, Need::kOptional, "");
  if (!node) return tables;

  // Reported once for the whole array, not once for each element.
  const bool fits = node->kind == Kind::kArray &&
                    std::all_of(node->items.begin(), node->items.end(), [](auto& i) { return i.kind == Kind::kTable; });
  if (!fits) {
    Problem(key, fmt::format("expected tables, found {}; begin each with [[{}]]", Describe(node->kind), key));
    return tables;
  }

  // Known even if the array is empty, as the pattern is what misspelled keys are compared with.
  file_->known_[Join(pattern_, key)];
  for (size_t i = 0; i < node->items.size(); ++i)
    tables.push_back({*file_, &node->items[i], Element(PathOf(key), i), Join(pattern_, key)});
  return tables;
}

ConfigFile::ConfigFile(TomlNode tree, std::string filename) : tree_(std::move(tree)), filename_(std::move(filename)) {}

ConfigTable ConfigFile::root() {
  return {*this, &tree_, "", ""};
}

std::string ConfigFile::At(FilePosition at) const {
  return fmt::format("{}:{}:{}", filename_, at.line, at.column);
}

void ConfigFile::Add(FilePosition at, std::string_view field, std::string_view what) {
  problems_.push_back({at, fmt::format("{}: field '{}': {}", At(at), field, what)});
}

std::string ConfigFile::ExplainUnknown(const std::string& key, const std::string& pattern) const {
  const auto& here = known_.at(pattern);
  for (const auto& [table, keys] : known_)
    if (table != pattern && keys.contains(key))
      return fmt::format("unknown key '{}' here; it belongs {}", key,
                         table.empty() ? "to the top level, above the first [table]" : fmt::format("to [{}]", table));
  const std::vector<std::string_view> names(here.begin(), here.end());
  return fmt::format("unknown key '{}'{}", key, Suggestion(key, names));
}

void ConfigFile::AddUnknownKeys(const TomlNode& table, const std::string& path, const std::string& pattern) {
  for (const TomlEntry& entry : table.entries) {
    const std::string field = Join(path, entry.key), child = Join(pattern, entry.key);
    if (!known_.at(pattern).contains(entry.key))
      Add(entry.key_at, field, ExplainUnknown(entry.key, pattern));
    else if (known_.contains(child) && entry.value.kind == Kind::kTable)
      AddUnknownKeys(entry.value, field, child);
    else if (known_.contains(child))
      for (size_t i = 0; i < entry.value.items.size(); ++i)
        AddUnknownKeys(entry.value.items[i], Element(field, i), child);
  }
}

Status ConfigFile::Finish() {
  AddUnknownKeys(tree_, "", "");
  if (problems_.empty()) return {};
  std::stable_sort(problems_.begin(), problems_.end(), [](auto& a, auto& b) { return a.at < b.at; });
  std::string text;
  for (size_t i = 0; i < std::min(problems_.size(), kMaxProblems); ++i)
    text += (i > 0 ? "\n" : "") + problems_[i].text;
  if (problems_.size() > kMaxProblems)
    text += fmt::format("\n{}: and {} more problems", filename_, problems_.size() - kMaxProblems);
  return InvalidArgument(std::move(text));
}

Status ConfigFile::Locate(const Status& status) const {
  if (status.ok()) return status;
  const Violation violation(status.message());
  auto named = fields_.find(std::string(violation.field));
  if (named == fields_.end())
    named = std::find_if(fields_.begin(), fields_.end(),
                         [&](const auto& field) { return IsNamed(field.first, violation.field); });
  if (violation.field.empty() || named == fields_.end()) return status.WithContext(filename_);
  return {status.code(), fmt::format("{}: field '{}': {}", At(named->second), named->first, violation.what)};
}

} // namespace avocet
