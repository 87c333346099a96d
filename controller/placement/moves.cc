#include "controller/placement/moves.h"

#include <algorithm>

#include "controller/placement/filters.h"
#include "controller/placement/fits.h"
#include "controller/placement/ranking.h"

namespace avocet {
namespace {

/// The devices whose residents may leave: those that are nearest to taking the newcomer.
constexpr size_t kMaxSources = 16;
/// Sets of residents that one search checks: the first over the number of devices, at most the second.
constexpr size_t kMaxSetChecks = 65'536;
constexpr size_t kMaxSetsPerSearch = 8'192;
/// Relocations whose targets are sought, and those that are tried: for the newcomer, for one that moves for it.
constexpr size_t kMaxPriced = 64;
constexpr size_t kMaxTried = 16;
constexpr size_t kMaxTriedInside = 4;
/// The devices compared as targets of one resident: the least utilized that take it.
constexpr size_t kMaxTargets = 16;
/// The headroom that one more move must save.
constexpr double kMovePrice = 0.05;

using Devices = std::vector<size_t>;

bool Contains(const Devices& devices, size_t device) {
  return std::find(devices.begin(), devices.end(), device) != devices.end();
}

/// Residents of a device after whose departure an application would fit.
struct Relocation {
  size_t from = 0;
  std::vector<size_t> tenants; ///< the last first, so that positions stay true while they go
  int moves = 0;               ///< at least: one for each, one more for each that fits nowhere yet
  double cost = 0;             ///< headroom lost
};

bool IsCheaper(const Relocation& a, const Relocation& b) {
  return a.cost + kMovePrice * a.moves < b.cost + kMovePrice * b.moves;
}

void KeepCheapest(std::vector<Relocation>& relocations, size_t most) {
  std::stable_sort(relocations.begin(), relocations.end(), IsCheaper);
  if (relocations.size() > most) relocations.resize(most);
}

bool IsMovable(const ClusterView& view, const AppId& app) {
  const auto it = view.placements.find(app);
  if (it == view.placements.end()) return false;
  return it->second.phase == PlacementPhase::kReady || it->second.phase == PlacementPhase::kStarting;
}

/// Filters that neither rate nor memory could change.
bool IsOpen(const Candidate& candidate) {
  const Policy& policy = candidate.question().policy;
  return std::all_of(Filters().begin(), Filters().end(), [&](const Filter& filter) {
    return filter.depends_on_rate || filter.kind == FilterKind::kMemory || !IsAsked(filter, policy) ||
           filter.passes(candidate);
  });
}

/// How much of all rates the device could take with the newcomer.
double Nearness(const Candidate& candidate) {
  const Assessment& after = candidate.assessed_after();
  return after.stable ? after.rate_factor : candidate.question().policy.max_utilization / after.utilization;
}

Tenancy Without(Tenancy tenancy, const std::vector<size_t>& tenants) {
  for (const size_t tenant : tenants)
    tenancy.Remove(tenant);
  return tenancy;
}

/// Makes room by moving residents of one device to where they cost least or where, by the same search, room is made
/// for them. Changes the plan step by step and rolls back steps that lead nowhere.
class MoveSearch {
public:
  explicit MoveSearch(const Question& question)
      : asked_(question), plan_{{}, question.occupancy, 0},
        sets_left_(std::min(kMaxSetChecks / std::max(question.occupancy.size(), size_t{1}), kMaxSetsPerSearch)) {}

  std::optional<MovePlan> Run() {
    const auto device = MakeRoom(asked_.newcomer, {}, asked_.policy.max_moves, kMaxTried);
    if (!device) return std::nullopt;
    plan_.device = *device;
    return std::move(plan_);
  }

private:
  /// Where the newcomer passes then. Nobody comes to or leaves the closed devices.
  std::optional<size_t> MakeRoom(const Newcomer& newcomer, const Devices& closed, int most, size_t tries) {
    for (const Relocation& relocation : CheapestRelocations(newcomer, closed, most, tries)) {
      const MovePlan before = plan_;
      if (Relocate(relocation, closed, most) && PassesSurely(Ask(newcomer), relocation.from)) return relocation.from;
      plan_ = before;
    }
    return std::nullopt;
  }

