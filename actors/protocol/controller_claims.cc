#include "actors/protocol/controller_claims.h"

#include <algorithm>

#include "actors/protocol/agent_claims.h"
#include "messages/check.h"
#include "messages/measurement.h"

namespace avocet {
namespace {

const DeviceSpec* Find(const NodeInfo& self, const DeviceId& device) {
  const auto is_it = [&](const DeviceSpec& spec) { return spec.id() == device; };
  const auto found = std::find_if(self.devices.begin(), self.devices.end(), is_it);
  return found == self.devices.end() ? nullptr : &*found;
}

Status CheckOwn(const NodeInfo& self, std::string_view what, const DeviceId& device) {
  if (Find(self, device) != nullptr) return {};
  return NotFound(std::string(what) + ": field 'device' is " + Describe(device) + "; it must be one of node " +
                  Describe(self.id));
}

bool IsLatency(Duration latency) {
  return latency >= Duration::zero() && latency <= kMaxPredictedLatency;
}

Status CheckPrediction(const PredictedLatency& one) {
  const LatencySummary& latency = one.latency;
  return Check("prediction of application", one.app.str())
      .Name("app", one.app.str())
      .That(IsLatency(latency.mean), "mean", latency.mean, "0 to 365 days")
      .That(IsLatency(latency.p50), "p50", latency.p50, "0 to 365 days")
      .That(IsLatency(latency.p95), "p95", latency.p95, "0 to 365 days")
      .That(IsLatency(latency.p99), "p99", latency.p99, "0 to 365 days")
      .status();
}

Status CheckLimit(const JudgedLatency& one) {
  const bool is_limit = one.limit > Duration::zero() && one.limit <= kMaxLatency;
  return Check("limit of application", one.app.str())
      .Name("app", one.app.str())
      .That(is_limit, "limit", one.limit, "> 0 and at most 1 h")
      .status();
}

} // namespace

Status CheckCommand(const NodeInfo& self, const Command& command) {
  AVOCET_RETURN_IF_ERROR(Validate(command));
  AVOCET_RETURN_IF_ERROR(Check("command for application", command.app.str())
                             .That(command.size_bytes <= kMaxModelFileBytes, "size_bytes", command.size_bytes,
                                   "at most 2147483648 (2 GiB)")
                             .status());
  return CheckOwn(self, "command", command.device);
}

Status CheckProfileOrder(const NodeInfo& self, const DeviceId& device, const ModelId& model, const Variant& variant) {
  AVOCET_RETURN_IF_ERROR(CheckOwn(self, "order of a profile", device));
  const ModelFormat needed = FormatOf(Find(self, device)->engine);
  return Check("order of a profile of model", model.str())
      .Model("model", model)
      .That(variant.format == needed, "format", ToString(variant.format), ToString(needed))
      .Digest("file", variant.file)
      .That(variant.size_bytes >= 1 && variant.size_bytes <= kMaxModelFileBytes, "size_bytes", variant.size_bytes,
            "1 to 2147483648 (2 GiB)")
      .status();
}

Status CheckPredictions(const NodeInfo& self, const DeviceId& device, std::span<const PredictedLatency> apps,
                        std::span<const JudgedLatency> objectives) {
  AVOCET_RETURN_IF_ERROR(CheckOwn(self, "predictions", device));
  return Check("predictions of device", device.str())
      .Length("apps", apps.size(), kMaxAppsPerDevice)
      .Length("objectives", objectives.size(), kMaxAppsPerDevice)
      .Each(apps, CheckPrediction)
      .Each(objectives, CheckLimit)
      .status();
}

Status CheckAck(const NodeInfo& self, const DeviceId& device, const BootId& boot, uint64_t sequence) {
  AVOCET_RETURN_IF_ERROR(CheckOwn(self, "acknowledgement", device));
  return Check("acknowledgement of device", device.str())
      .Is(boot.empty() || IsName(boot.str()), "boot", "not a name", "a name, or empty: none yet")
      .That(sequence <= kMaxWindowSequence, "sequence", sequence, "at most 2^63 - 1")
      .status();
}

Status CheckRequestId(uint64_t id, uint64_t oldest_id) {
  return Check("request", std::string_view("of the controller"))
      .That(id >= 1, "id", id, ">= 1")
      .That(oldest_id <= id, "oldest_id", oldest_id, "at most the request's own id")
      .status();
}

} // namespace avocet
