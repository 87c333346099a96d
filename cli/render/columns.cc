#include "cli/render/columns.h"

#include <algorithm>
#include <cstddef>

namespace avocet {
namespace {

bool BeginsCharacter(char c) {
  return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U;
}

/// The last `width` columns.
std::string EndOf(const std::string& text, size_t width) {
  size_t begin = text.size();
  for (size_t columns = 0; begin > 0 && columns < width;)
    columns += BeginsCharacter(text[--begin]) ? 1 : 0;
  return text.substr(begin);
}

/// Whether the place is in the middle of a command, which people copy: between two '`'.
bool IsQuoted(const std::string& text, size_t at) {
  return std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(at), '`') % 2 == 1;
}

/// Where to break a text that is too long: at the last space within `width`, else in the middle of the word.
size_t BreakOf(const std::string& text, size_t width) {
  const size_t most = CutToWidth(text, width).size();
  // A space right behind the line breaks it, too.
  const size_t last = text.rfind(' ', most);
  size_t space = last;
  while (space != std::string::npos && space != 0 && IsQuoted(text, space))
    space = text.rfind(' ', space - 1);

  if (space != std::string::npos && space != 0) return space;
  return last == std::string::npos || last == 0 ? most : last;
}

} // namespace

size_t DisplayWidth(std::string_view text) {
  return static_cast<size_t>(std::count_if(text.begin(), text.end(), BeginsCharacter));
}

std::string CutToWidth(const std::string& text, size_t width) {
  if (DisplayWidth(text) <= width) return text;
  size_t end = 0;
  for (size_t columns = 0; end < text.size(); ++end)
    if (BeginsCharacter(text[end]) && ++columns > width) break;
  return text.substr(0, end);
}

std::string ElideToWidth(const std::string& text, size_t width) {
  if (DisplayWidth(text) <= width) return text;
  const size_t kept = width - 1;
  return CutToWidth(text, kept - kept / 2) + "\u2026" + EndOf(text, kept / 2);
}

std::vector<std::string> WrapToWidth(const std::string& text, size_t width) {
  std::vector<std::string> lines;
  std::string rest = text;
  while (DisplayWidth(rest) > width) {
    const size_t end = BreakOf(rest, width);
    lines.push_back(rest.substr(0, end));
    rest.erase(0, end);
    rest.erase(0, rest.find_first_not_of(' '));
  }
  if (!rest.empty() || lines.empty()) lines.push_back(rest);
  return lines;
}

std::string Paragraph(const std::string& text, size_t indent) {
  std::string out;
  for (const std::string& line : WrapToWidth(text, kMaxTableColumns - indent))
    out += (out.empty() ? "" : std::string(indent, ' ')) + line + "\n";
  return out;
}

} // namespace avocet
