#pragma once

#include <caf/actor_system.hpp>
#include <caf/send.hpp>

#include "actors/ask.h"
#include "actors/interfaces.h"
#include "messages/units.h"

namespace avocet {

/// Asks a root actor to stop and waits until it answered, at most `deadline`; then it is killed.
/// Call it from outside the actor system.
template <class Actor> Status StopAndWait(caf::actor_system& system, const Actor& actor, Duration deadline) {
  Status status = AskAndWait<Done>(system, actor, StopActor{}, deadline, "root actor").status();
  if (!status.ok()) caf::anon_send_exit(actor, caf::exit_reason::kill);
  return status;
}

} // namespace avocet
