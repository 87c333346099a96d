#include "messages/placement.h"

#include <algorithm>
#include <cmath>

#include "messages/check.h"
#include "messages/measurement.h"

namespace avocet {
namespace {

/// Strictly ascending by id: in order, none twice.
template <class List, class IdOf> bool IsAscending(const List& list, const IdOf& id_of) {
  const auto not_less = [&](const auto& a, const auto& b) { return !(id_of(a) < id_of(b)); };
  return std::adjacent_find(list.begin(), list.end(), not_less) == list.end();
}

Status CheckLatency(const AppLatency& latency) {
  const auto is_time = [](const std::optional<Duration>& time) { return !time || *time >= Duration::zero(); };
  return Check("application", latency.app.str())
      .Name("app", latency.app.str())
      .That(latency.objective > Duration::zero(), "objective", latency.objective, "> 0")
      .That(is_time(latency.before), "before", latency.before.value_or(Duration::zero()), ">= 0, or absent")
      .That(is_time(latency.after), "after", latency.after.value_or(Duration::zero()), ">= 0, or absent")
      .status();
}

bool IsOn(const DeviceId& device, const NodeId& node) {
  const auto parts = ParseDeviceId(device.str());
  return parts && parts->node == node;
}

Status CheckVerdict(const Verdict& verdict) {
  return Check("verdict", verdict.device.str())
      .Device("device", verdict.device)
      .That(IsOn(verdict.device, verdict.node), "node", verdict.node, "the node of the device")
      .That(verdict.ok != verdict.filter.has_value(), "filter", FilterName(verdict),
            "empty for a device that is ok, else the filter's name")
      .That(std::isfinite(verdict.needed), "needed", verdict.needed, "finite")
      .That(std::isfinite(verdict.found), "found", verdict.found, "finite")
      .Text("detail", verdict.detail)
      .Amount("utilization_before", verdict.utilization_before)
      .Amount("utilization_after", verdict.utilization_after)
      .Length("apps", verdict.apps.size(), kMaxAppsPerDevice)
      .Each(verdict.apps, CheckLatency)
      .Is(IsAscending(verdict.apps, [](const AppLatency& a) -> const AppId& { return a.app; }), "apps",
          "not in order of name", "in order of name, none twice")
      .Amount("max_rate_rps", verdict.max_rate_rps)
      .That(verdict.max_rate_sought || verdict.max_rate_rps == 0, "max_rate_rps", verdict.max_rate_rps,
            "0 where not sought")
      .status();
}

Status CheckMove(const Move& move) {
  return Check("move", move.app.str())
      .Name("app", move.app.str())
      .Device("from", move.from)
      .Device("to", move.to)
      .That(move.from != move.to, "to", move.to, "another device than from")
      .status();
}

bool IsOk(const std::vector<Verdict>& verdicts, const DeviceId& device) {
  return std::any_of(verdicts.begin(), verdicts.end(),
                     [&](const Verdict& verdict) { return verdict.device == device && verdict.ok; });
}

/// What must hold between the kind of a decision and its device, model and moves.
Status CheckKind(const Decision& decision) {
  const bool rejected = decision.kind == DecisionKind::kReject;
  const bool moves = decision.kind == DecisionKind::kAdmitWithMoves;
  const DeviceId device = decision.device.value_or(DeviceId());
  return Check("decision", ToString(decision.kind))
      .That(decision.device.has_value() != rejected, "device", device, "set unless rejected")
      .That(rejected || IsOk(decision.verdicts, device), "device", device, "a device whose verdict is ok")
      .That(IsModelId(decision.model) || (rejected && decision.model.empty()), "model", decision.model,
            "<name>:<version>, or empty in a rejection")
      .That(decision.moves.empty() != moves, "moves", decision.moves.size(),
            "at least one for admit_with_moves, else none")
      .status();
}

} // namespace

std::string_view ToString(PlacementPhase phase) {
  switch (phase) {
  case PlacementPhase::kStarting:
    return "starting";
  case PlacementPhase::kReady:
    return "ready";
  case PlacementPhase::kLost:
    return "lost";
  case PlacementPhase::kFailed:
    return "failed";
  }
  return "unknown";
}

std::string_view ToString(DecisionKind kind) {
  switch (kind) {
  case DecisionKind::kAdmit:
    return "admit";
  case DecisionKind::kReject:
    return "reject";
  case DecisionKind::kAdmitWithMoves:
    return "admit_with_moves";
  }
  return "unknown";
}

std::string_view ToString(FilterKind kind) {
  switch (kind) {
  case FilterKind::kHealthy:
    return "healthy";
  case FilterKind::kKind:
    return "kind";
  case FilterKind::kFormat:
    return "format";
  case FilterKind::kProfile:
    return "profile";
  case FilterKind::kMemory:
    return "memory";
  case FilterKind::kUtilization:
    return "utilization";
  case FilterKind::kObjectives:
    return "objectives";
  case FilterKind::kPaperRate:
    return "paper_rate";
  case FilterKind::kPaperObjectives:
    return "paper_objectives";
  }
  return "unknown";
}

std::optional<FilterKind> ParseFilterKind(std::string_view text) {
  for (const auto kind : kFilterKinds) {
    if (ToString(kind) == text) return kind;
  }
  return std::nullopt;
}

std::string_view ToString(Unit unit) {
  switch (unit) {
  case Unit::kNone:
    return "";
  case Unit::kState:
    return "state";
  case Unit::kKinds:
    return "kinds";
  case Unit::kFiles:
    return "files";
  case Unit::kProfiles:
    return "profiles";
  case Unit::kMebibytes:
    return "MiB";
  case Unit::kRatio:
    return "ratio";
  case Unit::kCoresRatio:
    return "cores ratio";
  case Unit::kMilliseconds:
    return "ms";
  }
  return "unknown";
}

std::optional<Unit> ParseUnit(std::string_view text) {
  for (const auto unit : kUnits) {
    if (ToString(unit) == text) return unit;
  }
  return std::nullopt;
}

std::string_view FilterName(const Verdict& verdict) {
  return verdict.filter ? ToString(*verdict.filter) : std::string_view();
}

Status Validate(const Placement& placement) {
  // Also while it starts: an agent that could not fetch the model yet says why it tries again.
  const bool may_have_reason = placement.phase != PlacementPhase::kReady;
  return Check("placement", placement.app.str())
      .Name("app", placement.app.str())
      .Device("device", placement.device)
      .Model("model", placement.model)
      .Digest("file", placement.file)
      .That(placement.epoch >= 1 && placement.epoch <= kMaxEpoch, "epoch", placement.epoch, ">= 1 and at most 2^63 - 1")
      .That(may_have_reason || placement.reason.empty(), "reason", placement.reason, "empty when ready")
      .Text("reason", placement.reason)
      .status();
}

Status ValidateReport(const Placement& running) {
  return Check("running application", running.app.str())
      .Part(Validate(running))
      .That(running.phase != PlacementPhase::kLost, "phase", ToString(running.phase), "starting, ready or failed")
      .status();
}

Status Validate(const Decision& decision) {
  return Check("decision", decision.app.name.str())
      .Part(Validate(decision.app))
      .Length("moves", decision.moves.size(), kMaxMoves)
      .Each(decision.moves, CheckMove)
      .Length("verdicts", decision.verdicts.size(), kMaxVerdicts)
      .Each(decision.verdicts, CheckVerdict)
      .Is(IsAscending(decision.verdicts, [](const Verdict& v) -> const DeviceId& { return v.device; }), "verdicts",
          "not in order of device", "in order of device, none twice")
      .Part(CheckKind(decision))
      .Amount("max_rate_rps", decision.max_rate_rps)
      .status();
}

} // namespace avocet
