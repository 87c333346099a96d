#include "messages/suggest.h"

#include <algorithm>
#include <cctype>
#include <vector>

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

/// "latency" for "latency_ms", "tpu" for "edgetpu": far in letters, near in meaning. A candidate that begins with the
/// word goes before one that only ends with it.
std::optional<std::string_view> Containing(std::string_view word, std::span<const std::string_view> candidates) {
  constexpr size_t kMinPart = 3;
  if (word.size() < kMinPart) return std::nullopt;
  const auto find = [&](const auto& fits) -> std::optional<std::string_view> {
    const auto found = std::find_if(candidates.begin(), candidates.end(), fits);
    return found == candidates.end() ? std::nullopt : std::optional(*found);
  };

  if (const auto same = find([&](auto c) { return EditDistance(c, word) == 0; })) return same;
  if (const auto begun = find([&](auto c) { return c.starts_with(word); })) return begun;
  return find([&](auto c) { return c.ends_with(word); });
}

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
  if (const auto whole = Containing(word, candidates)) return whole;

  std::optional<std::string_view> nearest;
  size_t limit = std::max<size_t>(1, word.size() / 3) + 1; // one past what is accepted

  for (std::string_view candidate : candidates) {
    const size_t distance = EditDistance(word, candidate);
    if (distance < limit) {
      limit = distance;
      nearest = candidate;
    }
  }

  return nearest;
}

std::string Suggestion(std::string_view word, std::span<const std::string_view> candidates) {
  if (candidates.empty()) return "";
  if (auto nearest = Nearest(word, candidates)) return "; did you mean '" + std::string(*nearest) + "'?";

  std::string valid = "; valid:";
  for (const auto candidate : candidates)
    valid.append(valid.back() == ':' ? " " : ", ").append(candidate);
  return valid;
}

} // namespace avocet
