#pragma once

#include <memory>
#include <optional>
#include <string>

#include "actors/interfaces.h"
#include "actors/protocol/client_seats.h"
#include "messages/status.h"
#include "messages/tls/tls.h"
#include "messages/units.h"
#include "node_agent/ports/connection_admission.h"

namespace avocet {

struct ControlServerOptions {
  std::string address = "127.0.0.1:7400"; ///< host:port; port 0 is ephemeral
  std::optional<TlsOptions> tls;          ///< absent: plain text, on loopback only
  uint64_t max_message_bytes = 16 * kMiB; ///< model files come in smaller pieces
  uint64_t max_memory_bytes =
      1024 * kMiB;      ///< for all connections together (some 200 KiB each); beyond it, new ones are dropped
  int max_streams = 64; ///< calls at once on one connection
  /// More are closed at once. Every agent needs one, every command that runs one. Fewer where descriptors are scarce.
  ConnectionLimits connections = kControlConnections;
  Duration handshake_deadline = std::chrono::seconds(10); ///< from accepting a connection to its first call
  Duration max_idle = std::chrono::minutes(5);            ///< a connection without a call is closed after this time
  Duration max_call = std::chrono::minutes(10);           ///< however long a caller is willing to wait
  /// A connection is ended after this time, and its calls after the grace: agents come back at once, and nobody goes on
  /// for ever with what a handshake found once.
  Duration max_age = std::chrono::hours(24);
  Duration max_age_grace = std::chrono::minutes(1);
  /// Between looks at whether the certificates of open sessions and watches are trusted still. Calls are looked at
  /// anyway.
  Duration trust_every = std::chrono::seconds(5);
  /// Calls under way, and watches: of all peers together, of one certificate, and what is kept free for admins.
  ClientSeatOptions calls{.total = 1024, .per_client = 16, .per_admin = 128, .kept_for_admins = 512};
  ClientSeatOptions watches{.total = 128, .per_client = 8, .per_admin = 32, .kept_for_admins = 64};
  Duration stop_deadline = std::chrono::seconds(2);  ///< for calls in flight when it stops
  Duration keepalive = std::chrono::seconds(5);      ///< silence after which a peer is probed
  Duration keepalive_wait = std::chrono::seconds(5); ///< a probed peer that is silent this long counts as lost
};

/// What a controller serves on its port: the Control service, whose every RPC is one message by the table
/// in actors/wire/control_table.h, and the AgentLink service (actors/wire/link_service.h). Of Control, certificates of
/// role admin may call everything, those of role client what changes nothing; others are answered with kDenied.
/// Thread-safe.
class ControlServer {
public:
  /// kUnavailable when the address cannot be bound; kInvalidArgument when the certificates cannot be used, or
  /// are missing for an address that is not loopback.
  static Result<std::unique_ptr<ControlServer>> Start(const ControlServerOptions& options, caf::actor_system& system,
                                                      const controller_actor& controller);
  ~ControlServer();
  /// The address with the real port.
  std::string address() const;
  /// Answers calls in flight with kUnavailable and closes. Requires that the actor system still runs.
  void Stop();

private:
  class Impl;
  explicit ControlServer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

} // namespace avocet
