#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace avocet {

enum class Align { kLeft, kRight };
enum class Tone { kPlain, kBold, kGood, kBad, kDim };

/// Whether output to this file descriptor is coloured: a terminal, NO_COLOR unset or empty, TERM not "dumb".
bool UseColor(int fd);

/// `text` in the tone's colour, or as it is.
std::string Paint(std::string_view text, Tone tone, bool color);

/// Columns that a terminal needs for UTF-8 text: one per code point (no wide characters are known).
size_t DisplayWidth(std::string_view text);

/// Cut to `width` columns, between characters.
std::string CutToWidth(const std::string& text, size_t width);

struct Column {
  std::string header;
  Align align = Align::kLeft;
};

/// A cell; control characters become spaces, so that foreign text cannot drive the terminal.
struct Cell {
  Cell(std::string text, Tone tone = Tone::kPlain);
  Cell(const char* text) : Cell(std::string(text)) {}
  std::string text;
  Tone tone = Tone::kPlain;
};

/// Plain-text table: a header line, one line per row, columns two spaces apart, no trailing spaces.
class TextTable {
public:
  explicit TextTable(std::vector<Column> columns);
  /// Requires as many cells as columns.
  void Add(std::vector<Cell> row);
  size_t size() const { return rows_.size(); }
  /// Ends in a newline.
  std::string Render(bool color = false) const;

private:
  void RenderRow(const std::vector<Cell>& row, const std::vector<size_t>& widths, bool color, std::string& out) const;
  std::vector<Column> columns_;
  std::vector<std::vector<Cell>> rows_;
};

} // namespace avocet
