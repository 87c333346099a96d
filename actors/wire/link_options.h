#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "actors/protocol/backoff.h"
#include "messages/tls/tls.h"
#include "messages/units.h"

namespace avocet {

struct LinkConnectionOptions {
  std::string address; ///< the controller's, host:port
  /// Read before every attempt, so that renewed certificates are used. Without it only loopback is dialled.
  std::optional<TlsOptions> tls;
  BackoffOptions backoff;
  uint64_t seed = 0; ///< seeds the back-off: agents must not come back in step
  /// Deadline of one attempt: the address may swallow packets. Long enough that a controller which a thousand agents
  /// dial at once (some 4 ms of processor time each) does not work for attempts that were given up.
  Duration connect = std::chrono::seconds(10);
  Duration keepalive = std::chrono::seconds(2);      ///< silence after which the controller is probed
  Duration keepalive_wait = std::chrono::seconds(2); ///< for the answer; then the connection counts as lost
  Duration fetch = std::chrono::seconds(30);         ///< for one piece of a model file
  Duration last_words = std::chrono::seconds(2);     ///< what is queued at the end may still go out for this long
  size_t max_queued = 1024;                          ///< messages that wait for the network; then the session ends
};

} // namespace avocet
