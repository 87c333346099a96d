#pragma once

#include <optional>

#include "messages/application.h"
#include "messages/totals.h"

namespace avocet {

/// A statistic of the response times in a stretch of time; empty where there was none.
std::optional<Duration> MeasuredStatistic(const AppTotals& totals, Statistic statistic);

/// Requests that clients sent in a second, answered or refused. Requires that something was measured.
inline double OfferedRate(const AppTotals& totals) {
  return static_cast<double>(totals.arrivals + totals.refusals) / ToSeconds(totals.measured);
}

} // namespace avocet
