#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "controller/planning/trace_replay.h"
#include "messages/status.h"

namespace avocet {

inline constexpr size_t kMaxTraceBytes = size_t{256} << 20;
inline constexpr size_t kMaxTraceModels = 64; ///< in one run

/// Records of a FIFO device: CSV with a header and at least the columns run, model, nominal_rate_rps, start_s,
/// end_s, in any order; no quoting. Runs and models in order of first appearance. kInvalidArgument with
/// "file:line: what" for the first problem.
Result<std::vector<TraceRun>> ParseTrace(std::string_view text, const std::string& filename);

} // namespace avocet
