#include "actors/protocol/window_order.h"

#include <algorithm>

namespace avocet {

WindowOrder::Arrival WindowOrder::Take(const WindowPlace& place) {
  const uint64_t covered = place.boot == boot_ ? covered_ : 0;
  if (place.sequence <= covered) return Arrival::kSeen;
  const uint64_t oldest = place.oldest == 0 ? place.sequence : place.oldest;
  const uint64_t expected = std::max(covered + 1, oldest);
  if (place.sequence > expected) return Arrival::kEarly;
  missed_ += expected - covered - 1;
  boot_ = place.boot;
  covered_ = place.sequence;
  return Arrival::kNext;
}

} // namespace avocet
