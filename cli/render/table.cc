#include "cli/render/table.h"

#include <algorithm>
#include <cstdlib>
#include <numeric>
#include <utility>

#include <unistd.h>

#include "cli/text/visible.h"
#include "messages/invariant.h"

namespace avocet {
namespace {

constexpr std::string_view kGap = "  ";
constexpr size_t kLeastWrapped = 24; ///< narrower prose is hard to read
constexpr size_t kLeastElided = 12;  ///< of less of a name, too little is left

std::string_view EscapeOf(Tone tone) {
  // Only the basic colours, which every terminal theme shows legibly.
  switch (tone) {
  case Tone::kPlain:
    return "";
  case Tone::kBold:
    return "\x1b[1m";
  case Tone::kGood:
    return "\x1b[32m";
  case Tone::kBad:
    return "\x1b[31m";
  case Tone::kDim:
    return "\x1b[2m";
  }

  return "";
}

} // namespace

bool UseColor(int fd) {
  const char* no_color = std::getenv("NO_COLOR");
  const char* term = std::getenv("TERM");
  const bool refused = (no_color && *no_color) || (term && std::string_view(term) == "dumb");
  return !refused && isatty(fd) == 1;
}

std::string Paint(std::string_view text, Tone tone, bool color) {
  if (!color || tone == Tone::kPlain) return std::string(text);
  return std::string(EscapeOf(tone)).append(text).append("\x1b[0m");
}

Cell::Cell(const std::string& cell_text, Tone cell_tone) : text(Visible(cell_text)), tone(cell_tone) {}

TextTable::TextTable(std::vector<Column> columns) : columns_(std::move(columns)) {}

void TextTable::Add(std::vector<Cell> row) {
  AVOCET_CHECK(row.size() == columns_.size());
  rows_.push_back(std::move(row));
}

/// The widest cells decide, then columns that may shrink do, until the table fits.
std::vector<size_t> TextTable::Widths() const {
  std::vector<size_t> widths;
  for (const Column& column : columns_)
    widths.push_back(DisplayWidth(column.header));
  const std::vector<size_t> least = widths; // headers stay whole

  for (const auto& row : rows_)
    for (size_t i = 0; i < row.size(); ++i)
      widths[i] = std::max(widths[i], DisplayWidth(row[i].text));

  const size_t total = std::accumulate(widths.begin(), widths.end(), kGap.size() * (widths.size() - 1));
  size_t excess = total - std::min(total, kMaxTableColumns);
  // First what loses nothing, then names.
  for (const auto& [fit, floor] : {std::pair(Fit::kWrap, kLeastWrapped), {Fit::kElide, kLeastElided}})
    for (; excess > 0; --excess) {
      const size_t widest = WidestOf(fit, widths);
      if (widest == widths.size() || widths[widest] <= std::max(floor, least[widest])) break;
      --widths[widest];
    }
  return widths;
}

size_t TextTable::WidestOf(Fit fit, const std::vector<size_t>& widths) const {
  size_t widest = widths.size();
  for (size_t i = 0; i < widths.size(); ++i)
    if (columns_[i].fit == fit && (widest == widths.size() || widths[i] > widths[widest])) widest = i;
  return widest;
}

/// One line, or several where cells wrap.
void TextTable::RenderRow(const std::vector<Cell>& row, const std::vector<size_t>& widths, bool color,
                          std::string& out) const {
  std::vector<std::vector<std::string>> cells;
  size_t lines = 1;
  for (size_t i = 0; i < row.size(); ++i) {
    cells.push_back(columns_[i].fit == Fit::kWrap    ? WrapToWidth(row[i].text, widths[i])
                    : columns_[i].fit == Fit::kElide ? std::vector{ElideToWidth(row[i].text, widths[i])}
                                                     : std::vector{row[i].text});
    lines = std::max(lines, cells.back().size());
  }

  for (size_t n = 0; n < lines; ++n) {
    std::vector<Cell> line;
    for (size_t i = 0; i < row.size(); ++i)
      line.emplace_back(n < cells[i].size() ? cells[i][n] : "", row[i].tone);
    RenderLine(line, widths, color, out);
  }
}

void TextTable::RenderLine(const std::vector<Cell>& line, const std::vector<size_t>& widths, bool color,
                           std::string& out) const {
  size_t pending = 0; // spaces, written only once a cell follows: no line ends in one
  for (size_t i = 0; i < line.size(); ++i) {
    const size_t padding = widths[i] - DisplayWidth(line[i].text);
    pending += (i > 0 ? kGap.size() : 0) + (columns_[i].align == Align::kRight ? padding : 0);
    if (!line[i].text.empty()) {
      out.append(pending, ' ').append(Paint(line[i].text, line[i].tone, color));
      pending = 0;
    }
    pending += columns_[i].align == Align::kLeft ? padding : 0;
  }
  out += '\n';
}

std::string TextTable::Render(bool color) const {
  std::vector<Cell> header;
  for (const Column& column : columns_)
    header.emplace_back(column.header, Tone::kBold);

  std::string out;
  const auto widths = Widths();
  RenderLine(header, widths, color, out);
  for (const auto& row : rows_)
    RenderRow(row, widths, color, out);
  return out;
}

} // namespace avocet
