#include "cli/config/json_reader.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace avocet {
namespace {

using Json = nlohmann::json;
using Kind = TomlNode::Kind;

bool IsContinuation(char c) {
  return (static_cast<unsigned char>(c) & 0xC0) == 0x80; // of a character in UTF-8
}

/// Finds the tokens of a JSON text again, in order: the parser reports what they are, but not where. Linear in
/// the text over all calls.
class TokenCursor {
public:
  explicit TokenCursor(std::string_view text) : text_(text) {}

  /// The place of the next token; moves past it. Only for texts whose tokens up to there are valid JSON.
  FilePosition Next() {
    while (at_ < text_.size() && std::string_view(" \t\r\n,:").find(text_[at_]) != std::string_view::npos)
      Advance();
    const FilePosition begin = position_;
    if (at_ == text_.size()) return begin;
    if (text_[at_] == '"')
      SkipString();
    else if (std::string_view("{}[]").find(text_[at_]) != std::string_view::npos)
      Advance();
    else
      SkipWord();
    return begin;
  }

  /// The place of a byte that lies ahead.
  FilePosition PlaceOf(size_t offset) {
    while (at_ < std::min(offset, text_.size()))
      Advance();
    return position_;
  }

private:
  void Advance() {
    const char c = text_[at_++];
    if (c == '\n')
      position_ = {position_.line + 1, 1};
    else if (at_ == text_.size() || !IsContinuation(text_[at_]))
      ++position_.column;
  }

  void SkipString() {
    Advance();
    while (at_ < text_.size() && text_[at_] != '"') {
      if (text_[at_] == '\\') Advance();
      if (at_ < text_.size()) Advance();
    }
    if (at_ < text_.size()) Advance();
  }

  void SkipWord() {
    while (at_ < text_.size() && std::string_view(" \t\r\n,:{}[]\"").find(text_[at_]) == std::string_view::npos)
      Advance();
  }

  std::string_view text_;
  size_t at_ = 0;
  FilePosition position_;
};

/// Builds the tree from the parser's events; false stops the parser.
class TreeBuilder : public nlohmann::json_sax<Json> {
public:
  TreeBuilder(std::string_view text, const std::string& filename) : cursor_(text), filename_(filename) {}

  Result<TomlNode> Take() {
    if (!failure_.ok()) return failure_;
    if (!root_ || root_->kind != Kind::kTable) return Fail({}, "the file must be a JSON object, {...}"), failure_;
    return std::move(*root_);
  }

  bool null() override { return Fail(cursor_.Next(), "null is no value; leave the key out"); }
  bool boolean(bool value) override { return Add({.kind = Kind::kBool, .boolean = value}); }
  bool number_integer(number_integer_t value) override {
    return Add({.kind = Kind::kInteger, .integer = value, .number = static_cast<double>(value)});
  }
  bool number_unsigned(number_unsigned_t value) override {
    if (value <= static_cast<number_unsigned_t>(std::numeric_limits<int64_t>::max()))
      return number_integer(static_cast<number_integer_t>(value));
    return number_float(static_cast<double>(value), "");
  }
  bool number_float(number_float_t value, const string_t&) override {
    return Add({.kind = Kind::kFloat, .number = value});
  }
  bool string(string_t& value) override { return Add({.kind = Kind::kString, .text = std::move(value)}); }
  bool binary(binary_t&) override { return Fail(cursor_.Next(), "binary is no JSON"); }
  bool start_object(size_t) override { return Open(Kind::kTable); }
  bool start_array(size_t) override { return Open(Kind::kArray); }
  bool end_object() override { return Close(); }
  bool end_array() override { return Close(); }

  bool key(string_t& value) override {
    const FilePosition at = cursor_.Next();
    if (open_.back().node.Find(value) != nullptr) return Fail(at, fmt::format("key '{}' appears twice", value));
    open_.back().key = std::move(value);
    open_.back().key_at = at;
    return true;
  }

  bool parse_error(size_t position, const std::string&, const nlohmann::detail::exception&) override {
    // The parser counts from 1 and names the last byte that it read.
    return Fail(cursor_.PlaceOf(position == 0 ? 0 : position - 1), "not valid JSON");
  }

private:
  struct Scope {
    TomlNode node;
    std::string key; ///< of the next entry
    FilePosition key_at;
  };

  bool Fail(FilePosition at, std::string_view what) {
    failure_ = InvalidArgument(fmt::format("{}:{}:{}: {}", filename_, at.line, at.column, what));
    return false;
  }

  bool Add(TomlNode node) {
    node.at = cursor_.Next();
    return Attach(std::move(node));
  }

  bool Attach(TomlNode node) {
    if (open_.empty()) {
      root_ = std::move(node);
      return true;
    }
    auto& parent = open_.back();
    if (parent.node.kind == Kind::kArray)
      parent.node.items.push_back(std::move(node));
    else
      parent.node.entries.push_back({std::move(parent.key), parent.key_at, std::move(node)});
    return true;
  }

  bool Open(Kind kind) {
    const FilePosition at = cursor_.Next();
    if (open_.size() == kMaxJsonDepth) return Fail(at, fmt::format("nested deeper than {} levels", kMaxJsonDepth));
    open_.push_back({.node = {.kind = kind, .at = at}, .key = {}, .key_at = {}});
    return true;
  }

  bool Close() {
    cursor_.Next();
    TomlNode node = std::move(open_.back().node);
    open_.pop_back();
    return Attach(std::move(node));
  }

  TokenCursor cursor_;
  const std::string& filename_;
  Status failure_;
  std::vector<Scope> open_;
  std::optional<TomlNode> root_;
};

} // namespace

Result<TomlNode> ParseJson(std::string_view text, const std::string& filename) {
  if (text.size() > kMaxTomlBytes)
    return ResourceExhausted(
        fmt::format("{}: {} bytes; a configuration file has at most {}", filename, text.size(), kMaxTomlBytes));
  TreeBuilder builder(text, filename);
  Json::sax_parse(text, &builder);
  return builder.Take();
}

} // namespace avocet
