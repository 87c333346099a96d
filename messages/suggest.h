#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace avocet {

/// Number of single-character insertions, deletions, replacements and swaps of neighbours that turn
/// one text into the other; letters of either case count as equal.
size_t EditDistance(std::string_view a, std::string_view b);

/// The candidate that `word` was most likely meant to be, or nullopt when none is near. Nearest is one that begins or
/// ends with `word`, if that has three letters; else the one that differs in the fewest letters, at most a third of
/// them (or one). The first of equally near ones.
std::optional<std::string_view> Nearest(std::string_view word, std::span<const std::string_view> candidates);

/// "; did you mean 'rate_rps'?", or "; valid: a, b, c" when nothing is near, or "" without candidates.
std::string Suggestion(std::string_view word, std::span<const std::string_view> candidates);

} // namespace avocet
