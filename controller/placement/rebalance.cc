#include "controller/placement/rebalance.h"

#include <algorithm>
#include <set>

#include "controller/placement/filters.h"
#include "controller/placement/fits.h"
#include "controller/placement/fragmentation.h"
#include "controller/placement/moves.h"
#include "controller/placement/ranking.h"
#include "messages/invariant.h"

namespace avocet {
namespace {

/// Residents looked at for one move, the targets of each, and the moves that are confirmed.
constexpr size_t kMaxResidents = 128;
constexpr size_t kMaxTargets = 2;
constexpr size_t kMaxConfirmed = 8;
/// A move that makes less more room than this share of it is not worth its risk.
constexpr double kLeastGain = 0.01;

struct Shift {
  size_t from = 0, tenant = 0, to = 0;
  double value = 0; ///< cost while targets are chosen, then the room afterwards
};

class Rebalancing {
public:
  Rebalancing(const ClusterView& view, const Policy& policy, PredictionCache& cache)
      : view_(view), policy_(policy), cache_(cache), occupancy_(view, policy, AppId()) {}

  RebalancePlan Run(int max_moves) {
    plan_.view_version = view_.version;
    plan_.room_before = plan_.room_after = RoomOf(occupancy_);
    while (static_cast<int>(plan_.moves.size()) < max_moves && MakeBestMove()) {
    }
    return std::move(plan_);
  }

private:
  Newcomer ResidentAt(size_t device, size_t tenant) const { return AsNewcomer(view_, occupancy_[device], tenant); }

  Question AskedOf(const Newcomer& resident, const Occupancy& occupancy) const {
    return {view_, policy_, occupancy, cache_, resident};
  }

  /// Any admitted application stands for the newcomer: it is among those seen anyway.
  double RoomOf(const Occupancy& occupancy) const {
    if (view_.apps.empty()) return 0;
    const Application& any = view_.apps.begin()->second;
    const Newcomer newcomer{&any, view_.FindModel(any.model), any.rate_rps};
    const Question question = AskedOf(newcomer, occupancy);
    return Fragmentation(question).Room();
  }

  bool IsOpen(size_t device, const std::set<size_t>& closed) const {
    return occupancy_[device].device->health == DeviceHealth::kHealthy && !closed.contains(device);
  }

  const NodeId& NodeOf(size_t device) const { return occupancy_[device].device->spec.node; }

  /// The resident's targets where it costs least, by the fast models.
  std::vector<Shift> ShiftsOf(size_t from, size_t tenant) const {
    std::vector<Shift> shifts;

    const Newcomer resident = ResidentAt(from, tenant);
    for (size_t to = 0; to < occupancy_.size(); ++to) {
      // A device that gave takes nothing, and a node with freed cores neither: see PlanRebalance.
      if (to == from || !IsOpen(to, gave_) || freed_.contains(NodeOf(to))) continue;

      const auto demand = occupancy_.DemandOn(to, resident);
      if (!demand || !Fits(occupancy_[to], policy_, cache_).With(*demand)) continue;
      shifts.push_back({from, tenant, to, PlacementCost(occupancy_[to], *demand, policy_, cache_)});
    }

    std::stable_sort(shifts.begin(), shifts.end(), [](const Shift& a, const Shift& b) { return a.value < b.value; });
    if (shifts.size() > kMaxTargets) shifts.resize(kMaxTargets);
    return shifts;
  }

  /// Residents that may go, those of the fullest devices first: there a departure changes most.
  std::vector<Shift> Departures() const {
    std::vector<Shift> departures;
    // A device that has taken gives nothing: then the moves of a plan keep every objective in any order.
    for (size_t d = 0; d < occupancy_.size(); ++d) {
      if (!IsOpen(d, took_)) continue;

      const double utilization = AssessmentOf(occupancy_[d], cache_)->utilization;
      for (size_t i = 0; i < occupancy_[d].tenants.size(); ++i) {
        // Only what serves may go: a copy that still starts has no old one to serve meanwhile.
        const auto placement = view_.placements.find(occupancy_[d].tenants[i].app->name);
        if (placement == view_.placements.end() || placement->second.phase != PlacementPhase::kReady) continue;

        departures.push_back({d, i, 0, utilization});
      }
    }

    // Stable: equal devices keep their order by id, and the same view gets the same plan.
    std::stable_sort(departures.begin(), departures.end(),
                     [](const Shift& a, const Shift& b) { return a.value > b.value; });

    // Room is computed for each, and is expensive.
    if (departures.size() > kMaxResidents) departures.resize(kMaxResidents);
    return departures;
  }

