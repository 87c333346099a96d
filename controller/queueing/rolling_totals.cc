#include "controller/queueing/rolling_totals.h"

#include <algorithm>

namespace avocet {
namespace {

constexpr int64_t kSlotSeconds = 5;
constexpr int64_t kSlotsPerMinute = 60 / kSlotSeconds;
constexpr int64_t kFineKept = SlotsKept(TotalsSpan::kFiveSeconds);
constexpr int64_t kMinutesKept = SlotsKept(TotalsSpan::kMinute);
// A slot that leaves the fine ring lies in an earlier minute than the newest one, so it was closed before.
static_assert(kFineKept == kSlotsPerMinute);

int64_t SlotOf(WallTime time) {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch()).count();
  return std::max<int64_t>(seconds, 0) / kSlotSeconds;
}

int64_t MinuteOf(int64_t slot) {
  return slot / kSlotsPerMinute;
}

void Merge(std::map<AppId, AppTotals>& into, const std::map<AppId, AppTotals>& from) {
  for (const auto& [app, totals] : from)
    into[app].Merge(totals);
}

std::map<AppId, AppTotals> AppsOf(std::vector<AppSlot> apps) {
  std::map<AppId, AppTotals> all;
  for (AppSlot& one : apps)
    all.emplace(std::move(one.app), std::move(one.totals));
  return all;
}

} // namespace

RollingTotals::RollingTotals(DeviceId device, std::vector<TotalsSlot> records) : device_(std::move(device)) {
  for (TotalsSlot& record : records) {
    for (const AppSlot& one : record.apps)
      known_.insert(one.app);
    // An empty slot says only that its place on the disk is free.
    switch (record.span) {
    case TotalsSpan::kFiveSeconds:
      if (!record.apps.empty()) fine_[record.number] = AppsOf(std::move(record.apps));
      break;
    case TotalsSpan::kMinute:
      if (!record.apps.empty()) minutes_[record.number] = AppsOf(std::move(record.apps));
      break;
    case TotalsSpan::kEver:
      open_minute_ = record.number;
      ever_ = AppsOf(std::move(record.apps));
      break;
    }
  }

  // What left the rings stays on disk until its place is taken.
  if (!fine_.empty()) DropOld(TotalsSpan::kFiveSeconds, fine_, fine_.rbegin()->first);
  DropOld(TotalsSpan::kMinute, minutes_, open_minute_);
}

void RollingTotals::Add(const MeasurementWindow& window, WallTime now) {
  // The ring moves on first: an old slot must be gone before its place is used again.
  const int64_t slot = SlotOf(now);
  MoveTo(slot);

  for (const AppWindow& app : window.apps) {
    if (!known_.contains(app.app)) {
      // A bound on names: an agent that invents applications must not fill the disk.
      if (known_.size() >= kMaxAppsPerDevice) {
        ++not_counted_;
        continue;
      }
      known_.insert(app.app);
    }

    fine_[slot][app.app].Add(app, window.length);
  }

  Mark(TotalsSpan::kFiveSeconds, slot);
}

/// Makes `slot` the newest one.
void RollingTotals::MoveTo(int64_t slot) {
  const int64_t minute = MinuteOf(slot);
  if (minute < open_minute_) SetClockBack(minute);
  if (minute > open_minute_) BeginMinute(minute);

  // The clock was set back by seconds: all slots behind this one lie in the open minute, too.
  for (auto later = fine_.upper_bound(slot); later != fine_.end(); later = fine_.erase(later)) {
    Merge(fine_[slot], later->second);
    Mark(TotalsSpan::kFiveSeconds, later->first);
    Mark(TotalsSpan::kFiveSeconds, slot);
  }
  DropOld(TotalsSpan::kFiveSeconds, fine_, slot);
}

void RollingTotals::BeginMinute(int64_t minute) {
  CloseMinutes();
  open_minute_ = minute;
  Mark(TotalsSpan::kEver, 0);
  DropOld(TotalsSpan::kMinute, minutes_, minute);
}

/// Minutes that seem to lie in the future become the present one. Their slots of five seconds are in them already, and
/// must not be closed twice.
void RollingTotals::SetClockBack(int64_t minute) {
  CloseMinutes();
  fine_.clear();
  for (auto later = minutes_.upper_bound(minute); later != minutes_.end(); later = minutes_.erase(later))
    Merge(minutes_[minute], later->second);
  open_minute_ = minute;
  MarkAll();
}

