#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "actors/errors.h"
#include "actors/interfaces.h"
#include "tests/support/view_builder.h"

namespace avocet {

/// An emulated, time-shared "<node>/gpu0" of the device type that ViewBuilder and FakeAgent profile.
inline DeviceSpec TestGpu(const std::string& node = "n1") {
  return {.node = NodeId(node),
          .name = "gpu0",
          .kind = DeviceKind::kGpu,
          .discipline = Discipline::kTimeShared,
          .engine = EngineKind::kEmulated,
          .type = "test device",
          .memory_bytes = 4000 * kMiB};
}

/// A node with that device.
inline NodeInfo TestNode(const std::string& name = "n1") {
  return {.id = NodeId(name),
          .boot = BootId("boot"),
          .version = "1",
          .grpc_address = "127.0.0.1:1",
          .devices = {TestGpu(name)}};
}

/// The order to run application "cam" on that device.
inline RunCommand StartOfCam() {
  return {{.kind = CommandKind::kStart,
           .epoch = 3,
           .device = DeviceId("n1/gpu0"),
           .app = AppId("cam"),
           .model = ModelId("pose:1"),
           .format = ModelFormat::kEmulated,
           .file = FakeDigest("pose")}};
}

/// What a fake agent was asked, and how it answers.
struct FakeAgent {
  std::vector<Command> commands;
  std::vector<ProfileOnDevice> profiles;
  std::vector<SetPredictions> predictions;
  std::vector<std::string> register_again; ///< why it was asked to
  Status command_answer;
  Status profile_answer;
  double service_ms = 10;
  std::function<void(Profile&)> change_profile; ///< makes an answer one to another question

  static agent_handle::behavior_type Behavior(agent_handle::pointer, const std::shared_ptr<FakeAgent>& fake) {
    return {
        [fake](const RunCommand& run) -> caf::result<Done> {
          fake->commands.push_back(run.command);
          if (!fake->command_answer.ok()) return MakeError(fake->command_answer);
          return Done{};
        },
        [fake](const ProfileOnDevice& profile) -> caf::result<Profile> {
          fake->profiles.push_back(profile);
          if (!fake->profile_answer.ok()) return MakeError(fake->profile_answer);
          Profile answer{.model = profile.model,
                         .format = profile.variant.format,
                         .device_type = "test device",
                         .service_mean = FromMillis(fake->service_ms),
                         .memory_bytes = 100 * kMiB,
                         .runs = 5,
                         .emulated = true};
          if (fake->change_profile) fake->change_profile(answer);
          return answer;
        },
        [fake](const RegisterAgain& again) { fake->register_again.push_back(again.why); },
        [fake](const SetPredictions& predictions) { fake->predictions.push_back(predictions); },
    };
  }
};

} // namespace avocet
