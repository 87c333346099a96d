#include "cli/commands/wait_ready.h"

#include <thread>

namespace avocet {
namespace {

constexpr Duration kPollEvery = std::chrono::milliseconds(100);

} // namespace

Status WaitUntilReady(Session& session, const AppId& app, Duration timeout) {
  const auto give_up = MonotonicTime::clock::now() + timeout;
  std::string phase = "unknown";

  while (MonotonicTime::clock::now() < give_up) {
    AVOCET_ASSIGN_OR_RETURN(auto status, session.Ask(GetApp{app}));
    // Removed or given up meanwhile: waiting longer would end in a timeout that explains nothing.
    if (!status.placement) return NotFound("application '" + app.str() + "' has no placement any more");
    phase = ToString(status.placement->phase);
    if (status.placement->phase == PlacementPhase::kReady) return {};
    // A failed placement does not become ready by itself.
    if (status.placement->phase == PlacementPhase::kFailed)
      return Internal("application '" + app.str() + "' failed to start: " + status.placement->reason);

    // Polled: an event can be lost, and a wait for it would then never end.
    std::this_thread::sleep_for(kPollEvery);
  }

  return DeadlineExceeded("application '" + app.str() + "' is still " + phase + "; see `avocet app status " +
                          app.str() + "`");
}

} // namespace avocet
