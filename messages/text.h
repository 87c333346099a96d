#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace avocet {

/// Bound of every free text (reasons, details).
inline constexpr size_t kMaxTextBytes = 4096;
/// Bound of every label (device types, units, event subjects).
inline constexpr size_t kMaxLabelBytes = 256;

/// Bytes of the UTF-8 character (RFC 3629) at the front of a non-empty text; 0 when there is none.
size_t CharLength(std::string_view bytes);
/// True for valid UTF-8 of at most kMaxTextBytes; what `reason` and `detail` fields may hold.
bool IsText(std::string_view text);
/// True for a non-empty text of at most kMaxLabelBytes without control characters.
bool IsLabel(std::string_view text);
/// `bytes` made fit for a `reason` or `detail`: invalid bytes become '?', the end is cut at
/// `max_bytes` between characters. For texts that come from outside (engines, peers).
std::string ToText(std::string_view bytes, size_t max_bytes = kMaxTextBytes);

} // namespace avocet
