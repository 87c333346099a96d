#include "node_agent/http/http_seats.h"

namespace avocet {

HttpSeats::Offer HttpSeats::Ask(const ClientKey& client, HttpLoop& loop, MonotonicTime now) {
  const std::lock_guard lock(mutex_);
  Offer offer{.admission = admission_.Admit(client), .seat = nullptr, .evicted = nullptr};

  if (offer.admission != Admission::kAdmitted) {
    // A client that has too many loses one of its own; only a full port takes from others.
    offer.evicted = LongestIdle(offer.admission == Admission::kAddressFull ? &client : nullptr);
    if (offer.evicted == nullptr) return offer;
    // Erased here, not when its connection has closed: the seat is given away once, however long that takes.
    seats_.erase(offer.evicted);
    admission_.Release(offer.evicted->client);
    offer.admission = admission_.Admit(client); // admitted: the place that was missing is free
  }

  offer.seat = std::make_shared<HttpSeat>();
  offer.seat->client = client;
  offer.seat->loop = &loop;
  // Idle from now: a client that never sends its first head must be evictable, too.
  offer.seat->idle_since = now.time_since_epoch().count();
  seats_.insert(offer.seat);
  return offer;
}

void HttpSeats::Leave(const std::shared_ptr<HttpSeat>& seat) {
  const std::lock_guard lock(mutex_);
  if (seats_.erase(seat) > 0) admission_.Release(seat->client);
}

/// Of that client, or of all; null when none is idle.
std::shared_ptr<HttpSeat> HttpSeats::LongestIdle(const ClientKey* client) const {
  std::shared_ptr<HttpSeat> longest;
  MonotonicTime::rep since = HttpSeat::kBusy;
  for (const auto& seat : seats_) {
    const MonotonicTime::rep idle_since = seat->idle_since.load(std::memory_order_relaxed);
    if (idle_since >= since || (client != nullptr && seat->client != *client)) continue;
    longest = seat;
    since = idle_since;
  }
  return longest;
}

} // namespace avocet
