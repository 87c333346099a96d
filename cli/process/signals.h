#pragma once

#include <functional>

#include "messages/units.h"

namespace avocet {

/// Keeps SIGINT and SIGTERM for WaitForSignal. Call it before any thread starts: threads inherit the
/// mask.
void HoldSignals();
/// Whether the calling thread holds them.
bool SignalsAreHeld();

/// Waits until SIGINT or SIGTERM comes, or `alive` (called every `poll`) returns false. Returns the signal's
/// number, or 0. From then on a second signal ends the process at once.
int WaitForSignal(const std::function<bool()>& alive, Duration poll = std::chrono::milliseconds(500));

} // namespace avocet
