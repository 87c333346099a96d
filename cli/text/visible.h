#pragma once

#include <string>
#include <string_view>

namespace avocet {

/// Text of others (names, a peer's words) made fit for a terminal, where control characters would move the cursor,
/// change colours or titles, or hide what was written: each is shown by its number, e.g. "\x1b" or "\u202e". So are
/// bytes that are no UTF-8. All else stays as it is.
std::string Visible(std::string_view text);

/// The same for texts of several lines: ends of lines stay.
std::string VisibleLines(std::string_view text);

} // namespace avocet
