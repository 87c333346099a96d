#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <set>
#include <string>

#include "messages/units.h"
#include "node_agent/ports/connection_admission.h"

namespace avocet {

class HttpConnection;
struct HttpLoop;

/// The place that a connection takes among those of its port.
struct HttpSeat {
  ClientKey client{};
  HttpLoop* loop = nullptr;             ///< where its connection lives
  HttpConnection* connection = nullptr; ///< null before it begins and after it ended; of the loop's thread only
  std::atomic<MonotonicTime::rep> idle_since = kBusy; ///< since when the connection waits for a head
  static constexpr MonotonicTime::rep kBusy = MonotonicTime::max().time_since_epoch().count();
};

/// The seats of a port. When all are taken, a new connection gets that of the connection which is idle for longest.
/// When its client address has too many, it gets that of the longest idle one from this address. Thread-safe.
class HttpSeats {
public:
  struct Offer {
    Admission admission = Admission::kFull;
    std::shared_ptr<HttpSeat> seat;    ///< null: refused, as every seat in question has a request in hand
    std::shared_ptr<HttpSeat> evicted; ///< counts no more: its connection must end
  };

  explicit HttpSeats(const ConnectionLimits& limits) : admission_(limits) {}

  Offer Ask(const ClientKey& client, HttpLoop& loop, MonotonicTime now);
  /// Its connection ended. Does nothing for one that was evicted.
  void Leave(const std::shared_ptr<HttpSeat>& seat);

  std::string Explain(Admission refused) const { return admission_.Explain(refused); }
  const ConnectionLimits& limits() const { return admission_.limits(); }

private:
  std::shared_ptr<HttpSeat> LongestIdle(const ClientKey* client) const;

  std::mutex mutex_;
  ConnectionAdmission admission_;
  std::set<std::shared_ptr<HttpSeat>> seats_;
};

} // namespace avocet
