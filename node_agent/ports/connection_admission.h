#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>

#include "messages/units.h"

struct sockaddr;

namespace avocet {

/// How many connections a port keeps open.
struct ConnectionLimits {
  size_t max_connections = 1024; ///< of all clients together; >= 1
  size_t max_per_address = 512;  ///< of one client address, so that one client cannot take every place; >= 1
};

/// Of the controller's port: the agents that the link takes (LinkServiceOptions), and some more for clients. Agents
/// behind one address, as behind a NAT, need a larger bound for it: [limits] of controller.toml.
inline constexpr ConnectionLimits kControlConnections{.max_connections = 4352, .max_per_address = 256};

/// The limits of a port that may use `descriptors` of the process: `wanted` when it fits, else both bounds smaller by
/// the same factor, at least 1.
ConnectionLimits WithinDescriptors(const ConnectionLimits& wanted, size_t descriptors);

/// Who a connection is counted for: an IPv4 address, or the first 64 bits of an IPv6 address, as one host commands
/// that many. Of a link-local IPv6 address, whose first bits everybody has, all bits.
using ClientKey = std::array<uint8_t, 16>;
/// `address` is AF_INET or AF_INET6; anything else is one client.
ClientKey ClientKeyOf(const sockaddr& address);

enum class Admission {
  kAdmitted,
  kFull,        ///< max_connections are open
  kAddressFull, ///< max_per_address of this address are open
};

/// Counts the connections of a port, in all and per client address, and says who is let in. No sockets, no clock.
/// Not thread-safe.
class ConnectionAdmission {
public:
  explicit ConnectionAdmission(const ConnectionLimits& limits) : limits_(limits) {}

  /// Counts the connection when it is admitted.
  Admission Admit(const ClientKey& client);
  /// The connection ended. Requires that it was admitted and not released yet.
  void Release(const ClientKey& client);

  /// "more than 512 connections of one address", for logs and clients.
  std::string Explain(Admission refused) const;
  size_t connections() const { return connections_; }
  size_t clients() const { return per_client_.size(); }
  const ConnectionLimits& limits() const { return limits_; }

private:
  ConnectionLimits limits_;
  size_t connections_ = 0;
  std::map<ClientKey, size_t> per_client_; ///< no zeroes: it never outgrows max_connections
};

/// Notices a port that cannot accept connections any more although clients wait: out of descriptors or memory. Time is
/// passed in and never goes back. Not thread-safe.
class AcceptWatch {
public:
  enum class Verdict {
    kNothing,      ///< to say
    kFailing,      ///< the first failure since the last success
    kNotAccepting, ///< failing for `error_after`; said again after every further `error_after`
    kAcceptsAgain, ///< a success after kNotAccepting
  };

  explicit AcceptWatch(Duration error_after) : error_after_(error_after) {}

  Verdict Failed(MonotonicTime now);
  /// A connection was accepted, or none waits.
  Verdict Succeeded();
  /// How long nothing could be accepted, at the last failure.
  Duration failing_for() const { return last_ - since_; }

private:
  Duration error_after_;
  bool is_failing_ = false;
  bool is_reported_ = false;
  MonotonicTime since_{}; ///< the first failure of this spell
  MonotonicTime last_{};
  MonotonicTime say_at_{};
};

} // namespace avocet
