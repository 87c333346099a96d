#include "cli/render/table.h"
#include "messages/invariant.h"

#include <algorithm>
#include <cstdlib>

#include <unistd.h>

namespace avocet {
namespace {

constexpr std::string_view kGap = "  ";

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

size_t DisplayWidth(std::string_view text) {
  const auto is_first_byte = [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; };
  return static_cast<size_t>(std::count_if(text.begin(), text.end(), is_first_byte));
}

std::string CutToWidth(const std::string& text, size_t width) {
  if (DisplayWidth(text) <= width) return text;
  size_t end = 0;
  for (size_t columns = 0; end < text.size(); ++end) {
    const bool begins = (static_cast<unsigned char>(text[end]) & 0xC0U) != 0x80U;
    if (begins && ++columns > width) break;
  }
  return text.substr(0, end);
}

Cell::Cell(std::string cell_text, Tone cell_tone) : text(std::move(cell_text)), tone(cell_tone) {
  const auto is_control = [](char c) { return static_cast<unsigned char>(c) < 0x20U || c == 0x7F; };
  std::replace_if(text.begin(), text.end(), is_control, ' ');
}

TextTable::TextTable(std::vector<Column> columns) : columns_(std::move(columns)) {}

void TextTable::Add(std::vector<Cell> row) {
  AVOCET_CHECK(row.size() == columns_.size());
  rows_.push_back(std::move(row));
}

void TextTable::RenderRow(const std::vector<Cell>& row, const std::vector<size_t>& widths, bool color,
                          std::string& out) const {
  size_t pending = 0; // spaces, written only once a cell follows: no line ends in one
  for (size_t i = 0; i < row.size(); ++i) {
    const size_t padding = widths[i] - DisplayWidth(row[i].text);
    pending += (i > 0 ? kGap.size() : 0) + (columns_[i].align == Align::kRight ? padding : 0);
    if (!row[i].text.empty()) {
      out.append(pending, ' ').append(Paint(row[i].text, row[i].tone, color));
      pending = 0;
    }
    pending += columns_[i].align == Align::kLeft ? padding : 0;
  }
  out += '\n';
}

std::string TextTable::Render(bool color) const {
  std::vector<Cell> header;
  std::vector<size_t> widths;
  for (const Column& column : columns_) {
    header.emplace_back(column.header, Tone::kBold);
    widths.push_back(DisplayWidth(column.header));
  }

  // All rows before any output: the widest cell may be in the last one.
  for (const auto& row : rows_)
    for (size_t i = 0; i < row.size(); ++i)
      widths[i] = std::max(widths[i], DisplayWidth(row[i].text));

  std::string out;
  RenderRow(header, widths, color, out);
  for (const auto& row : rows_)
    RenderRow(row, widths, color, out);
  return out;
}

} // namespace avocet
