#pragma once

#include <functional>

#include "messages/units.h"

namespace avocet {

/// Keeps SIGINT, SIGTERM and SIGHUP for WaitForSignal. Call it before any thread starts: threads inherit the
/// mask.
void HoldSignals();
/// Whether the calling thread holds them.
bool SignalsAreHeld();

/// Waits until SIGINT, SIGTERM or SIGHUP comes, or `alive` (called every `poll`) returns false. Returns the signal's
/// number, or 0. From then on a second signal ends the process at once. With `on_hangup`, SIGHUP calls it and ends
/// nothing: to a daemon it says that files changed, not that its terminal went away.
int WaitForSignal(const std::function<bool()>& alive, Duration poll = std::chrono::milliseconds(500),
                  const std::function<void()>& on_hangup = {});

} // namespace avocet
