#pragma once

#include <cstddef>
#include <deque>
#include <string_view>

#include "messages/command.h"

namespace avocet {

/// Events of what was decided and of what people did. All others are of what agents did, who can make as many as they
/// like.
bool IsAuditEvent(std::string_view kind);

/// Which event goes first when one more than can be kept is there: the oldest of its sort. Either sort has half of the
/// places for certain, and those that the other leaves free: no flood of agents replaces the record of decisions.
/// Requires at least one event.
size_t EventToDrop(const std::deque<Event>& events);

} // namespace avocet
