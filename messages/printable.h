#pragma once

#include <string>
#include <string_view>

namespace avocet {

/// A text for a log, an event or a terminal: what would move a cursor, begin a line, change a colour or turn the
/// direction of writing is spelled out, as \n, \x1b or \u{202e}; so are bytes that are not UTF-8. All else stays as it
/// is, so a text that was made printable is not changed again. For whatever a peer may have written.
std::string Printable(std::string_view text);

} // namespace avocet
