#pragma once

#include <string>
#include <vector>

#include "cli/commands/session.h"
#include "cli/load/load_report.h"
#include "messages/reports.h"

namespace avocet {

/// The one inference endpoint where all of these applications are served over this protocol. Otherwise why not:
/// kUnavailable for one that does not serve now (its node is away, since when; why it failed), kNotFound when none is
/// placed or the endpoint is switched off, kInvalidArgument when they are on several nodes.
Result<std::string> EndpointOf(Session& session, LoadProtocol protocol, const std::vector<AppStatus>& apps);

} // namespace avocet
