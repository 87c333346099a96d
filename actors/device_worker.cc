#include "actors/device_worker.h"

#include <caf/typed_event_based_actor.hpp>

#include "actors/errors.h"
#include "messages/text.h"

namespace avocet {
namespace {

/// A start that may succeed later is an error: its reader tries again.
caf::result<RunningApp> Execute(const DeviceDriver& driver, const Command& command) {
  const bool start = command.kind == CommandKind::kStart;
  const Status status = start ? driver.start(command) : driver.stop(command);
  if (start && status.code() == StatusCode::kUnavailable) return MakeError(Unavailable(ToText(status.message())));
  return RunningApp{.app = command.app,
                    .device = command.device,
                    .model = command.model,
                    .format = command.format,
                    .file = command.file,
                    .epoch = command.epoch,
                    .phase = status.ok() ? PlacementPhase::kReady : PlacementPhase::kFailed,
                    .reason = status.ok() ? "" : ToText(status.ToString())}; // engines may say anything
}

} // namespace

device_worker::behavior_type DeviceWorkerBehavior(device_worker::pointer self,
                                                  const std::shared_ptr<const DeviceDriver>& driver) {
  return {
      [driver](const ExecuteCommand& execute) -> caf::result<RunningApp> { return Execute(*driver, execute.command); },
      [driver](const ProfileOnDevice& profile) -> caf::result<Profile> {
        auto result = driver->profile(profile.device, profile.model, profile.variant);
        if (!result.ok()) return MakeError(result.status());
        return std::move(*result);
      },
      [self](StopActor) -> caf::result<Done> {
        self->quit();
        return Done{};
      },
  };
}

} // namespace avocet
