#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace avocet {

/// C++ source without its comments and without the inside of its literals; line breaks stay, so that
/// lines keep their numbers.
std::string CodeOf(std::string_view source);

struct Include {
  int line = 0;       ///< from 1
  std::string header; ///< as written
  bool quoted = false;
};

/// The include directives of a source, those in comments left out.
std::vector<Include> IncludesOf(std::string_view source);

/// 1 + the number of line breaks before `position`.
int LineOf(std::string_view text, size_t position);

} // namespace avocet