/// Adds the slots that are in no closed minute to the minutes that they lie in, and to the sum.
void RollingTotals::CloseMinutes() {
  for (auto it = fine_.lower_bound(open_minute_ * kSlotsPerMinute); it != fine_.end(); ++it) {
    Merge(minutes_[MinuteOf(it->first)], it->second);
    Merge(ever_, it->second);
    Mark(TotalsSpan::kMinute, MinuteOf(it->first));
  }
}

void RollingTotals::DropOld(TotalsSpan span, Slots& slots, int64_t newest) {
  slots.erase(slots.begin(), slots.upper_bound(newest - SlotsKept(span)));
}

void RollingTotals::Forget(const AppId& app) {
  if (known_.erase(app) == 0) return;
  ever_.erase(app);
  for (Slots* slots : {&fine_, &minutes_}) {
    for (auto& [number, apps] : *slots)
      apps.erase(app);
  }
  MarkAll();
}

void RollingTotals::MarkAll() {
  for (const TotalsSpan span : {TotalsSpan::kFiveSeconds, TotalsSpan::kMinute, TotalsSpan::kEver}) {
    for (int64_t place = 0; place < SlotsKept(span); ++place)
      Mark(span, place);
  }
}

std::map<AppId, AppMeasured> RollingTotals::Describe(WallTime now) const {
  const int64_t slot = SlotOf(now);
  // `ever` holds the closed minutes; the open ones are still in the fine ring.
  const int64_t minute = MinuteOf(slot);
  std::map<AppId, AppMeasured> all;
  for (const auto& [app, totals] : ever_)
    all[app].total.Merge(totals);

  // Five minutes are the last five of the hour's ring.
  for (auto it = minutes_.upper_bound(minute - kMinutesKept); it != minutes_.end(); ++it) {
    for (const auto& [app, totals] : it->second) {
      all[app].recent.hour.Merge(totals);
      if (it->first > minute - 5) all[app].recent.five_minutes.Merge(totals);
    }
  }

  // The fine ring answers for the last minute, and for what is not yet in a closed minute.
  for (const auto& [number, apps] : fine_) {
    const int64_t its_minute = MinuteOf(number);
    const bool is_open = its_minute >= open_minute_;
    for (const auto& [app, totals] : apps) {
      AppMeasured& measured = all[app];
      // Closed slots were counted above, by their minute.
      if (number > slot - kFineKept) measured.recent.minute.Merge(totals);
      if (!is_open) continue;
      measured.total.Merge(totals);
      if (its_minute > minute - 5) measured.recent.five_minutes.Merge(totals);
      if (its_minute > minute - kMinutesKept) measured.recent.hour.Merge(totals);
    }
  }

  return all;
}

std::vector<TotalsSlot> RollingTotals::TakeChanges() {
  std::vector<TotalsSlot> records;
  for (const Place& place : std::exchange(changed_, {}))
    records.push_back(RecordOf(place));
  return records;
}

void RollingTotals::PutBack(const std::vector<TotalsSlot>& records) {
  for (const TotalsSlot& record : records)
    Mark(record.span, record.number);
}

/// A place that nothing is in is written, too: what was there must not come back.
TotalsSlot RollingTotals::RecordOf(const Place& place) const {
  const auto& [span, index] = place;
  TotalsSlot record{.device = device_, .span = span, .number = index, .apps = {}};
  const Apps* apps = Find(span, index, record.number);
  if (apps == nullptr) return record;
  for (const auto& [app, totals] : *apps)
    record.apps.push_back({app, totals});
  return record;
}

const RollingTotals::Apps* RollingTotals::Find(TotalsSpan span, int64_t place, int64_t& number) const {
  if (span == TotalsSpan::kEver) {
    number = open_minute_;
    return &ever_;
  }
  for (const auto& [one, apps] : span == TotalsSpan::kMinute ? minutes_ : fine_) {
    if (one % SlotsKept(span) != place) continue;
    number = one;
    return &apps;
  }
  return nullptr;
}

} // namespace avocet
