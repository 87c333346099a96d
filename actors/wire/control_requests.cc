#include "actors/wire/control_requests.h"

#include "messages/check.h"

namespace avocet {
namespace {

Status CheckApp(std::string_view kind, const AppId& app) {
  return Check(kind, app.str()).Name("app", app.str()).status();
}

Status CheckAppRequest(const Application& app, const PlacementOptions& options) {
  AVOCET_RETURN_IF_ERROR(Validate(app));
  return Validate(options);
}

} // namespace

// Nothing is in them.
Status CheckRequest(const GetVersion&) {
  return {};
}
Status CheckRequest(const ListNodes&) {
  return {};
}
Status CheckRequest(const ListDevices&) {
  return {};
}
Status CheckRequest(const ListModels&) {
  return {};
}
Status CheckRequest(const ListApps&) {
  return {};
}

// Any number is a place in the log.
Status CheckRequest(const ListEvents&) {
  return {};
}

Status CheckRequest(const PutModelChunk& chunk) {
  const bool fits = chunk.offset <= chunk.total_bytes && chunk.data.size() <= chunk.total_bytes - chunk.offset;
  return Check("piece of model file", chunk.file.str())
      .Digest("sha256", chunk.file)
      .That(chunk.total_bytes >= 1 && chunk.total_bytes <= kMaxModelFileBytes, "total_bytes", chunk.total_bytes,
            "1 to 2147483648 (2 GiB)")
      .That(chunk.offset <= chunk.total_bytes, "offset", chunk.offset, "at most total_bytes")
      .That(chunk.data.size() <= 8 * kMiB, "data", chunk.data.size(), "at most 8 MiB")
      .That(fits, "data", chunk.data.size(), "at most what is left of total_bytes behind offset")
      .status();
}

Status CheckRequest(const FetchModel& fetch) {
  return Check("piece of model file", fetch.file.str())
      .Digest("sha256", fetch.file)
      .That(fetch.offset <= kMaxModelFileBytes, "offset", fetch.offset, "at most 2147483648 (2 GiB)")
      .status();
}

Status CheckRequest(const ImportModel& import) {
  AVOCET_RETURN_IF_ERROR(Validate(import.model));
  return Check("model", import.model.name)
      .Is(import.model.imported_at >= WallTime{}, "imported_at", "before 1970", "1970 or later, or absent")
      .status();
}

Status CheckRequest(const ProfileModel& profile) {
  Check check("profile of model", profile.model);
  check.That(ParseModelName(profile.model).has_value(), "model", profile.model,
             "<name> or <name>:<version>, a name and decimal digits");
  if (!profile.device.empty()) check.Device("device", profile.device);
  check.Length("samples", profile.samples.size(), kMaxSamples)
      .Each(profile.samples, [](const SampleInput& sample) { return Validate(sample); });
  return check.status();
}

Status CheckRequest(const PlanApp& plan) {
  return CheckAppRequest(plan.app, plan.options);
}

Status CheckRequest(const ApplyApp& apply) {
  return CheckAppRequest(apply.app, apply.options);
}

Status CheckRequest(const AdoptNode& adopt) {
  return Check("adoption of node", adopt.node.str()).Name("node", adopt.node.str()).status();
}

Status CheckRequest(const GetApp& get) {
  return CheckApp("question for application", get.app);
}

Status CheckRequest(const ExplainApp& explain) {
  return CheckApp("question for application", explain.app);
}

Status CheckRequest(const RemoveApp& remove) {
  return CheckApp("removal of application", remove.app);
}

Status CheckRequest(const Rebalance& rebalance) {
  return Check("request", std::string_view("rebalance"))
      .That(rebalance.max_moves >= 0 && rebalance.max_moves <= kMaxRebalanceMoves, "max_moves", rebalance.max_moves,
            "0 to 64")
      .status();
}

} // namespace avocet
