#pragma once

#include <memory>

#include <spdlog/formatter.h>

namespace avocet {

/// How lines of the log look: time in UTC, level, message. The one door of the log:
/// what a message holds of control characters is spelled out (messages/printable.h), so no peer's text begins a line of
/// its own or reaches a terminal.
std::unique_ptr<spdlog::formatter> MakeLogFormatter();

} // namespace avocet
