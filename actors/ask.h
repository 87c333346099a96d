#pragma once

#include <string_view>

#include <caf/actor_system.hpp>
#include <caf/scoped_actor.hpp>

#include "actors/errors.h"
#include "messages/status.h"
#include "messages/units.h"

namespace avocet {

/// Sends a request from outside the actor system and blocks until its answer, at most `deadline`.
/// `asked` names the actor in the text of an error.
template <class Reply, class Handle, class Message> Result<Reply>
AskAndWait(caf::actor_system& system, const Handle& actor, Message message, Duration deadline, std::string_view asked) {
  caf::scoped_actor self(system);
  Result<Reply> result = Internal("no answer");
  self->request(actor, deadline, std::move(message))
      .receive([&](Reply& reply) { result = std::move(reply); },
               [&](const caf::error& error) { result = ToStatus(error, asked); });
  return result;
}

} // namespace avocet
