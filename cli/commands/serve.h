#pragma once

#include <functional>
#include <map>
#include <string>

#include "cli/commands/context.h"

namespace avocet {

/// Where a long-running command listens: name of an endpoint to address.
using Addresses = std::map<std::string, std::string>;

struct Served {
  Addresses addresses;
  std::string data_dir;
  std::function<bool()> alive; ///< false once it can serve no more: the process should end
  std::function<void()> stop;  ///< in order, within kStopLimit
};

/// Longer than every deadline of an orderly stop; then the process is ended as it is.
inline constexpr int kStopLimitSeconds = 60;
/// For what is left after an orderly stop, or one that missed its deadlines.
inline constexpr int kTeardownLimitSeconds = 5;

/// Raises the limit of open descriptors as far as it may be, and logs it; makes every file that is created from now on
/// its owner's alone. Long-running commands do so first: what they serve chooses its bounds by it. kResourceExhausted
/// when there are too few descriptors to serve with.
Status PrepareToServe();

/// Before a private key is read: from now on the kernel writes no core dump of this process, and other processes of its
/// user cannot look into it (a debugger needs to be root's).
void HideMemory();

/// Says on stdout that it is ready and where (-o json: in one line), serves until SIGTERM or SIGINT, and
/// stops in order; a second signal ends the process at once. The exit code: an error when it was not a signal that
/// ended it. Requires that HoldSignals was called on this thread.
int ServeUntilSignal(const Context& context, const Served& served);

} // namespace avocet
