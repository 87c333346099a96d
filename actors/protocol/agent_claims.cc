#include "actors/protocol/agent_claims.h"

#include <algorithm>
#include <set>
#include <utility>

#include "messages/check.h"

namespace avocet {
namespace {

/// Sums may be a little off: each addition rounds.
constexpr double kRounding = 1 + 1e-6;

/// Denied, with what the speaker may speak of.
Status CheckDevice(const NodeInfo& speaker, std::string_view what, const DeviceId& device) {
  const auto is_it = [&](const DeviceSpec& spec) { return spec.id() == device; };
  if (std::any_of(speaker.devices.begin(), speaker.devices.end(), is_it)) return {};
  return Denied(std::string(what) + ": field 'device' is " + Describe(device) +
                "; it must be one that the agent of node " + Describe(speaker.id) + " registered");
}

/// Of samples that each lie between kMinSampleSeconds and kMaxSampleSeconds, or are 0.
Status CheckSample(std::string_view name, const Moments& moments) {
  const auto count = static_cast<double>(moments.count);
  const bool has_least = moments.sum == 0 || moments.sum * kRounding >= kMinSampleSeconds;
  return Check("moments", name)
      .That(moments.count <= kMaxWindowRequests, "count", moments.count, "at most 2^32")
      .That(moments.sum <= count * kMaxSampleSeconds * kRounding, "sum", moments.sum,
            "at most 10^9 s for each of count")
      .That(has_least, "sum", moments.sum, "0 or at least 10^-9 s")
      .That(moments.sum2 <= moments.sum * kMaxSampleSeconds * kRounding, "sum2", moments.sum2,
            "at most 10^9 s times sum")
      .status();
}

Status CheckCounts(const AppWindow& app) {
  const auto is_count = [](uint64_t count) { return count <= kMaxWindowRequests; };
  return Check("application", app.app.str())
      .That(is_count(app.arrivals), "arrivals", app.arrivals, "at most 2^32")
      .That(is_count(app.completions), "completions", app.completions, "at most 2^32")
      .That(is_count(app.failures), "failures", app.failures, "at most 2^32")
      .That(is_count(app.refusals), "refusals", app.refusals, "at most 2^32")
      .That(is_count(app.expired), "expired", app.expired, "at most 2^32")
      .Part(CheckSample("interarrival", app.interarrival))
      .Part(CheckSample("service", app.service))
      .Part(CheckSample("switched_service", app.switched_service))
      .Part(CheckSample("response", app.response))
      .status();
}

} // namespace

Status CheckSpeaker(const NodeId& node, const BootId& boot) {
  return Check("message of node", node.str()).Name("node", node.str()).Name("boot", boot.str()).status();
}

Status CheckRegistration(const NodeInfo& node, std::span<const Placement> running) {
  AVOCET_RETURN_IF_ERROR(Validate(node));
  AVOCET_RETURN_IF_ERROR(Check("node", node.id.str()).Length("running", running.size(), kMaxRunningApps).status());

  std::set<std::pair<std::string_view, std::string_view>> seen;
  for (const auto& one : running) {
    AVOCET_RETURN_IF_ERROR(CheckReport(node, one));
    const bool is_new = seen.emplace(one.app.str(), one.device.str()).second;
    AVOCET_RETURN_IF_ERROR(
        Check("node", node.id.str()).That(is_new, "running", one.app, "on one device once").status());
  }
  return {};
}

Status CheckReport(const NodeInfo& speaker, const Placement& running) {
  AVOCET_RETURN_IF_ERROR(ValidateReport(running));
  const bool may_have_reason = running.phase != PlacementPhase::kReady;
  AVOCET_RETURN_IF_ERROR(
      Check("running application", running.app.str())
          .That(may_have_reason || running.reason.empty(), "reason", running.reason, "empty when ready")
          .status());
  return CheckDevice(speaker, "running application " + Describe(running.app), running.device);
}

Status CheckEpoch(const Placement& running, uint64_t last_epoch) {
  const uint64_t most = std::max(kMaxClaimedEpoch, last_epoch);
  return Check("running application", running.app.str())
      .That(running.epoch >= 1 && running.epoch <= most, "epoch", running.epoch, "1 to " + Describe(most))
      .status();
}

Status CheckHighestEpoch(const NodeInfo& speaker, uint64_t highest_epoch, uint64_t last_epoch) {
  const uint64_t most = std::max(kMaxClaimedEpoch, last_epoch);
  return Check("node", speaker.id.str())
      .That(highest_epoch <= most, "highest_epoch", highest_epoch, "at most " + Describe(most))
      .status();
}

Status CheckWindowCount(const NodeInfo& speaker, size_t count) {
  return Check("report of node", speaker.id.str()).Length("windows", count, kMaxWindowsPerReport).status();
}

Status CheckWindow(const NodeInfo& speaker, const SentWindow& sent) {
  const MeasurementWindow& window = sent.window;
  AVOCET_RETURN_IF_ERROR(Validate(window));
  AVOCET_RETURN_IF_ERROR(CheckDevice(speaker, "measurement window", window.device));
  return Check("window of device", window.device.str())
      .That(window.boot == speaker.boot, "boot", window.boot, "the one that the agent registered with")
      .That(window.sequence <= kMaxWindowSequence, "sequence", window.sequence, "at most 2^63 - 1")
      .That(sent.oldest <= window.sequence, "oldest", sent.oldest, "at most the window's own sequence")
      .That(window.length <= kMaxWindowLength, "length", window.length, "at most 365 days")
      .Each(window.apps, CheckCounts)
      .status();
}

Status CheckProfile(const ProfileAsked& asked, const Profile& profile) {
  return Check("answer to a profile of model", asked.model.str())
      .That(profile.model == asked.model, "model", profile.model, "the model that was asked for")
      .That(profile.format == asked.format, "format", ToString(profile.format), ToString(asked.format))
      .That(profile.device_type == asked.device_type, "device_type", profile.device_type, Describe(asked.device_type))
      .That(profile.emulated == asked.emulated, "emulated", profile.emulated ? "true" : "false",
            asked.emulated ? "true, as the device is" : "false, as the device is real")
      .Part(Validate(profile))
      .status();
}

} // namespace avocet
