#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>

#include "actors/interfaces.h"
#include "messages/tls/tls.h"
#include "messages/units.h"

namespace avocet {

struct ControlClientOptions {
  std::string address = "127.0.0.1:7400";
  Duration deadline = std::chrono::minutes(5); ///< bounds one call; the longest is a profile run
  std::optional<TlsOptions> tls;               ///< absent: plain text, to loopback only
};

/// A handle of the same typed interface as a local controller actor; the actor behind it speaks
/// gRPC to a remote one. Does not connect yet: an unreachable controller answers each message with
/// kUnavailable, and certificates that cannot be used (or are missing for an address that is not loopback)
/// with kInvalidArgument. Messages to one handle are carried one after the other; connect twice to have two
/// at once. Ends when the last handle goes; a call in flight delays that until its deadline.
control_actor ConnectController(caf::actor_system& system, const ControlClientOptions& options);

/// Calls `on_event` for every event after the sequence number, then for every further one as it happens;
/// blocks until `stop` is requested (kCancelled) or until the connection is lost (why).
Status WatchEvents(const ControlClientOptions& options, uint64_t after_sequence,
                   const std::function<void(const Event&)>& on_event, const std::stop_token& stop);

} // namespace avocet
