#include "messages/text.h"

#include <algorithm>

namespace avocet {
namespace {

bool Between(std::string_view bytes, size_t at, unsigned low, unsigned high) {
  if (at >= bytes.size()) return false;
  const auto byte = static_cast<unsigned char>(bytes[at]);
  return byte >= low && byte <= high;
}

bool Continues(std::string_view bytes, size_t at) {
  return Between(bytes, at, 0x80, 0xBF);
}

} // namespace

// The narrowed second bytes exclude overlong forms, surrogates and what lies past U+10FFFF.
size_t CharLength(std::string_view bytes) {
  const auto first = static_cast<unsigned char>(bytes[0]);
  if (first < 0x80) return 1;
  if (first >= 0xC2 && first <= 0xDF) return Continues(bytes, 1) ? 2 : 0;
  if (first >= 0xE0 && first <= 0xEF) {
    const bool second = Between(bytes, 1, first == 0xE0 ? 0xA0 : 0x80, first == 0xED ? 0x9F : 0xBF);
    return second && Continues(bytes, 2) ? 3 : 0;
  }
  if (first >= 0xF0 && first <= 0xF4) {
    const bool second = Between(bytes, 1, first == 0xF0 ? 0x90 : 0x80, first == 0xF4 ? 0x8F : 0xBF);
    return second && Continues(bytes, 2) && Continues(bytes, 3) ? 4 : 0;
  }
  return 0;
}

bool IsText(std::string_view text) {
  if (text.size() > kMaxTextBytes) return false;
  while (!text.empty()) {
    const size_t length = CharLength(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

bool IsLabel(std::string_view text) {
  const auto is_control = [](unsigned char c) { return c < 0x20 || c == 0x7F; };
  return !text.empty() && text.size() <= kMaxLabelBytes && IsText(text) &&
         std::none_of(text.begin(), text.end(), is_control);
}

std::string ToText(std::string_view bytes, size_t max_bytes) {
  std::string out;
  while (!bytes.empty()) {
    const size_t length = CharLength(bytes);
    const std::string_view next = length == 0 ? "?" : bytes.substr(0, length);
    if (out.size() + next.size() > max_bytes) break;
    out += next;
    bytes.remove_prefix(std::max<size_t>(length, 1));
  }
  return out;
}

} // namespace avocet
