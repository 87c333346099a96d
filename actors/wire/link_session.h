#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "actors/interfaces.h"
#include "actors/options.h"
#include "actors/protocol/request_outbox.h"
#include "actors/wire/link_codec.h"
#include "actors/wire/peer_log.h"

namespace avocet {

/// The stream of one session, as its actor uses it. All functions may be called from any thread, and
/// after the stream ended.
struct LinkStream {
  /// False when the stream ended, or its bounded queue is full (then it ends).
  std::function<bool(v1::ControllerMessage)> send;
  /// One message was dealt with: another may be read.
  std::function<void()> handled;
  /// Ends the session with that status.
  std::function<void(const Status&)> end;
};

/// A message of the agent.
struct AgentSaid {
  std::shared_ptr<const v1::AgentMessage> message;
};
/// The stream ended, from either side.
struct StreamEnded {};
/// Internal: time to send again what is not answered.
struct LinkTick {};

} // namespace avocet

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(avocet::AgentSaid)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(avocet::StreamEnded)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(avocet::LinkTick)

namespace avocet {

/// A remote agent, as the controller sees it: what the actor is asked goes down the stream, what the
/// agent says goes to the controller.
using link_session_actor = agent_handle::extend<caf::reacts_to<WindowAck>, caf::reacts_to<AgentSaid>,
                                                caf::reacts_to<StreamEnded>, caf::reacts_to<LinkTick>>;

struct LinkSessionArgs {
  uint64_t session = 0;            ///< greater for every later one
  std::string peer;                ///< for the log
  std::optional<NodeId> only_node; ///< the name in the agent's certificate; nullopt: any (no TLS)
  agent_link_actor controller;
  LinkStream stream;
  RequestDeadlines deadlines;
  std::shared_ptr<PeerLog> log = std::make_shared<PeerLog>(); ///< of all sessions of one controller
};

/// One session of one agent, on the controller. Ends with its stream.
struct LinkSessionState {
  static inline const char* name = "link_session";
  std::shared_ptr<const LinkSessionArgs> args;
  std::optional<NodeInfo> node; ///< once it said Hello
  bool welcome = false;         ///< the controller took its registration
  RequestOutbox<LinkRequest> outbox;
  std::map<uint64_t, std::function<void(LinkAnswer)>> waiting; ///< for the answer of each request in the outbox
  bool ticking = false;
};

link_session_actor::behavior_type LinkSessionBehavior(link_session_actor::stateful_pointer<LinkSessionState> self,
                                                      const std::shared_ptr<const LinkSessionArgs>& args);

} // namespace avocet
