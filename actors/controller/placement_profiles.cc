#include "actors/controller/placement_steps.h"

#include <caf/typed_event_based_actor.hpp>

#include "actors/errors.h"
#include "actors/protocol/agent_claims.h"
#include "controller/cluster/cluster_changes.h"
#include "messages/invariant.h"
#include "messages/text.h"
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

namespace {

/// What the devices of one run have in common; the last device to finish, well or not, stores the profiles of all.
struct ProfileRun {
  ProfileOutcome outcome;
  size_t missing = 0;
  std::function<void(const ProfileOutcome&)> then;
};

void OneLess(Self self, const std::shared_ptr<ProfileRun>& run) {
  if (--run->missing == 0) StoreProfiles(self, std::shared_ptr<ProfileOutcome>(run, &run->outcome), run->then);
}

void NotAsked(Self self, const std::shared_ptr<ProfileRun>& run, const Status& why) {
  if (run->outcome.first_error.ok()) run->outcome.first_error = why;
  OneLess(self, run);
}

/// Decisions show why, until a measurement succeeds.
void NotMeasured(Self self, const std::shared_ptr<ProfileRun>& run, const ProfileAsked& asked, const DeviceId& device,
                 const Status& why) {
  Profile missing;
  missing.model = asked.model;
  missing.format = asked.format;
  missing.device_type = asked.device_type;
  NoteProfileFailure(self->state.records.view, missing.key(), ToText(why.message()));

  WriteBatch batch;
  AddEvent(self, batch, "model_not_profiled", asked.model.str(), ToText("on " + device.str() + ": " + why.message()));
  Persist(self, std::move(batch), LogFailure("model_not_profiled"));
  NotAsked(self, run, why);
}

void MeasureOn(Self self, const std::shared_ptr<ProfileRun>& run, const Model& model, const DeviceId& device) {
  auto& state = self->state;
  auto request = ProfileRequest(state.records.view, model, device);
  if (!request.ok()) return NotAsked(self, run, request.status());
  const DeviceSpec& spec = state.records.view.devices.at(device).spec;
  const auto agent = state.agents.find(spec.node);
  if (agent == state.agents.end()) return NotAsked(self, run, Unavailable("node '" + spec.node.str() + "' is away"));

  state.grants.Grant(spec.node, request->variant.file);
  const ProfileAsked asked{request->model, request->variant.format, spec.type, spec.emulated()};
  self->request(agent->second.handle, state.options.deadlines.profile, std::move(*request))
      .then(
          [self, run, asked, device](Profile& profile) {
            if (auto status = CheckProfile(asked, profile); !status.ok())
              return NotMeasured(self, run, asked, device, status);
            run->outcome.profiles.push_back(std::move(profile));
            OneLess(self, run);
          },
          [self, run, asked, device](const caf::error& error) {
            NotMeasured(self, run, asked, device, ToStatus(error, "agent"));
          });
}

} // namespace

void RunProfiles(Self self, const Model& model, const std::vector<DeviceId>& devices,
                 const std::function<void(const ProfileOutcome&)>& then) {
  AVOCET_CHECK(!devices.empty()); // nobody would call `then`
  auto run = std::make_shared<ProfileRun>(ProfileRun{{}, devices.size(), then});
  for (const auto& device : devices)
    MeasureOn(self, run, model, device);
}

} // namespace avocet
