#pragma once

#include <functional>
#include <memory>

#include "actors/interfaces.h"
#include "actors/wire/link_options.h"
#include "avocet/v1/link.pb.h"
#include "messages/status.h"

namespace avocet {

class LinkLoop;

/// An agent's connection to its controller: one session after the other, with back-off between attempts,
/// until destruction. Driven by the thread of a LinkLoop; no gRPC callbacks, as the last reference to a
/// channel must not go on the channel's own thread.
class LinkConnection {
public:
  /// Called on the loop's thread, one at a time and in order; must not block.
  struct Listener {
    std::function<void()> up; ///< a session is open
    std::function<void(v1::ControllerMessage)> said;
    std::function<void(const Status&)> down; ///< the session, or the attempt, is over; why
  };

  /// Without a loop it has one of its own.
  explicit LinkConnection(LinkConnectionOptions options, std::shared_ptr<LinkLoop> loop = nullptr);
  /// As Stop.
  ~LinkConnection();
  LinkConnection(const LinkConnection&) = delete;
  LinkConnection& operator=(const LinkConnection&) = delete;

  /// Begins to connect. Once.
  void Begin(Listener listener);
  /// Sends what is queued (bounded by `last_words`), then ends the session; `down` is the last that the
  /// listener hears. Blocks; not for the loop's thread. Idempotent.
  void Stop();

  /// Queues a message for the open session. False when there is none, or its queue is full (then it ends).
  /// Thread-safe.
  bool Send(v1::AgentMessage message);
  /// The session proved useful: the next back-off begins anew. Thread-safe.
  void Welcomed();
  /// One piece of a model file; blocks at most for the deadline. Thread-safe.
  Result<ModelChunk> Fetch(const FetchModel& fetch);

private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

} // namespace avocet
