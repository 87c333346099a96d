#include <cfloat>

#include "tests/support/arbitrary_parts.h"

namespace avocet {
namespace {

AppLatency AnyLatency(const AppId& app) {
  AppLatency latency;
  latency.app = app;
  latency.statistic = AnyStatistic();
  latency.objective = *DurationBetween(Duration(1), Duration::max());
  if (*rc::gen::arbitrary<bool>()) latency.before = NonNegative();
  if (*rc::gen::arbitrary<bool>()) latency.after = NonNegative();
  latency.fast = *rc::gen::arbitrary<bool>();
  return latency;
}

Verdict AnyVerdict(const DeviceId& device, bool ok) {
  Verdict verdict;
  verdict.device = device;
  verdict.node = ParseDeviceId(device.str())->node;
  verdict.ok = ok;
  verdict.emulated = *rc::gen::arbitrary<bool>();
  if (!ok) verdict.filter = *rc::gen::elementOf(kFilterKinds);
  verdict.needed = *DoubleBetween(-DBL_MAX / 2, DBL_MAX / 2);
  verdict.found = *DoubleBetween(-DBL_MAX / 2, DBL_MAX / 2);
  verdict.unit = *rc::gen::elementOf(kUnits);
  verdict.detail = *ValidText();
  verdict.utilization_before = *Amount();
  verdict.utilization_after = *Amount();
  verdict.memory_before_bytes = AnyCount();
  verdict.memory_after_bytes = AnyCount();
  verdict.memory_capacity_bytes = AnyCount();
  for (const AppId& app : DistinctIds(AppIds()))
    verdict.apps.push_back(AnyLatency(app));
  verdict.max_rate_sought = *rc::gen::arbitrary<bool>();
  if (verdict.max_rate_sought) verdict.max_rate_rps = *Amount();
  return verdict;
}

Move AnyMove() {
  const auto devices = *rc::gen::suchThat(rc::gen::pair(ValidDeviceId(), ValidDeviceId()),
                                          [](const auto& pair) { return pair.first != pair.second; });
  return {.app = AnyApp(), .from = devices.first, .to = devices.second};
}

} // namespace

rc::Gen<Placement> ValidPlacement() {
  return rc::gen::exec([] {
    Placement placement;
    placement.app = AnyApp();
    placement.device = *ValidDeviceId();
    placement.model = *ValidModelId();
    placement.format = AnyFormat();
    placement.file = *ValidSha256();
    placement.size_bytes = *rc::gen::arbitrary<uint64_t>();
    placement.epoch = AnyEpoch();
    placement.phase = *rc::gen::element(PlacementPhase::kStarting, PlacementPhase::kReady, PlacementPhase::kLost,
                                        PlacementPhase::kFailed);
    const bool has_reason = placement.phase != PlacementPhase::kReady;
    if (has_reason) placement.reason = *ValidText();
    return placement;
  });
}

rc::Gen<Decision> ValidDecision() {
  return rc::gen::exec([] {
    Decision decision;
    decision.kind = *rc::gen::element(DecisionKind::kAdmit, DecisionKind::kReject, DecisionKind::kAdmitWithMoves);
    const bool rejected = decision.kind == DecisionKind::kReject;
    decision.app = *ValidApplication();
    decision.view_version = AnyCount();
    const auto devices = DistinctIds(ValidDeviceId(), rejected ? 0 : 1);
    if (!rejected) decision.device = *rc::gen::elementOf(devices);
    if (!rejected || *rc::gen::arbitrary<bool>()) decision.model = *ValidModelId();
    const size_t moves = decision.kind == DecisionKind::kAdmitWithMoves ? ListLength(1) : 0;
    for (size_t i = 0; i < moves; ++i)
      decision.moves.push_back(AnyMove());
    for (const DeviceId& device : devices) {
      decision.verdicts.push_back(AnyVerdict(device, device == decision.device || *rc::gen::arbitrary<bool>()));
    }
    decision.max_rate_rps = *Amount();
    decision.decided_at = *AnyWallTime();
    decision.policy = *rc::gen::elementOf(kPlacementPolicies);
    return decision;
  });
}

rc::Gen<Command> ValidCommand() {
  return rc::gen::exec([] {
    Command command;
    command.kind = *rc::gen::element(CommandKind::kStart, CommandKind::kStop);
    command.epoch = AnyEpoch();
    command.device = *ValidDeviceId();
    command.app = AnyApp();
    command.format = AnyFormat();
    if (command.kind == CommandKind::kStart || *rc::gen::arbitrary<bool>()) {
      command.model = *ValidModelId();
      command.file = *ValidSha256();
      command.size_bytes = *rc::gen::arbitrary<uint64_t>();
    }
    return command;
  });
}

rc::Gen<Event> ValidEvent() {
  return rc::gen::exec([] {
    Event event;
    event.sequence = AnyCount();
    event.at = *AnyWallTime();
    event.kind = *ValidName();
    event.subject = *rc::gen::oneOf(ValidLabel(), rc::gen::just(std::string()));
    event.detail = *ValidText();
    return event;
  });
}

} // namespace avocet
