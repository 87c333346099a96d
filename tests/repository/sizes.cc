#include "tests/repository/sizes.h"

#include <algorithm>
#include <regex>
#include <set>
#include <sstream>

#include "tests/repository/source_text.h"

namespace avocet {
namespace {

constexpr int kMaxFunctionLines = 60;
constexpr int kMaxFileLines = 400;
constexpr int kLongFunctionLines = 15;

std::vector<std::string> LinesOf(std::string_view text) {
  std::vector<std::string> lines;
  std::istringstream in{std::string(text)};
  for (std::string line; std::getline(in, line);)
    lines.push_back(line);
  return lines;
}

/// Code without the lines of the preprocessor; the number of lines stays.
std::string WithoutDirectives(std::string_view code) {
  std::string kept;
  bool continued = false;
  for (const auto& line : LinesOf(code)) {
    const size_t first = line.find_first_not_of(" \t");
    const bool directive = continued || (first != std::string::npos && line[first] == '#');
    continued = directive && line.ends_with('\\');
    kept += directive ? "\n" : line + "\n";
  }
  return kept;
}

/// Walks over code and notes where functions begin and end. What a brace opens is told by the words before it.
class FunctionFinder {
public:
  explicit FunctionFinder(std::string_view source) : code_(WithoutDirectives(CodeOf(source))) {}

  std::vector<FunctionSpan> Find() {
    for (const char c : code_)
      Take(c);
    return std::move(found_);
  }

private:
  void Take(char c) {
    if (c == '\n') ++line_;
    if (inside_ > 0) return TakeInside(c);
    parentheses_ += (c == '(') - (c == ')');
    if (c == '{' && parentheses_ == 0) return Open();
    if (c == ';' || c == '}' || (c == ':' && IsAccess())) return Forget();
    if (statement_.empty() && std::isspace(static_cast<unsigned char>(c)) != 0) return;
    if (statement_.empty()) begun_ = line_;
    statement_ += c;
  }

  /// Until the brace that opened a function, or an initializer, is closed.
  void TakeInside(char c) {
    inside_ += (c == '{') - (c == '}');
    if (inside_ > 0) return;
    if (is_function_) found_.push_back({.first_line = begun_, .last_line = line_});
    Forget();
  }

  bool IsAccess() const { return statement_ == "public" || statement_ == "private" || statement_ == "protected"; }

  void Open() {
    // A macro's call without a semicolon may stand before a namespace; attributes of a type may have parentheses.
    static const std::regex kScope(
        R"((^|[\s)])(namespace|extern)\b[^()]*$|^(template ?<.*> ?)?(struct|class|union)\b)");
    if (std::regex_search(statement_, kScope)) return Forget();
    inside_ = 1;
    is_function_ = statement_.find(')') != std::string::npos && !IsInitialized();
  }

  /// `x = f(...) {` is no function, `operator==(...) {` is.
  bool IsInitialized() const {
    const size_t equals = statement_.find('=');
    return equals != std::string::npos && equals < statement_.find('(') &&
           statement_.find("operator") == std::string::npos;
  }

  void Forget() {
    statement_.clear();
    parentheses_ = 0;
  }

  std::string code_;
  std::vector<FunctionSpan> found_;
  std::string statement_; ///< since the last one ended
  int line_ = 1;
  int begun_ = 1; ///< line of the statement
  int parentheses_ = 0;
  int inside_ = 0; ///< braces that are open within a function or an initializer
  bool is_function_ = false;
};

void CountLines(const std::vector<std::string>& lines, FunctionSpan& function) {
  for (int number = function.first_line; number <= function.last_line; ++number) {
    const auto& line = lines[static_cast<size_t>(number) - 1];
    const size_t first = line.find_first_not_of(" \t");
    if (first == std::string::npos)
      ++function.blank_lines;
    else if (line.compare(first, 2, "//") == 0)
      ++function.comment_lines;
  }
}

/// Occurrences of every word.
std::map<std::string, int> CountWords(const Sources& sources) {
  std::map<std::string, int> counts;
  for (const auto& [path, source] : sources) {
    const std::string code = CodeOf(source);
    for (size_t at = 0; at < code.size();) {
      size_t end = at;
      while (end < code.size() && (std::isalnum(static_cast<unsigned char>(code[end])) != 0 || code[end] == '_'))
        ++end;
      if (end > at) ++counts[code.substr(at, end - at)];
      at = std::max(end, at + 1);
    }
  }
  return counts;
}

} // namespace

std::vector<FunctionSpan> FunctionsOf(std::string_view source) {
  auto functions = FunctionFinder(source).Find();
  const auto lines = LinesOf(source);
  for (auto& function : functions)
    CountLines(lines, function);
  return functions;
}

std::vector<std::string> CheckSizes(std::string_view path, std::string_view source) {
  std::vector<std::string> complaints;
  const auto where = [&](int line) { return std::string(path) + ":" + std::to_string(line) + ": "; };
  for (const auto& function : FunctionsOf(source)) {
    if (function.lines() > kMaxFunctionLines)
      complaints.push_back(where(function.first_line) + "a function of " + std::to_string(function.lines()) + " lines");
  }
  if (const size_t lines = LinesOf(source).size(); lines > static_cast<size_t>(kMaxFileLines))
    complaints.push_back(where(1) + "a file of " + std::to_string(lines) + " lines");
  return complaints;
}

void LongFunctions::Add(const std::vector<FunctionSpan>& functions) {
  for (const auto& function : functions) {
    if (function.lines() < kLongFunctionLines) continue;
    lines += function.lines();
    blank_lines += function.blank_lines;
    comment_lines += function.comment_lines;
  }
}

std::vector<std::string> DeadDeclarations(const Sources& sources) {
  // A declaration ends its line, or goes on in the next one; what is deleted or overridden is called otherwise.
  static const std::regex kDeclared(R"([\w>&*] ([A-Z][a-z]\w*)\([^;{}]*\)( const| noexcept| &| &&)*;)");
  const auto counts = CountWords(sources);
  std::vector<std::string> dead;
  for (const auto& [path, source] : sources) {
    if (!path.ends_with(".h") || path.starts_with("tests/")) continue; // tests paste names together
    const std::string code = WithoutDirectives(CodeOf(source));
    const std::string beside = path.substr(0, path.size() - 1) + "cc";
    const std::string definitions = sources.contains(beside) ? CodeOf(sources.at(beside)) : "";
    for (std::sregex_iterator it(code.begin(), code.end(), kDeclared), end; it != end; ++it) {
      const std::string name = (*it)[1];
      const bool defined = std::regex_search(definitions, std::regex("\\b" + name + "\\("));
      if (counts.at(name) <= (defined ? 2 : 1)) dead.push_back(path + ": " + name);
    }
  }
  return dead;
}

} // namespace avocet
