#include "cli/text/visible.h"

#include <cstdint>

#include <fmt/format.h>

namespace avocet {
namespace {

struct Character {
  char32_t code = 0;
  size_t bytes = 1;
  bool is_valid = false;
};

/// The UTF-8 character at the front of a text that is not empty.
Character First(std::string_view text) {
  const auto byte = [&](size_t at) { return static_cast<unsigned char>(text[at]); };
  const unsigned char first = byte(0);
  if (first < 0x80) return {first, 1, true};

  const size_t bytes = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC2 || first > 0xF4 || text.size() < bytes) return {};
  char32_t code = first & (0xFFU >> (bytes + 1));
  for (size_t i = 1; i < bytes; ++i) {
    if ((byte(i) & 0xC0U) != 0x80U) return {};
    code = code << 6U | (byte(i) & 0x3FU);
  }
  return {code, bytes, true};
}

/// Of the ranges C0 and C1, delete, and what reverses or overrides the direction of writing.
bool IsControl(char32_t code) {
  return code < 0x20 || (code >= 0x7F && code < 0xA0) || (code >= 0x202A && code <= 0x202E) ||
         (code >= 0x2066 && code <= 0x2069);
}

std::string Shown(std::string_view text, bool keeps_lines) {
  std::string shown;
  while (!text.empty()) {
    const Character next = First(text);
    if (!next.is_valid || (next.code < 0x80 && IsControl(next.code) && !(keeps_lines && next.code == '\n')))
      shown += fmt::format("\\x{:02x}", static_cast<unsigned char>(text[0]));
    else if (next.code != '\n' && IsControl(next.code))
      shown += fmt::format("\\u{:04x}", static_cast<uint32_t>(next.code));
    else
      shown += text.substr(0, next.bytes);
    text.remove_prefix(next.bytes);
  }
  return shown;
}

} // namespace

std::string Visible(std::string_view text) {
  return Shown(text, false);
}

std::string VisibleLines(std::string_view text) {
  return Shown(text, true);
}

} // namespace avocet
