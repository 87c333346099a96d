#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cli/load/load_generator.h"
#include "messages/ids.h"
#include "messages/status.h"

namespace avocet {

inline constexpr size_t kMaxLoadTraceBytes = size_t{512} << 20;

/// When requests are due, as somebody recorded it.
struct LoadTrace {
  std::vector<AppId> apps;                ///< in order of appearance; empty: the file does not say
  std::vector<ScheduledRequest> requests; ///< in order of time; `target` is a place in `apps`, or 0
};

/// CSV with a header and the column arrival_s (seconds since the start, >= 0, in any order), and
/// perhaps the column application; other columns are ignored. kInvalidArgument with
/// "file:line: what" for the first problem.
Result<LoadTrace> ParseLoadTrace(std::string_view text, const std::string& filename);

/// Only the requests of these applications, whose places they then refer to. A trace that names no
/// application is one application's. kInvalidArgument when that does not fit, or an application has
/// no request.
Result<LoadTrace> SelectApps(LoadTrace trace, const std::vector<AppId>& apps);

} // namespace avocet
