#pragma once

#include <memory>
#include <string>

#include "actors/interfaces.h"
#include "messages/status.h"
#include "messages/units.h"

namespace avocet {

struct ControlServerOptions {
  std::string address = "127.0.0.1:7400";            ///< host:port; port 0 is ephemeral
  uint64_t max_message_bytes = 16 * kMiB;            ///< model files come in smaller pieces
  Duration max_call = std::chrono::minutes(10);      ///< however long a caller is willing to wait
  Duration stop_deadline = std::chrono::seconds(2);  ///< for calls in flight when it stops
  Duration keepalive = std::chrono::seconds(5);      ///< silence after which a peer is probed
  Duration keepalive_wait = std::chrono::seconds(5); ///< for its answer; then its connection counts as lost
};

/// What a controller serves on its port: the Control service, whose every RPC is one message by the table
/// in actors/control_table.h, and the AgentLink service (actors/link_service.h). Thread-safe.
class ControlServer {
public:
  /// kUnavailable when the address cannot be bound; kInvalidArgument unless it is loopback, as
  /// there is no TLS on it.
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