  bool Relocate(const Relocation& relocation, Devices closed, int most) {
    const size_t begin = plan_.moves.size();
    closed.push_back(relocation.from);
    auto staying = static_cast<int>(relocation.tenants.size());
    return std::all_of(relocation.tenants.begin(), relocation.tenants.end(), [&](size_t tenant) {
      const int left = most - static_cast<int>(plan_.moves.size() - begin) - staying--;
      return MoveAway(relocation.from, tenant, closed, left);
    });
  }

  /// With at most `most` moves of others before it.
  bool MoveAway(size_t from, size_t tenant, const Devices& closed, int most) {
    const Newcomer resident = AsNewcomer(asked_.view, plan_.occupancy[from], tenant);
    const auto target = CheapestTarget(resident, closed);
    if (target) return MakeMove(from, tenant, target->to);
    if (most < 1) return false;
    const auto room = MakeRoom(resident, closed, most, kMaxTriedInside);
    return room && MakeMove(from, tenant, *room);
  }

  Question Ask(const Newcomer& newcomer) const {
    return {asked_.view, asked_.policy, plan_.occupancy, asked_.cache, newcomer};
  }

  /// The cheapest ones with at most `most` moves, by the fast models.
  std::vector<Relocation> CheapestRelocations(const Newcomer& newcomer, const Devices& closed, int most, size_t tries) {
    std::vector<Source> sources = NearestSources(newcomer, closed);

    std::vector<Relocation> relocations;
    // By size, and not device by device: where the bound ends the search, all devices have had their small sets.
    for (int size = 1; size <= most; ++size) {
      for (Source& source : sources)
        EnlargeSets(source, relocations);
    }

    // Targets are expensive to find, so only the cheapest sets get theirs.
    KeepCheapest(relocations, kMaxPriced);
    for (Relocation& relocation : relocations)
      AddTargets(relocation, closed);

    // A resident without a target takes one more move, which may be one too many.
    std::erase_if(relocations, [&](const Relocation& relocation) { return relocation.moves > most; });
    KeepCheapest(relocations, tries);

    return relocations;
  }

  /// A device, and the sets of its residents that are not enough.
  struct Source {
    size_t device = 0;
    Demand demand; ///< the newcomer's
    std::vector<size_t> movable;
    std::vector<std::vector<size_t>> sets = {{}};
  };

  std::vector<Source> NearestSources(const Newcomer& newcomer, const Devices& closed) {
    const Question question = Ask(newcomer);

    std::vector<std::pair<double, Source>> sources;
    for (size_t d = 0; d < plan_.occupancy.size(); ++d) {
      const Candidate candidate(question, d);
      // What neither a lower rate nor more memory could change, no departure changes.
      if (Contains(closed, d) || !candidate.demand() || !IsOpen(candidate)) continue;
      sources.push_back({Nearness(candidate), {d, *candidate.demand(), MovableTenants(d)}});
    }

    std::stable_sort(sources.begin(), sources.end(), [](const auto& a, const auto& b) { return a.first > b.first; });
    std::vector<Source> nearest;
    for (size_t i = 0; i < std::min(sources.size(), kMaxSources); ++i)
      nearest.push_back(std::move(sources[i].second));
    return nearest;
  }

  /// The last first.
  std::vector<size_t> MovableTenants(size_t device) const {
    const auto& tenants = plan_.occupancy[device].tenants;
    std::vector<size_t> movable;
    for (size_t i = tenants.size(); i-- > 0;) {
      const AppId& app = tenants[i].app->name;
      const bool moved =
          std::any_of(plan_.moves.begin(), plan_.moves.end(), [&](const Move& m) { return m.app == app; });
      if (!moved && IsMovable(asked_.view, app)) movable.push_back(i);
    }
    return movable;
  }

  /// Checks the sets with one resident more; those that are enough become relocations.
  void EnlargeSets(Source& source, std::vector<Relocation>& relocations) {
    const Tenancy& tenancy = plan_.occupancy[source.device];

    std::vector<std::vector<size_t>> larger;
    for (const auto& set : source.sets) {
      for (const size_t tenant : source.movable) {
        // Sets are built in falling order, so that each is seen once.
        if (!set.empty() && tenant >= set.back()) continue;
        // The bound is on sets, not on time: the same question finds the same plan on any machine.
        if (sets_left_ == 0) return;
        sets_left_ -= 1;

        auto tenants = set;
        tenants.push_back(tenant);

        // A set that is enough is not enlarged: a larger one moves more for the same place.
        Tenancy after = Without(tenancy, tenants);
        if (!Fits(after, asked_.policy, asked_.cache).With(source.demand)) {
          larger.push_back(std::move(tenants));
          continue;
        }

        // The cost is the headroom that the device loses by the exchange.
        after.Add(source.demand);
        const double cost = PlacementCost(tenancy, after, asked_.policy, asked_.cache);
        const auto moves = static_cast<int>(tenants.size());
        relocations.push_back({source.device, std::move(tenants), moves, cost});
      }
    }

    source.sets = std::move(larger);
  }

