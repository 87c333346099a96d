#pragma once

#include <string>
#include <string_view>

#include "cli/config/toml_reader.h"
#include "messages/status.h"

namespace avocet {

/// Deepest nesting that is read; a configuration never needs it.
inline constexpr size_t kMaxJsonDepth = 16;

/// Parses a whole JSON text into the tree that ParseToml gives, places included, so that both are read by the same
/// code. The outermost value must be an object; null is no value, and no key may appear twice in an object.
/// kInvalidArgument with "file:line:col: what"; kResourceExhausted beyond kMaxTomlBytes.
Result<TomlNode> ParseJson(std::string_view text, const std::string& filename);

} // namespace avocet
