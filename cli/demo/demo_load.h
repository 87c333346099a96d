#pragma once

#include <map>
#include <stop_token>
#include <string>

#include "cli/load/load_client.h"

namespace avocet {

/// Runs the plan with every application's requests sent to its own endpoint, all at the same time, as
/// RunLoad does for one endpoint. Requires an endpoint for each of the plan's applications. Only the first endpoint's
/// part reports progress.
Result<LoadReport> RunDemoLoad(const LoadPlan& plan, const std::map<AppId, std::string>& endpoints,
                               const OnLoadProgress& on_progress, const std::stop_token& stop);

} // namespace avocet
