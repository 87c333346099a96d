#include "cli/config/toml_reader.h"

#include <algorithm>

#include <fmt/format.h>

#include "messages/toml_library.h"

namespace avocet {
namespace {

FilePosition PositionOf(const toml::source_region& region) {
  return {std::max(1U, region.begin.line), std::max(1U, region.begin.column)};
}

TomlNode Convert(const toml::node& node);

void ConvertTable(const toml::table& table, TomlNode& out) {
  out.kind = TomlNode::Kind::kTable;
  for (auto&& [key, value] : table)
    out.entries.push_back({std::string(key.str()), PositionOf(key.source()), Convert(value)});
}

void ConvertArray(const toml::array& array, TomlNode& out) {
  out.kind = TomlNode::Kind::kArray;
  for (const toml::node& item : array)
    out.items.push_back(Convert(item));
}

void ConvertValue(const toml::node& node, TomlNode& out) {
  if (const auto* text = node.as_string()) {
    out.kind = TomlNode::Kind::kString;
    out.text = text->get();
  } else if (const auto* integer = node.as_integer()) {
    out.kind = TomlNode::Kind::kInteger;
    out.integer = integer->get();
    // Both, because an integer is accepted wherever a number is.
    out.number = static_cast<double>(integer->get());
  } else if (const auto* number = node.as_floating_point()) {
    out.kind = TomlNode::Kind::kFloat;
    out.number = number->get();
  } else if (const auto* boolean = node.as_boolean()) {
    out.kind = TomlNode::Kind::kBool;
    out.boolean = boolean->get();
  } else {
    // Only dates and times are left, which no key takes.
    out.kind = TomlNode::Kind::kDate;
  }
}

/// Recursion is bounded by the parser's own limit of nested values (256).
TomlNode Convert(const toml::node& node) {
  TomlNode out;
  out.at = PositionOf(node.source());
  if (const auto* table = node.as_table())
    ConvertTable(*table, out);
  else if (const auto* array = node.as_array())
    ConvertArray(*array, out);
  else
    ConvertValue(node, out);
  return out;
}

} // namespace

const TomlEntry* TomlNode::Find(std::string_view key) const {
  const auto found = std::find_if(entries.begin(), entries.end(), [&](const TomlEntry& e) { return e.key == key; });
  return found == entries.end() ? nullptr : &*found;
}

std::string_view Describe(TomlNode::Kind kind) {
  // With articles, as the words complete "expected ..., found ...".
  switch (kind) {
  case TomlNode::Kind::kBool:
    return "a boolean";
  case TomlNode::Kind::kInteger:
    return "an integer";
  case TomlNode::Kind::kFloat:
    return "a number";
  case TomlNode::Kind::kString:
    return "a string";
  case TomlNode::Kind::kArray:
    return "an array";
  case TomlNode::Kind::kTable:
    return "a table";
  case TomlNode::Kind::kDate:
    return "a date or time";
  }

  return "an unknown kind of value";
}

Result<TomlNode> ParseToml(std::string_view text, const std::string& filename) {
  if (text.size() > kMaxTomlBytes)
    return ResourceExhausted(
        fmt::format("{}: {} bytes; a configuration file has at most {}", filename, text.size(), kMaxTomlBytes));
  const toml::parse_result parsed = toml::parse(text, filename);
  if (!parsed) {
    const FilePosition at = PositionOf(parsed.error().source());
    return InvalidArgument(
        fmt::format("{}:{}:{}: not valid TOML: {}", filename, at.line, at.column, parsed.error().description()));
  }
  return Convert(parsed.table());
}

} // namespace avocet
