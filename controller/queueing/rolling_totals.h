#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "messages/measurement.h"
#include "messages/totals.h"
#include "messages/units.h"

namespace avocet {

/// What the applications of one device did in the last 1, 5 and 60 minutes and in all. Windows are added to slots of
/// five seconds; a minute that is over becomes one slot, and a part of the sum of all closed minutes. Time is passed
/// in.
///
/// Slots are placed by wall-clock time, so they are still right after a restart. Where the clock was set back, what
/// seems to lie in the future counts as of the present: no count is lost, only when it was.
///
/// Memory per application: 73 totals (12 + 60 slots, 1 sum) of 0.2 KiB and 8 bytes per bucket that is not empty. That
/// is some 90 KiB where a minute's latencies spread over a factor of four, and at most 1.3 MB. At most
/// kMaxAppsPerDevice applications; windows of further ones are not counted.
///
/// Persistence: TakeChanges() after a window gives the current slot of five seconds; the first one of a minute also
/// gives the closed minute and the sum. Records of one batch fit together; those of several must all be written, in
/// order.
class RollingTotals {
public:
  /// Continues from the records that TakeChanges() gave, in any order; none: begins anew.
  explicit RollingTotals(DeviceId device, std::vector<TotalsSlot> records = {});

  /// Requires a valid window.
  void Add(const MeasurementWindow& window, WallTime now);
  /// Removes the application from all slots.
  void Forget(const AppId& app);

  std::map<AppId, AppMeasured> Describe(WallTime now) const;
  uint64_t not_counted() const { return not_counted_; } ///< windows of applications beyond the limit

  bool has_changes() const { return !changed_.empty(); }
  /// The records that are to be written since the last call.
  std::vector<TotalsSlot> TakeChanges();
  /// They were not written: the next TakeChanges() gives them again, as they are then.
  void PutBack(const std::vector<TotalsSlot>& records);

private:
  using Apps = std::map<AppId, AppTotals>;
  using Slots = std::map<int64_t, Apps>;        ///< by number
  using Place = std::pair<TotalsSpan, int64_t>; ///< in a ring

  void MoveTo(int64_t slot);
  void BeginMinute(int64_t minute);
  void SetClockBack(int64_t minute);
  void CloseMinutes();
  void DropOld(TotalsSpan span, Slots& slots, int64_t newest);
  void MarkAll();
  void Mark(TotalsSpan span, int64_t number) { changed_.emplace(span, number % SlotsKept(span)); }
  TotalsSlot RecordOf(const Place& place) const;
  const Apps* Find(TotalsSpan span, int64_t place, int64_t& number) const;

  DeviceId device_;
  Slots fine_;              ///< of five seconds; the last 12
  Slots minutes_;           ///< closed; the last 60
  Apps ever_;               ///< sum of all closed minutes
  int64_t open_minute_ = 0; ///< slots of it and later ones are in fine_ only
  std::set<AppId> known_;
  std::set<Place> changed_;
  uint64_t not_counted_ = 0;
};

} // namespace avocet
