#include "controller/cluster/reconcile.h"

#include <algorithm>
#include <utility>

#include "controller/cluster/pending_moves.h"

namespace avocet {
namespace {

bool IsOn(const Placement& placement, const NodeId& node) {
  const auto device = ParseDeviceId(placement.device.str());
  return device && device->node == node;
}

/// Requires that the placement is on the node of the report.
bool IsWanted(const Placement& placement, const Placement& running) {
  return placement.device == running.device && placement.model == running.model && placement.format == running.format &&
         placement.file == running.file && placement.epoch == running.epoch;
}

const Placement* FindOn(const std::vector<Placement>& running, const Placement& placement) {
  const auto found = std::find_if(running.begin(), running.end(), [&](const Placement& one) {
    return one.app == placement.app && one.device == placement.device;
  });
  return found == running.end() ? nullptr : &*found;
}

/// One node's reconciliation, step by step.
class Reconciler {
public:
  Reconciler(const ClusterView& view, const Removals& removals, const NodeReport& report, uint64_t last_epoch)
      : view_(view), removals_(removals), report_(report) {
    result_.last_epoch = std::max(last_epoch, report.highest_epoch);
    for (const auto& copy : report.running)
      result_.last_epoch = std::max(result_.last_epoch, copy.epoch);
  }

  Reconciliation Run() {
    for (const auto& copy : report_.running)
      Judge(copy);
    for (const auto& [app, placement] : view_.placements) {
      if (IsOn(placement, report_.node)) AdoptOrStart(placement);
    }
    std::stable_sort(result_.commands.begin(), result_.commands.end(),
                     [](const Command& a, const Command& b) { return IsStop(a) && !IsStop(b); });
    return std::move(result_);
  }

private:
  static bool IsStop(const Command& command) { return command.kind == CommandKind::kStop; }

  /// What becomes of a copy that runs.
  void Judge(const Placement& copy) {
    const auto placed = view_.placements.find(copy.app);
    switch (FateOf(copy, placed == view_.placements.end() ? nullptr : &placed->second, removals_)) {
    case CopyFate::kIgnore:
      return;
    case CopyFate::kKeep:
      return result_.kept.push_back(copy);
    case CopyFate::kStop:
      return Stop(copy);
    case CopyFate::kLeave:
      return result_.orphans.push_back(copy);
    }
  }

  void Stop(const Placement& copy) { result_.commands.push_back(StopCommand(copy)); }

  void AdoptOrStart(Placement placement) {
    const Placement* running = FindOn(report_.running, placement);
    if (running != nullptr && IsWanted(placement, *running)) return Adopt(std::move(placement), *running);

    // The agent may have seen this epoch, for a copy that it ended or runs otherwise, and would drop it as past.
    if (placement.epoch <= report_.highest_epoch || running != nullptr) {
      placement.epoch = ++result_.last_epoch;
      Start(placement);
      return result_.adopted.push_back(Starting(std::move(placement)));
    }
    Start(placement);
    if (placement.phase != PlacementPhase::kStarting) result_.adopted.push_back(Starting(std::move(placement)));
  }

  void Adopt(Placement placement, const Placement& running) {
    if (placement.phase == running.phase && placement.reason == running.reason) return;
    placement.phase = running.phase;
    placement.reason = running.reason;
    result_.adopted.push_back(std::move(placement));
  }

  void Start(const Placement& placement) { result_.commands.push_back(StartCommand(placement)); }

  /// One that was starting already has the reason why it still does.
  static Placement Starting(Placement placement) {
    if (placement.phase != PlacementPhase::kStarting) placement.reason.clear();
    placement.phase = PlacementPhase::kStarting;
    return placement;
  }

  const ClusterView& view_;
  const Removals& removals_;
  const NodeReport& report_;
  Reconciliation result_;
};

} // namespace

Reconciliation Reconcile(const ClusterView& view, const Removals& removals, const NodeReport& report,
                         uint64_t last_epoch) {
  return Reconciler(view, removals, report, last_epoch).Run();
}

} // namespace avocet
