#pragma once

#include <functional>
#include <memory>
#include <string>

#include <grpcpp/impl/service_type.h>

#include "actors/interfaces.h"
#include "actors/options.h"
#include "actors/wire/call_gate.h"
#include "messages/units.h"

namespace avocet {

struct LinkServiceOptions {
  size_t max_sessions = 4096; ///< one more is refused
  size_t max_unhandled = 64;  ///< messages of one session that wait for their actor; then it is not read
  size_t max_queued = 1024;   ///< messages to one agent that wait for its network; then its session ends
  Duration max_fetch = std::chrono::seconds(30); ///< for one piece of a model file
  RequestDeadlines deadlines;
  std::shared_ptr<CallGate> gate; ///< who may call
};

/// The AgentLink service in front of a controller actor: an actor per session (actors/wire/link_session.h),
/// no thread per session. Admits agents only, each under the name in its certificate. To be registered at
/// a server that is shut down before this is destroyed. Thread-safe.
class LinkService {
public:
  LinkService(const LinkServiceOptions& options, caf::actor_system& system, const controller_actor& controller);
  ~LinkService();
  LinkService(const LinkService&) = delete;
  LinkService& operator=(const LinkService&) = delete;

  grpc::Service& service();
  /// Ends the sessions whose certificates `check` refuses.
  void EndUntrusted(const std::function<Status(const std::string& certificate)>& check);
  /// Ends every session with kUnavailable and takes no further ones.
  void Stop();

private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

} // namespace avocet
