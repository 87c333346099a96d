#pragma once

#include <memory>
#include <vector>

#include "actors/errors.h"
#include "actors/interfaces.h"

namespace avocet::testing {

/// What a fake agent was asked, and how it answers.
struct FakeAgent {
  std::vector<Command> commands;
  std::vector<ProfileOnDevice> profiles;
  Status command_answer;
  Status profile_answer;
  double service_ms = 10;

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
          return Profile{.model = profile.model,
                         .format = profile.variant.format,
                         .device_type = "test device",
                         .service_mean = FromMillis(fake->service_ms),
                         .memory_bytes = 100 * kMiB,
                         .runs = 5,
                         .emulated = true};
        },
    };
  }
};

} // namespace avocet::testing
