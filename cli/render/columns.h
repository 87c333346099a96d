#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace avocet {

// Text in the columns of a terminal; a UTF-8 code point takes one (no wide characters are known).

/// A table is not wider than this, if its columns can be made to fit.
inline constexpr size_t kMaxTableColumns = 100;

size_t DisplayWidth(std::string_view text);

/// Cut to `width` columns, between characters.
std::string CutToWidth(const std::string& text, size_t width);

/// As it is, or with the middle left out: "face_detec…_range:1". Both ends of an id tell it from others. `width` >= 3.
std::string ElideToWidth(const std::string& text, size_t width);

/// Lines of at most `width` columns, broken between words where there are any, and not in a `command` that fits. Never
/// empty. `width` >= 1.
std::vector<std::string> WrapToWidth(const std::string& text, size_t width);

/// Lines of at most kMaxTableColumns, each but the first indented by `indent` more columns; ends in a newline.
std::string Paragraph(const std::string& text, size_t indent);

} // namespace avocet
