#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include <caf/actor_system.hpp>

#include "actors/interfaces.h"
#include "actors/options.h"
#include "actors/protocol/request_inbox.h"
#include "actors/wire/link_codec.h"
#include "actors/wire/link_connection.h"
#include "messages/log_budget.h"

namespace avocet {

/// A session with the controller is open.
struct LinkUp {};
/// A message of the controller.
struct ControllerSaid {
  std::shared_ptr<const v1::ControllerMessage> message;
};
/// The session, or the attempt to open one, is over.
struct LinkDown {
  Status why;
};

} // namespace avocet

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(avocet::LinkUp)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(avocet::ControllerSaid)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(avocet::LinkDown)

namespace avocet {

/// A remote controller, as the agent sees it.
using link_client_actor = agent_link_actor::extend<caf::reacts_to<LinkUp>, caf::reacts_to<ControllerSaid>,
                                                   caf::reacts_to<LinkDown>, caf::replies_to<StopActor>::with<Done>>;

/// What the actor needs of a connection (actors/wire/link_connection.h).
struct LinkWire {
  std::function<bool(v1::AgentMessage)> send;
  std::function<void()> welcomed;
  std::function<Result<ModelChunk>(const FetchModel&)> fetch; ///< may block
};

struct LinkClientArgs {
  std::string address; ///< for the log
  agent_actor agent;
  LinkWire wire;
  RequestDeadlines deadlines;
  size_t max_batch_bytes = kMiB; ///< of the windows in one message; a larger single window goes alone
  bool detached_fetch = true;    ///< false only under the deterministic test scheduler
};

/// Gives the agent its controller (ConnectTo) whenever a session opens, none when it is over; carries
/// what the agent says up, and out what the controller asks.
struct LinkClientState {
  static inline const char* name = "link_client";
  std::shared_ptr<const LinkClientArgs> args;
  caf::actor fetcher;
  bool open = false;
  uint64_t sessions = 0; ///< opened so far
  Status down;           ///< why there is none; for the log
  NodeInfo node;         ///< these three from the registration
  agent_handle agent;
  window_ack_handle acks;
  std::optional<caf::typed_response_promise<Welcome>> registering;
  RequestInbox<LinkAnswer> inbox;
  LogBudget lines{20, std::chrono::seconds(5)};         ///< that the controller causes in the log
  LogBudget registrations{20, std::chrono::seconds(1)}; ///< that it may ask for
};

link_client_actor::behavior_type LinkClientBehavior(link_client_actor::stateful_pointer<LinkClientState> self,
                                                    const std::shared_ptr<const LinkClientArgs>& args);

/// An agent's link to a remote controller: connection and actor.
class AgentLink {
public:
  AgentLink(caf::actor_system& system, const LinkConnectionOptions& options, const agent_actor& agent);
  /// As Stop.
  ~AgentLink();
  AgentLink(const AgentLink&) = delete;
  AgentLink& operator=(const AgentLink&) = delete;

  /// A handle of the same typed interface as a local controller actor; requests fail with kUnavailable
  /// while the controller is away.
  const agent_link_actor& controller() const { return controller_; }
  /// What was said last still goes out, for a bounded time; then the session ends. Idempotent.
  void Stop();

private:
  caf::actor_system& system_;
  std::shared_ptr<LinkConnection> connection_;
  link_client_actor actor_;
  agent_link_actor controller_;
};

} // namespace avocet
