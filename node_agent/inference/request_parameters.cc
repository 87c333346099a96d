#include "node_agent/inference/request_parameters.h"

#include <algorithm>

namespace avocet {
namespace {

/// The value of an integer parameter >= 0, cut at `most`; nullopt when it is anything else.
std::optional<int64_t> NonNegative(const ParameterValue& value, int64_t most) {
  if (const auto* wide = std::get_if<uint64_t>(&value))
    return static_cast<int64_t>(std::min(*wide, static_cast<uint64_t>(most)));
  const auto* number = std::get_if<int64_t>(&value);
  if (number == nullptr || *number < 0) return std::nullopt;
  return std::min(*number, most);
}

constexpr int64_t kMostMicros =
    std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::hours(24 * 365)).count();

} // namespace

Result<std::optional<Duration>> TimeoutOf(const Parameters& parameters) {
  const auto it = parameters.find("timeout");
  if (it == parameters.end()) return std::optional<Duration>();
  const auto micros = NonNegative(it->second, kMostMicros);
  if (!micros) return InvalidArgument("the parameter 'timeout' must be an integer of microseconds >= 0");
  if (*micros == 0) return std::optional<Duration>();
  return std::optional<Duration>(std::chrono::microseconds(*micros));
}

Status CheckPriority(const Parameters& parameters) {
  const auto it = parameters.find("priority");
  if (it == parameters.end() || NonNegative(it->second, INT64_MAX)) return {};
  return InvalidArgument("the parameter 'priority' must be an integer >= 0");
}

} // namespace avocet
