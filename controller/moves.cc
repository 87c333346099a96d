#include "controller/moves.h"

#include <algorithm>
#include <limits>
#include <map>

#include "controller/filters.h"
#include "controller/fits.h"
#include "controller/ranking.h"

namespace avocet {
namespace {

/// Ways to make room that are looked at more closely, and those of them that are confirmed.
constexpr size_t kMaxWays = 64;
constexpr size_t kMaxConfirmed = 16;
/// Devices that are scanned for chains of moves, and the chains that are confirmed of each scan.
constexpr size_t kMaxScanned = 256;
constexpr size_t kMaxChains = 4;
constexpr size_t kNowhere = std::numeric_limits<size_t>::max();

/// Residents that leave a device.
struct Way {
  size_t from = 0;
  std::vector<size_t> tenants; ///< the last first, so that positions stay true while they go
  double cost = 0;
};

bool IsCheaper(const Way& a, const Way& b) {
  return a.cost < b.cost;
}

bool IsMovable(const ClusterView& view, const AppId& app) {
  const auto it = view.placements.find(app);
  if (it == view.placements.end()) return false;
  return it->second.phase == PlacementPhase::kReady || it->second.phase == PlacementPhase::kStarting;
}

/// Filters that neither rate nor memory could change.
bool IsOpen(const Question& question, const Candidate& candidate) {
  return std::all_of(Filters().begin(), Filters().end(), [&](const Filter& filter) {
    return filter.depends_on_rate || filter.name == "memory" || !IsAsked(filter, question.policy) ||
           filter.passes(candidate);
  });
}

class MoveSearch {
public:
  explicit MoveSearch(const Question& question)
      : asked_(question), plan_{{}, question.occupancy, 0}, question_{question.view, question.policy, plan_.occupancy,
                                                                      question.cache, question.newcomer} {}

  std::optional<MovePlan> Run() {
    const auto ways = WaysOut(asked_.newcomer, kNowhere);
    if (TryWays(WithTargets(ways, kNowhere))) return std::move(plan_);
    if (asked_.policy.max_moves < 2) return std::nullopt;
    for (const Way& way : ways) {
      if (TryChain(way)) return std::move(plan_);
    }
    for (const size_t device : LeastUtilized()) {
      if (Relieve(device)) return std::move(plan_);
      StartAgain();
    }
    return std::nullopt;
  }

private:
  void StartAgain() {
    plan_.occupancy = asked_.occupancy;
    plan_.moves.clear();
  }

  /// The cheapest way that is confirmed.
  bool TryWays(const std::vector<Way>& ways) {
    size_t tried = 0;
    for (const Way& way : ways) {
      if (++tried > kMaxConfirmed) return false;
      plan_.device = way.from;
      if (Make(way, kNowhere) && PassesSurely(question_, way.from)) return true;
      StartAgain();
    }
    return false;
  }

  /// The way's resident goes where another one goes first.
  bool TryChain(const Way& way) {
    if (way.tenants.size() > 1 || !HasScansLeft()) return false;
    const Newcomer resident = AsNewcomer(asked_.view, plan_.occupancy[way.from], way.tenants.front());
    size_t tried = 0;
    for (const Way& other : WithTargets(WaysOut(resident, way.from), way.from)) {
      if (other.tenants.size() + 1 > static_cast<size_t>(asked_.policy.max_moves)) continue;
      if (++tried > kMaxChains) return false;
      plan_.device = way.from;
      if (Make(other, way.from) && MakeMove({way.from, way.tenants.front(), other.from}) &&
          PassesSurely(question_, way.from))
        return true;
      StartAgain();
    }
    return false;
  }

  /// Every scan looks at all devices, so in large clusters there are few.
  bool HasScansLeft() {
    scanned_ += plan_.occupancy.size();
    return scanned_ <= kMaxScanned;
  }

  /// Moves one resident after the other off the device, each time the cheapest, until the newcomer passes.
  bool Relieve(size_t device) {
    plan_.device = device;
    for (int left = asked_.policy.max_moves; left > 0; --left) {
      const auto ways = WaysOff(device);
      if (std::none_of(ways.begin(), ways.end(), [&](const Way& way) { return Make(way, kNowhere); })) return false;
      if (PassesSurely(question_, device)) return true;
    }
    return false;
  }

  std::vector<size_t> OpenDevices(const Newcomer& newcomer) const {
    const Question question{asked_.view, asked_.policy, plan_.occupancy, asked_.cache, newcomer};
    std::vector<size_t> devices;
    for (size_t d = 0; d < plan_.occupancy.size(); ++d) {
      if (IsOpen(question, Candidate(question, d))) devices.push_back(d);
    }
    return devices;
  }

  std::vector<size_t> LeastUtilized() const {
    auto devices = OpenDevices(asked_.newcomer);
    const auto load = [&](size_t d) { return AssessmentOf(asked_.occupancy[d], asked_.cache)->utilization; };
    std::stable_sort(devices.begin(), devices.end(), [&](size_t a, size_t b) { return load(a) < load(b); });
    if (devices.size() > kMaxConfirmed) devices.resize(kMaxConfirmed);
    return devices;
  }

