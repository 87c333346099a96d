#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>

#include "messages/status.h"
#include "messages/units.h"

namespace avocet {

/// A parameter of the Open Inference Protocol, as both transports have them.
using ParameterValue = std::variant<bool, int64_t, uint64_t, double, std::string>;
using Parameters = std::map<std::string, ParameterValue>;

/// Parameters that one request or tensor may have.
inline constexpr size_t kMaxParameters = 64;

/// The `timeout` parameter (microseconds); nullopt when absent or 0. kInvalidArgument unless it is a
/// non-negative integer.
Result<std::optional<Duration>> TimeoutOf(const Parameters& parameters);

/// kInvalidArgument unless `priority`, where given, is a non-negative integer. Its value changes
/// nothing: devices serve by their discipline, which is what latencies are predicted for.
Status CheckPriority(const Parameters& parameters);

} // namespace avocet
