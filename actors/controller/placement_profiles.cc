#include "actors/controller/placement_steps.h"

#include <caf/typed_event_based_actor.hpp>

#include "actors/errors.h"
#include "actors/protocol/agent_claims.h"
#include "controller/cluster/cluster_changes.h"
#include "messages/invariant.h"
#include "storage/records.h"

namespace avocet {
namespace {

using Self = PlacementSelf;

void StoreProfiles(Self self, const std::shared_ptr<ProfileOutcome>& outcome,
                   const std::function<void(const ProfileOutcome&)>& then) {
  WriteBatch batch;
  for (const auto& profile : outcome->profiles) {
    Put(batch, kProfiles, profile);
    AddEvent(self, batch, "model_profiled", profile.model.str(), "on " + profile.device_type);
  }
  if (batch.empty()) return then(*outcome);
  Persist(self, std::move(batch), [self, outcome, then](const Status& status) {
    if (!status.ok()) return then({{}, status});
    for (const auto& profile : outcome->profiles)
      AddProfile(self->state.records.view, profile);
    then(*outcome);
  });
}

Result<ProfileOnDevice> ProfileRequest(const ClusterView& view, const Model& model, const DeviceId& device) {
  const auto found = view.devices.find(device);
  if (found == view.devices.end())
    return NotFound("device '" + device.str() + "' does not exist; `avocet device list` shows those that do");
  if (found->second.health != DeviceHealth::kHealthy)
    return Unavailable("device '" + device.str() + "' is " + std::string(ToString(found->second.health)));
  const Variant* variant = model.Find(FormatOf(found->second.spec.engine));
  if (variant == nullptr)
    return Unsupported("model '" + model.id().str() + "' has no " +
                       std::string(ToString(FormatOf(found->second.spec.engine))) + " file, which device '" +
                       device.str() + "' needs");
  return ProfileOnDevice{device, model.id(), *variant, model.samples};
}

} // namespace

void RunProfiles(Self self, const Model& model, const std::vector<DeviceId>& devices,
                 const std::function<void(const ProfileOutcome&)>& then) {
  AVOCET_CHECK(!devices.empty()); // nobody would call `then`

  auto outcome = std::make_shared<ProfileOutcome>();
  auto missing = std::make_shared<size_t>(devices.size());

  // The last device to finish, well or not, stores the profiles of all.
  auto one_less = [self, outcome, missing, then] {
    if (--*missing == 0) StoreProfiles(self, outcome, then);
  };
  auto failed = [outcome, one_less](const Status& status) {
    if (outcome->first_error.ok()) outcome->first_error = status;
    one_less();
  };

  auto& state = self->state;
  for (const auto& device : devices) {
    auto request = ProfileRequest(state.records.view, model, device);
    if (!request.ok()) {
      failed(request.status());
      continue;
    }
    const DeviceSpec& spec = state.records.view.devices.at(device).spec;
    const NodeId node = spec.node;
    const auto agent = state.agents.find(node);
    if (agent == state.agents.end()) {
      failed(Unavailable("node '" + node.str() + "' is away"));
      continue;
    }
    const ProfileAsked asked{request->model, request->variant.format, spec.type, spec.emulated()};
    self->request(agent->second.handle, state.options.deadlines.profile, std::move(*request))
        .then(
            [outcome, one_less, failed, asked](Profile& profile) {
              if (auto status = CheckProfile(asked, profile); !status.ok()) return failed(status);
              outcome->profiles.push_back(std::move(profile));
              one_less();
            },
            [failed](const caf::error& error) { failed(ToStatus(error, "agent")); });
  }
}

} // namespace avocet
