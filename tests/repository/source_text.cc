#include "tests/repository/source_text.h"

#include <algorithm>
#include <cctype>
#include <regex>

namespace avocet {
namespace {

/// Walks over a source; each Take... copies or drops one construct and moves on.
class Stripper {
public:
  explicit Stripper(std::string_view source, bool keep_literals) : source_(source), keep_literals_(keep_literals) {}

  std::string Strip() {
    while (at_ < source_.size())
      TakeNext();
    return std::move(code_);
  }

private:
  bool Sees(std::string_view text) const { return source_.substr(at_).starts_with(text); }

  bool AfterWord() const {
    return at_ > 0 && (std::isalnum(static_cast<unsigned char>(source_[at_ - 1])) != 0 || source_[at_ - 1] == '_');
  }

  void TakeNext() {
    if (Sees("//")) {
      Drop(source_.find('\n', at_));
    } else if (Sees("/*")) {
      Drop(EndAfter("*/", at_ + 2));
    } else if (Sees("R\"") && !AfterWord()) {
      const size_t open = source_.find('(', at_);
      const std::string close = ")" + std::string(source_.substr(at_ + 2, open - at_ - 2)) + "\"";
      TakeLiteral(EndAfter(close, open));
    } else if (source_[at_] == '"' || (source_[at_] == '\'' && !AfterWord())) { // 1'000 is no literal
      TakeLiteral(EndOfQuoted());
    } else {
      code_ += source_[at_++];
    }
  }

  size_t EndAfter(std::string_view mark, size_t from) const {
    const size_t found = source_.find(mark, from);
    return found == std::string_view::npos ? source_.size() : found + mark.size();
  }

  size_t EndOfQuoted() const {
    size_t end = at_ + 1;
    while (end < source_.size() && source_[end] != source_[at_] && source_[end] != '\n') {
      end += source_[end] == '\\' ? 2 : 1;
    }
    return std::min(end + 1, source_.size());
  }

  void Drop(size_t end) {
    end = std::min(end, source_.size());
    code_.append(static_cast<size_t>(std::count(&source_[at_], &source_[at_] + (end - at_), '\n')), '\n');
    at_ = end;
  }

  void TakeLiteral(size_t end) {
    if (keep_literals_) {
      code_.append(source_.substr(at_, end - at_));
      at_ = end;
    } else {
      code_ += "\"";
      Drop(end);
      code_ += "\"";
    }
  }

  std::string_view source_;
  bool keep_literals_;
  size_t at_ = 0;
  std::string code_;
};

} // namespace

std::string CodeOf(std::string_view source) {
  return Stripper(source, /*keep_literals=*/false).Strip();
}

std::vector<Include> IncludesOf(std::string_view source) {
  static const std::regex kDirective(R"re((^|\n)[ \t]*#[ \t]*include[ \t]*([<"])([^>"\n]*)[>"])re");
  const std::string code = Stripper(source, /*keep_literals=*/true).Strip();
  std::vector<Include> includes;
  for (std::sregex_iterator it(code.begin(), code.end(), kDirective), end; it != end; ++it) {
    const int line = LineOf(code, static_cast<size_t>(it->position(2)));
    includes.push_back({line, (*it)[3].str(), (*it)[2].str() == "\""});
  }
  return includes;
}

int LineOf(std::string_view text, size_t position) {
  return 1 + static_cast<int>(std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(position), '\n'));
}

} // namespace avocet
