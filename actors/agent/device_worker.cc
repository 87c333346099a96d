#include "actors/agent/device_worker.h"

#include <caf/typed_event_based_actor.hpp>

#include "actors/errors.h"
#include "messages/text.h"

namespace avocet {
namespace {

/// Engines may say anything, so their words are made fit for a report.
caf::result<Done> Execute(const DeviceDriver& driver, const Command& command) {
  const bool start = command.kind == CommandKind::kStart;
  const Status status = start ? driver.start(command) : driver.stop(command);
  if (!status.ok()) return MakeError(Status(status.code(), ToText(status.message())));
  return Done{};
}

} // namespace

device_worker::behavior_type DeviceWorkerBehavior(device_worker::pointer self,
                                                  const std::shared_ptr<const DeviceDriver>& driver) {
  return {
      [driver](const ExecuteCommand& execute) -> caf::result<Done> { return Execute(*driver, execute.command); },
      [driver](const ProfileOnDevice& profile) -> caf::result<Profile> {
        auto result = driver->profile(profile);
        if (!result.ok()) return MakeError(Status(result.status().code(), ToText(result.status().message())));
        return std::move(*result);
      },
      [self](StopActor) -> caf::result<Done> {
        self->quit();
        return Done{};
      },
  };
}

} // namespace avocet
