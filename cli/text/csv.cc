#include "cli/text/csv.h"

#include <charconv>
#include <cmath>

#include <fmt/format.h>

namespace avocet {

std::vector<std::string_view> SplitCells(std::string_view line) {
  std::vector<std::string_view> cells;
  for (size_t begin = 0;;) {
    const size_t comma = line.find(',', begin);
    cells.push_back(line.substr(begin, comma - begin));
    if (comma == std::string_view::npos) return cells;
    begin = comma + 1;
  }
}

std::optional<double> NumberIn(std::string_view cell) {
  double value = 0;
  const auto [end, error] = std::from_chars(cell.data(), cell.data() + cell.size(), value);
  if (error != std::errc() || end != cell.data() + cell.size() || !std::isfinite(value)) return std::nullopt;
  return value;
}

Status EachLine(std::string_view text, const std::function<Status(size_t, std::string_view)>& read) {
  for (size_t number = 1; !text.empty(); ++number) {
    const size_t newline = text.find('\n');
    std::string_view line = text.substr(0, newline);
    text.remove_prefix(newline == std::string_view::npos ? text.size() : newline + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (!line.empty()) AVOCET_RETURN_IF_ERROR(read(number, line));
  }
  return {};
}

Status ProblemIn(const std::string& filename, size_t line, const std::string& what) {
  return InvalidArgument(fmt::format("{}:{}: {}", filename, line, what));
}

} // namespace avocet
