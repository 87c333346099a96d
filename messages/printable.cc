#include "messages/printable.h"

#include <cstdint>
#include <cstdio>

#include "messages/text.h"

namespace avocet {
namespace {

/// The character that a text of one valid character holds.
uint32_t CodePoint(std::string_view character) {
  const auto byte = [&](size_t at) { return static_cast<uint32_t>(static_cast<unsigned char>(character[at])); };
  if (character.size() == 1) return byte(0);
  uint32_t code = byte(0) & (0x7FU >> character.size());
  for (size_t i = 1; i < character.size(); ++i)
    code = (code << 6U) | (byte(i) & 0x3FU);
  return code;
}

/// Control characters (C0, DEL, C1), separators of lines, and what changes the direction of writing.
bool IsControl(uint32_t code) {
  return code < 0x20 || (code >= 0x7F && code <= 0x9F) || code == 0x61C || code == 0x200E || code == 0x200F ||
         (code >= 0x2028 && code <= 0x202E) || (code >= 0x2066 && code <= 0x2069);
}

std::string Spelled(const char* format, uint32_t code) {
  char text[16];
  std::snprintf(text, sizeof text, format, code);
  return text;
}

std::string Escape(uint32_t code) {
  if (code == '\n') return "\\n";
  if (code == '\r') return "\\r";
  if (code == '\t') return "\\t";
  return code < 0x80 ? Spelled("\\x%02x", code) : Spelled("\\u{%x}", code);
}

} // namespace

std::string Printable(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const size_t length = CharLength(text);
    if (length == 0) {
      out += Spelled("\\x%02x", static_cast<unsigned char>(text[0]));
      text.remove_prefix(1);
      continue;
    }
    const std::string_view character = text.substr(0, length);
    const uint32_t code = CodePoint(character);
    if (IsControl(code))
      out += Escape(code);
    else
      out += character;
    text.remove_prefix(length);
  }
  return out;
}

} // namespace avocet
