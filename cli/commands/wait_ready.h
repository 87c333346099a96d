#pragma once

#include "cli/commands/session.h"

namespace avocet {

/// Asks until the application serves. kInternal when its agent failed to run it, kDeadlineExceeded
/// after `timeout`.
Status WaitUntilReady(Session& session, const AppId& app, Duration timeout);

} // namespace avocet