  Occupancy After(const Shift& shift) const {
    Occupancy after = occupancy_;
    const Newcomer resident = ResidentAt(shift.from, shift.tenant);
    after.Remove(shift.from, shift.tenant);
    after.Add(shift.to, *occupancy_.DemandOn(shift.to, resident));
    return after;
  }

  /// Moves that make more room, those that make most first.
  std::vector<Shift> WorthwhileShifts() const {
    std::vector<Shift> worthwhile;
    // At least one per cent of one device: without any room the gain must still be worth a reload.
    const double least = plan_.room_after + kLeastGain * std::max(plan_.room_after, 1.0);

    for (const Shift& departure : Departures()) {
      for (Shift& shift : ShiftsOf(departure.from, departure.tenant)) {
        // The room of the whole cluster: what a move frees here may close there.
        shift.value = RoomOf(After(shift));
        if (shift.value >= least) worthwhile.push_back(shift);
      }
    }

    std::stable_sort(worthwhile.begin(), worthwhile.end(),
                     [](const Shift& a, const Shift& b) { return a.value > b.value; });
    if (worthwhile.size() > kMaxConfirmed) worthwhile.resize(kMaxConfirmed);
    return worthwhile;
  }

  bool MakeBestMove() {
    const auto shifts = WorthwhileShifts();
    return std::any_of(shifts.begin(), shifts.end(), [this](const Shift& shift) { return Make(shift); });
  }

  /// Its old copy serves until the new one does; as no device both gives and takes, what the target hosts meanwhile
  /// is no more than what it is asked about here.
  bool Make(const Shift& shift) {
    const Newcomer resident = ResidentAt(shift.from, shift.tenant);

    // The resident is away while its target is judged, as its load would count twice on the same node.
    Occupancy without = occupancy_;
    without.Remove(shift.from, shift.tenant);
    if (!PassesSurely(AskedOf(resident, without), shift.to)) return false;

    // Numbers before and after are taken while both occupancies exist.
    Occupancy after = After(shift);
    const auto utilization = [this](const Tenancy& tenancy) { return AssessmentOf(tenancy, cache_)->utilization; };
    plan_.moves.push_back(
        {.move = {resident.app->name, occupancy_[shift.from].device->spec.id(), occupancy_[shift.to].device->spec.id()},
         .from_utilization_before = utilization(occupancy_[shift.from]),
         .from_utilization_after = utilization(after[shift.from]),
         .to_utilization_before = utilization(occupancy_[shift.to]),
         .to_utilization_after = utilization(after[shift.to]),
         .room_after = shift.value});

    plan_.room_after = shift.value;

    // Where the plan has freed cores nothing is moved to: until the move is done, they are still busy.
    gave_.insert(shift.from);
    if (resident.app->preprocess > Duration::zero() && NodeOf(shift.from) != NodeOf(shift.to))
      freed_.insert(NodeOf(shift.from));
    took_.insert(shift.to);

    occupancy_ = std::move(after);
    return true;
  }

  const ClusterView& view_;
  const Policy& policy_;
  PredictionCache& cache_;
  Occupancy occupancy_; ///< after the moves of the plan
  std::set<size_t> gave_, took_;
  std::set<NodeId> freed_; ///< whose cores have less to pre-process than before
  RebalancePlan plan_;
};

} // namespace

RebalancePlan PlanRebalance(const ClusterView& view, const Policy& policy, int max_moves, PredictionCache& cache) {
  AVOCET_CHECK(max_moves >= 0 && max_moves <= kMaxRebalanceMoves);
  if (RulesOf(policy.placement) != Rules::kOurs) return {.view_version = view.version, .moves = {}};
  return Rebalancing(view, policy, cache).Run(max_moves);
}

} // namespace avocet
