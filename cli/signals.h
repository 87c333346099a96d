#pragma once

#include <functional>

#include "messages/units.h"

namespace avocet {

/// Keeps SIGINT and SIGTERM for WaitForSignal. Call it before any thread starts: threads inherit the
/// mask.
void HoldSignals();

/// Waits until SIGINT or SIGTERM comes, or `alive` (asked every `poll`) says false; the signal's
/// number, or 0. From then on a second signal ends the process at once.
int WaitForSignal(const std::function<bool()>& alive, Duration poll = std::chrono::milliseconds(500));

} // namespace avocet
