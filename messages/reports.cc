#include "messages/reports.h"

namespace avocet {

void AppTotals::Add(const AppWindow& window) {
  arrivals += window.arrivals;
  completions += window.completions;
  failures += window.failures;
  refusals += window.refusals;
  response.Merge(window.response);
  response_histogram.Merge(window.response_histogram);
}

} // namespace avocet
