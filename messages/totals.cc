#include "messages/totals.h"

#include <algorithm>

#include "messages/check.h"

namespace avocet {
namespace {

/// Agents say how long their windows are: the sum of two must not overflow.
Duration Sum(Duration a, Duration b) {
  return a + std::min(b, Duration::max() - a);
}

Status CheckAppSlot(const AppSlot& slot) {
  return Check("application", slot.app.str())
      .Name("app", slot.app.str())
      .That(slot.totals.measured >= Duration::zero(), "measured", slot.totals.measured, ">= 0")
      .Part(CheckMoments("response", slot.totals.response))
      .status();
}

} // namespace

void AppTotals::Add(const AppWindow& window, Duration length) {
  arrivals += window.arrivals;
  completions += window.completions;
  failures += window.failures;
  refusals += window.refusals;
  expired += window.expired;
  measured = Sum(measured, length);
  response.Merge(window.response);
  response_sketch.Merge(window.response_sketch);
}

void AppTotals::Merge(const AppTotals& other) {
  arrivals += other.arrivals;
  completions += other.completions;
  failures += other.failures;
  refusals += other.refusals;
  expired += other.expired;
  measured = Sum(measured, other.measured);
  response.Merge(other.response);
  response_sketch.Merge(other.response_sketch);
}

double AppTotals::arrivals_per_second() const {
  return measured > Duration::zero() ? static_cast<double>(arrivals) / ToSeconds(measured) : 0;
}

std::string_view ToString(TotalsSpan span) {
  switch (span) {
  case TotalsSpan::kFiveSeconds:
    return "5s";
  case TotalsSpan::kMinute:
    return "minute";
  case TotalsSpan::kEver:
    return "ever";
  }
  return "?";
}

std::string SlotId(const TotalsSlot& slot) {
  return slot.device.str() + "/" + std::string(ToString(slot.span)) + "/" +
         std::to_string(slot.number % SlotsKept(slot.span));
}

Status Validate(const TotalsSlot& slot) {
  const auto is_later = [](const AppSlot& a, const AppSlot& b) { return a.app >= b.app; };
  const bool in_order = std::adjacent_find(slot.apps.begin(), slot.apps.end(), is_later) == slot.apps.end();
  return Check("totals of device", slot.device.str())
      .Device("device", slot.device)
      .That(slot.number >= 0, "number", slot.number, ">= 0")
      .Length("apps", slot.apps.size(), kMaxAppsPerDevice)
      .Each(slot.apps, CheckAppSlot)
      .Is(in_order, "apps", "a list out of order or with an application twice",
          "distinct applications in order of name")
      .status();
}

} // namespace avocet
