#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "cli/render/columns.h"

namespace avocet {

enum class Align { kLeft, kRight };
enum class Tone { kPlain, kBold, kGood, kBad, kDim };

/// Whether output to this file descriptor is coloured: a terminal, NO_COLOR unset or empty, TERM not "dumb".
bool UseColor(int fd);

/// `text` in the tone's colour, or as it is.
std::string Paint(std::string_view text, Tone tone, bool color);

/// What may happen to the cells of a column when the table is wider than kMaxTableColumns.
enum class Fit {
  kKeep,
  kElide, ///< the middle of long ones is left out
  kWrap,  ///< long ones go on in the next line
};

struct Column {
  std::string header;
  Align align = Align::kLeft;
  Fit fit = Fit::kKeep;
};

/// A cell; its text is made visible (cli/text/visible.h), so that foreign text cannot drive the terminal.
struct Cell {
  Cell(const std::string& text, Tone tone = Tone::kPlain);
  Cell(const char* text) : Cell(std::string(text)) {}
  std::string text;
  Tone tone = Tone::kPlain;
};

/// Plain-text table: a header line, a line per row (more where cells wrap), columns two spaces apart, no trailing
/// spaces.
class TextTable {
public:
  explicit TextTable(std::vector<Column> columns);
  /// Requires as many cells as columns.
  void Add(std::vector<Cell> row);
  size_t size() const { return rows_.size(); }
  /// Ends in a newline.
  std::string Render(bool color = false) const;

private:
  std::vector<size_t> Widths() const;
  size_t WidestOf(Fit fit, const std::vector<size_t>& widths) const;
  void RenderRow(const std::vector<Cell>& row, const std::vector<size_t>& widths, bool color, std::string& out) const;
  void RenderLine(const std::vector<Cell>& line, const std::vector<size_t>& widths, bool color, std::string& out) const;
  std::vector<Column> columns_;
  std::vector<std::vector<Cell>> rows_;
};

} // namespace avocet
