#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "messages/ids.h"
#include "messages/measurement.h"
#include "messages/status.h"
#include "messages/units.h"

namespace avocet {

/// What was measured of an application on its device in some stretch of time.
struct AppTotals {
  uint64_t arrivals = 0;
  uint64_t completions = 0;
  uint64_t failures = 0;
  uint64_t refusals = 0;
  uint64_t expired = 0; ///< of failures and refusals: those whose deadline had passed
  Duration measured{};  ///< length of the windows that this is the sum of: time when nobody measured is not in it
  Moments response;     ///< seconds
  LatencySketch response_sketch;
  Estimate rate; ///< rps, recent; of what the whole time came to only

  void Add(const AppWindow& window, Duration length);
  void Merge(const AppTotals& other); ///< leaves `rate` alone
  double arrivals_per_second() const; ///< over `measured`; 0 where that is none
  friend bool operator==(const AppTotals&, const AppTotals&) = default;
};

/// What was measured in the last one, five and sixty minutes. A slot of time that is partly too old is left out, so
/// they cover 55 to 60 seconds, 4 to 5 and 59 to 60 minutes.
struct RecentTotals {
  AppTotals minute;
  AppTotals five_minutes;
  AppTotals hour;
  friend bool operator==(const RecentTotals&, const RecentTotals&) = default;
};

/// All of an application's numbers on one device.
struct AppMeasured {
  AppTotals total;
  RecentTotals recent;
  friend bool operator==(const AppMeasured&, const AppMeasured&) = default;
};

enum class TotalsSpan {
  kFiveSeconds = 1,
  kMinute = 2,
  kEver = 3, ///< all closed minutes
};
std::string_view ToString(TotalsSpan span); ///< "5s", "minute", "ever"

/// How many slots of a span are kept.
constexpr int64_t SlotsKept(TotalsSpan span) {
  switch (span) {
  case TotalsSpan::kFiveSeconds:
    return 12;
  case TotalsSpan::kMinute:
    return 60;
  case TotalsSpan::kEver:
    break;
  }
  return 1;
}

struct AppSlot {
  AppId app;
  AppTotals totals;
  friend bool operator==(const AppSlot&, const AppSlot&) = default;
};

/// What a device's applications did in one slot of time; a record. A later slot replaces the one that had its place in
/// the ring of SlotsKept before.
struct TotalsSlot {
  DeviceId device;
  TotalsSpan span = TotalsSpan::kFiveSeconds;
  int64_t number = 0;        ///< >= 0; slots of this length since 1970; kEver: of the first minute that is not in it
  std::vector<AppSlot> apps; ///< in order of name
  friend bool operator==(const TotalsSlot&, const TotalsSlot&) = default;
};

/// The record's id: "<node>/<device>/<span>/<place in the ring>".
std::string SlotId(const TotalsSlot& slot);

/// Ids, number, finite moments, applications in order and none twice.
Status Validate(const TotalsSlot& slot);

} // namespace avocet
