#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace avocet {

/// A function's definition in a source. Lines are counted from 1 and include the signature and the closing brace.
struct FunctionSpan {
  int first_line = 0;
  int last_line = 0;
  int blank_lines = 0;
  int comment_lines = 0; ///< with nothing but a comment
  int lines() const { return last_line - first_line + 1; }
};

/// The functions that a source defines in namespaces and types; lambdas and local types belong to their function.
std::vector<FunctionSpan> FunctionsOf(std::string_view source);

/// "path:line: what" for each function above 60 lines, and for a file above 400.
std::vector<std::string> CheckSizes(std::string_view path, std::string_view source);

/// How much air and how many reasons the long functions hold: those of 15 lines and more, where a second reader gets
/// lost.
struct LongFunctions {
  int lines = 0;
  int blank_lines = 0;
  int comment_lines = 0;
  void Add(const std::vector<FunctionSpan>& functions);
  double blank_share() const { return lines == 0 ? 0 : static_cast<double>(blank_lines) / lines; }
  double comment_share() const { return lines == 0 ? 0 : static_cast<double>(comment_lines) / lines; }
};

/// Path -> text of every source.
using Sources = std::map<std::string, std::string>;

/// "path: name" of each function that a header declares and that nobody calls, not even a test: its name stands nowhere
/// but in that header and in the definition.
std::vector<std::string> DeadDeclarations(const Sources& sources);

} // namespace avocet
