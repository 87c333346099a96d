#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <CLI/CLI.hpp>

namespace avocet {

// What the values of flags must be. An error says what was given and what would be right, in the words of all other
// errors; CLI11's own validators print ranges of 309 digits and tables of numbers.

/// One of these words; a near one is suggested.
CLI::Validator OneOf(std::vector<std::string> words);

/// A number from `low` to `high`.
CLI::Validator Within(double low, double high);
/// A number above `low`.
CLI::Validator Above(double low);
/// A number that is not negative.
CLI::Validator NotNegative();

/// The names of enumeration values, for OneOf.
template <class Enum> std::vector<std::string> NamesOf(std::span<const Enum> values) {
  std::vector<std::string> names;
  for (const Enum value : values)
    names.emplace_back(ToString(value));
  return names;
}

} // namespace avocet