  void AddTargets(Relocation& relocation, Devices closed) {
    closed.push_back(relocation.from);
    for (const size_t tenant : relocation.tenants) {
      const auto target = CheapestTarget(AsNewcomer(asked_.view, plan_.occupancy[relocation.from], tenant), closed);
      relocation.cost += target ? target->cost : 0;
      relocation.moves += target ? 0 : 1;
    }
  }

  struct Target {
    size_t to = 0;
    double cost = 0;
  };

  /// The device that loses least by taking the resident.
  std::optional<Target> CheapestTarget(const Newcomer& resident, const Devices& closed) {
    std::optional<Target> best;
    size_t compared = 0;
    for (const size_t to : LeastUtilized(closed)) {
      const Tenancy& target = plan_.occupancy[to];
      const auto demand = plan_.occupancy.DemandOn(to, resident);

      if (!demand || !Fits(target, asked_.policy, asked_.cache).With(*demand)) continue;
      const double cost = PlacementCost(target, *demand, asked_.policy, asked_.cache);
      if (!best || cost < best->cost) best = {to, cost};
      // Counted here, where it fits: devices that are too full cost little and do not use up the bound.
      if (++compared == kMaxTargets) break;
    }
    return best;
  }

  /// The open devices.
  Devices LeastUtilized(const Devices& closed) {
    std::vector<std::pair<double, size_t>> open;
    for (size_t d = 0; d < plan_.occupancy.size(); ++d) {
      const Tenancy& tenancy = plan_.occupancy[d];
      if (Contains(closed, d) || tenancy.device->health != DeviceHealth::kHealthy) continue;
      // Utilization as a stand-in for the cost, which is computed only for the first that fit.
      open.emplace_back(AssessmentOf(tenancy, asked_.cache)->utilization, d);
    }

    std::sort(open.begin(), open.end());
    Devices devices;
    for (const auto& [utilization, device] : open)
      devices.push_back(device);
    return devices;
  }

  /// Moves the resident in the plan if every filter lets it. Its old copy serves until the new one does, so
  /// nowhere are both counted but in memory, which each device has for itself.
  bool MakeMove(size_t from, size_t tenant, size_t to) {
    const Newcomer resident = AsNewcomer(asked_.view, plan_.occupancy[from], tenant);
    const Occupancy before = plan_.occupancy;
    plan_.occupancy.Remove(from, tenant);
    if (!PassesSurely(Ask(resident), to)) {
      plan_.occupancy = before;
      return false;
    }
    const Tenancy& target = plan_.occupancy[to];
    plan_.moves.push_back({resident.app->name, plan_.occupancy[from].device->spec.id(), target.device->spec.id()});
    plan_.occupancy.Add(to, *plan_.occupancy.DemandOn(to, resident));
    return true;
  }

  const Question& asked_;
  MovePlan plan_;
  size_t sets_left_;
};

} // namespace

Newcomer AsNewcomer(const ClusterView& view, const Tenancy& tenancy, size_t tenant) {
  return {tenancy.tenants[tenant].app, view.FindModel(tenancy.load.apps[tenant].model.str()),
          tenancy.load.apps[tenant].rate_rps};
}

bool PassesSurely(const Question& question, size_t device) {
  Candidate candidate(question, device);
  const auto passes = [&] {
    return std::all_of(Filters().begin(), Filters().end(), [&](const Filter& filter) {
      return !IsAsked(filter, question.policy) || filter.passes(candidate);
    });
  };
  if (!candidate.IsUnsure()) return passes();
  candidate.Simulate();
  return passes();
}

std::optional<MovePlan> FindMoves(const Question& question) {
  return MoveSearch(question).Run();
}

} // namespace avocet
