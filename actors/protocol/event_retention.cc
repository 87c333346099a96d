#include "actors/protocol/event_retention.h"

#include <algorithm>
#include <array>

namespace avocet {
namespace {

constexpr auto kAuditKinds = std::to_array<std::string_view>(
    {"app_admitted", "app_moved", "app_rejected", "app_removed", "model_imported", "not_recorded", "record_set_aside"});

} // namespace

bool IsAuditEvent(std::string_view kind) {
  return std::find(kAuditKinds.begin(), kAuditKinds.end(), kind) != kAuditKinds.end();
}

size_t EventToDrop(const std::deque<Event>& events) {
  const auto is_audit = [](const Event& event) { return IsAuditEvent(event.kind); };
  const auto audits = static_cast<size_t>(std::count_if(events.begin(), events.end(), is_audit));
  const bool drops_audit = audits > events.size() - audits;
  const auto oldest =
      std::find_if(events.begin(), events.end(), [&](const Event& event) { return is_audit(event) == drops_audit; });
  return static_cast<size_t>(oldest - events.begin());
}

} // namespace avocet
