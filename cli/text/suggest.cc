#include "cli/text/suggest.h"

#include <algorithm>
#include <cctype>
#include <vector>

#include <fmt/format.h>

namespace avocet {
namespace {

char Lower(char c) {
  return static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
}

/// Three rows suffice: a swap of neighbours refers to the row before the last.
struct Rows {
  explicit Rows(size_t columns) : before_last(columns), last(columns), current(columns) {
    for (size_t j = 0; j < columns; ++j)
      last[j] = j;
  }
  void Shift() {
    before_last.swap(last);
    last.swap(current);
  }
  std::vector<size_t> before_last, last, current;
};

} // namespace

size_t EditDistance(std::string_view a, std::string_view b) {
  Rows rows(b.size() + 1);

  for (size_t i = 1; i <= a.size(); ++i) {
    rows.current[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const bool equal = Lower(a[i - 1]) == Lower(b[j - 1]);
      size_t best = std::min({rows.last[j] + 1, rows.current[j - 1] + 1, rows.last[j - 1] + (equal ? 0 : 1)});
      // Two letters in the wrong order are one slip, not two.
      const bool swapped = i > 1 && j > 1 && Lower(a[i - 1]) == Lower(b[j - 2]) && Lower(a[i - 2]) == Lower(b[j - 1]);
      if (swapped) best = std::min(best, rows.before_last[j - 2] + 1);
      rows.current[j] = best;
    }
    rows.Shift();
  }

  return rows.last[b.size()];
}

std::optional<std::string_view> Nearest(std::string_view word, std::span<const std::string_view> candidates) {
  std::optional<std::string_view> nearest;
  size_t limit = std::max<size_t>(1, word.size() / 3) + 1; // one past what is accepted

  for (std::string_view candidate : candidates) {
    const size_t distance = EditDistance(word, candidate);
    if (distance < limit) {
      limit = distance;
      nearest = candidate;
    }
  }

  // "latency" for "latency_ms": far in letters, near in meaning.
  constexpr size_t kMinPrefix = 3;
  const auto begun = std::find_if(candidates.begin(), candidates.end(), [&](auto c) { return c.starts_with(word); });
  if (!nearest && word.size() >= kMinPrefix && begun != candidates.end()) return *begun;
  return nearest;
}

std::string Suggestion(std::string_view word, std::span<const std::string_view> candidates) {
  if (candidates.empty()) return "";
  if (auto nearest = Nearest(word, candidates)) return fmt::format("; did you mean '{}'?", *nearest);
  return fmt::format("; valid: {}", fmt::join(candidates, ", "));
}

} // namespace avocet
