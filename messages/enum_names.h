#pragma once

#include <initializer_list>
#include <optional>
#include <string_view>

namespace avocet {

/// The enumerator whose ToString is `text`.
template <class Enum> std::optional<Enum> ParseEnum(std::string_view text, std::initializer_list<Enum> all) {
  for (const Enum value : all) {
    if (ToString(value) == text) return value;
  }
  return std::nullopt;
}

} // namespace avocet