  /// Departures after which the newcomer would fit, the cheapest first, by the fast models: of one resident, or of
  /// all that share a loaded model, which frees its memory.
  std::vector<Way> WaysOut(const Newcomer& newcomer, size_t excluded) {
    std::vector<Way> ways;
    for (const size_t from : OpenDevices(newcomer)) {
      const Tenancy& tenancy = plan_.occupancy[from];
      const auto demand = DemandOf(asked_.view, *tenancy.device, newcomer, asked_.policy);
      if (!demand || from == excluded) continue;
      for (auto& tenants : Departures(tenancy)) {
        Tenancy without = Without(tenancy, tenants);
        if (!Fits(without, asked_.policy, asked_.cache).With(*demand)) continue;
        without.Add(*demand);
        ways.push_back({from, std::move(tenants), Cost(tenancy, without)});
      }
    }
    std::stable_sort(ways.begin(), ways.end(), IsCheaper);
    if (ways.size() > kMaxWays) ways.resize(kMaxWays);
    return ways;
  }

  /// The departure of any one resident, whether or not it is enough.
  std::vector<Way> WaysOff(size_t device) {
    std::vector<Way> ways;
    const Tenancy& tenancy = plan_.occupancy[device];
    for (size_t tenant = 0; tenant < tenancy.tenants.size(); ++tenant) {
      if (!IsMovable(asked_.view, tenancy.tenants[tenant].app->name)) continue;
      ways.push_back({device, {tenant}, Cost(tenancy, Without(tenancy, {tenant}))});
    }
    std::stable_sort(ways.begin(), ways.end(), IsCheaper);
    if (ways.size() > kMaxConfirmed) ways.resize(kMaxConfirmed);
    return WithTargets(std::move(ways), kNowhere);
  }

  std::vector<std::vector<size_t>> Departures(const Tenancy& tenancy) const {
    std::vector<std::vector<size_t>> departures;
    std::map<ModelId, std::vector<size_t>> groups;
    for (size_t i = tenancy.tenants.size(); i-- > 0;) {
      const bool movable = IsMovable(asked_.view, tenancy.tenants[i].app->name);
      if (movable) departures.push_back({i});
      groups[tenancy.load.apps[i].model].push_back(movable ? i : kNowhere);
    }
    for (auto& [model, group] : groups) {
      const bool any_stays = std::find(group.begin(), group.end(), kNowhere) != group.end();
      const bool few = group.size() > 1 && group.size() <= static_cast<size_t>(asked_.policy.max_moves);
      if (few && !any_stays) departures.push_back(std::move(group));
    }
    return departures;
  }

  static Tenancy Without(Tenancy tenancy, const std::vector<size_t>& tenants) {
    for (const size_t tenant : tenants)
      tenancy.Remove(tenant);
    return tenancy;
  }

  double Cost(const Tenancy& before, const Tenancy& after) const {
    return PlacementCost(before, after, asked_.policy, asked_.cache);
  }

  /// Those where everyone finds a place, none at `excluded`, the cheapest first, places included.
  std::vector<Way> WithTargets(std::vector<Way> ways, size_t excluded) {
    std::erase_if(ways, [&](Way& way) {
      for (const size_t tenant : way.tenants) {
        const Newcomer resident = AsNewcomer(asked_.view, plan_.occupancy[way.from], tenant);
        const auto [to, cost] = CheapestTarget(way.from, resident, excluded);
        if (to == kNowhere) return true;
        way.cost += cost;
      }
      return false;
    });
    std::stable_sort(ways.begin(), ways.end(), IsCheaper);
    return ways;
  }

  struct Target {
    size_t to = kNowhere;
    double cost = std::numeric_limits<double>::infinity();
  };

  /// The device that loses least by taking the resident.
  Target CheapestTarget(size_t from, const Newcomer& resident, size_t excluded) {
    Target best;
    for (size_t to = 0; to < plan_.occupancy.size(); ++to) {
      const Tenancy& target = plan_.occupancy[to];
      if (to == from || to == excluded || target.device->health != DeviceHealth::kHealthy) continue;
      const auto demand = DemandOf(asked_.view, *target.device, resident, asked_.policy);
      if (!demand || !Fits(target, asked_.policy, asked_.cache).With(*demand)) continue;
      const double cost = PlacementCost(target, *demand, asked_.policy, asked_.cache);
      if (cost < best.cost) best = {to, cost};
    }
    return best;
  }

  bool Make(const Way& way, size_t excluded) {
    return std::all_of(way.tenants.begin(), way.tenants.end(), [&](size_t tenant) {
      const Newcomer resident = AsNewcomer(asked_.view, plan_.occupancy[way.from], tenant);
      return MakeMove({way.from, tenant, CheapestTarget(way.from, resident, excluded).to});
    });
  }

  struct Step {
    size_t from = 0, tenant = 0, to = 0;
  };

  /// Moves the resident in the plan if every filter lets it. Its old copy serves until the new one does, so
  /// nowhere are both counted but in memory, which each device has for itself.
  bool MakeMove(const Step& step) {
    const auto& [from, tenant, to] = step;
    if (to == kNowhere) return false;
    const Newcomer resident = AsNewcomer(asked_.view, plan_.occupancy[from], tenant);
    const Occupancy before = plan_.occupancy;
    plan_.occupancy.Remove(from, tenant);
    const Question asked{asked_.view, asked_.policy, plan_.occupancy, asked_.cache, resident};
    if (!PassesSurely(asked, to)) {
      plan_.occupancy = before;
      return false;
    }
    const Tenancy& target = plan_.occupancy[to];
    plan_.moves.push_back({resident.app->name, plan_.occupancy[from].device->spec.id(), target.device->spec.id()});
    plan_.occupancy.Add(to, *DemandOf(asked_.view, *target.device, resident, asked_.policy));
    return true;
  }

  const Question& asked_;
  MovePlan plan_;
  Question question_;  ///< the same in the cluster of the plan
  size_t scanned_ = 0; ///< devices
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
