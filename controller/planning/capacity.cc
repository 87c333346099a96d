#include "controller/planning/capacity.h"

#include <algorithm>

#include "controller/cluster/cluster_changes.h"
#include "controller/planning/offline_packing.h"

namespace avocet {
namespace {

/// Four digits at least, so that names are in order of number.
std::string Numbered(const std::string& name, int number) {
  const std::string digits = std::to_string(number);
  return name + "-" + std::string(4 - std::min<size_t>(4, digits.size()), '0') + digits;
}

ClusterView ClusterOf(const CapacityQuestion& question, const std::vector<int>& devices) {
  ClusterView view = question.catalogue;
  for (size_t i = 0; i < question.offers.size(); ++i) {
    for (int number = 0; number < devices[i]; ++number) {
      NodeInfo node = question.offers[i].node;
      node.id = NodeId(Numbered(question.offers[i].name, number));
      for (auto& device : node.devices)
        device.node = node.id;
      NodeArrived(view, node);
    }
  }
  return view;
}

struct Asked {
  std::vector<Application> apps;
  std::vector<size_t> demand; ///< by application
};

Asked AllOf(const CapacityQuestion& question) {
  Asked asked;
  for (size_t d = 0; d < question.demands.size(); ++d) {
    for (int number = 0; number < question.demands[d].count; ++number) {
      asked.apps.push_back(question.demands[d].app);
      asked.apps.back().name = AppId(Numbered(question.demands[d].app.name.str(), number));
      asked.demand.push_back(d);
    }
  }
  return asked;
}

class Search {
public:
  Search(const CapacityQuestion& question, const CapacityOptions& options) : question_(question), options_(options) {}

  Result<CapacityPurchase> Find() {
    AVOCET_RETURN_IF_ERROR(StartFromBound());
    while (best_.placement.missing > 0) {
      if (!AddOne()) return Refusal();
    }
    while (SaveOne()) {
    }
    best_.trials = trials_;
    return best_;
  }

private:
  Status StartFromBound() {
    std::vector<int> one(question_.offers.size(), 1);

    // One device of each type is enough to list the pools: the program itself chooses how many are bought.
    FluidProblem problem =
        FluidProblemOf(ClusterOf(question_, one), asked_.apps, asked_.apps.size(), question_.policy.memory_fraction);
    for (auto& pool : problem.pools) {
      const auto& offer = OfferOf(pool.type);
      pool.price = offer.price;
      pool.most = offer.most;
    }

    // The fluid bound shares devices without loss, so no cluster that is cheaper can host all.
    AVOCET_ASSIGN_OR_RETURN(const auto purchase, CheapestPools(problem, options_.solver));
    if (!purchase) return Refusal();
    best_.price_bound = purchase->price;

    // Pools and offers may be in different orders: the device type joins them.
    std::vector<int> devices(question_.offers.size(), 0);
    for (size_t p = 0; p < problem.pools.size(); ++p)
      devices[static_cast<size_t>(&OfferOf(problem.pools[p].type) - question_.offers.data())] = purchase->devices[p];

    best_ = Try(devices);
    return {};
  }

  const DeviceOffer& OfferOf(const std::string& type) const {
    return *std::find_if(question_.offers.begin(), question_.offers.end(),
                         [&](const DeviceOffer& offer) { return offer.node.devices.front().type == type; });
  }

  double PriceOf(const std::vector<int>& devices) const {
    double price = 0;
    for (size_t i = 0; i < devices.size(); ++i)
      price += devices[i] * question_.offers[i].price;
    return price;
  }

  CapacityPurchase Try(const std::vector<int>& devices) {
    ++trials_;
    CapacityPurchase purchase{.price = PriceOf(devices), .devices = devices, .price_bound = best_.price_bound};
    purchase.placement = PlaceOn(question_, devices, cache_);
    if (options_.progress) options_.progress(trials_, purchase.price);
    return purchase;
  }

  bool MayTry() const { return trials_ < options_.most_trials; }

  /// One more of what gains the most for its price; false: nothing gains.
  bool AddOne() {
    std::optional<CapacityPurchase> chosen;
    double chosen_gain = 0;

    // Greedy, by applications gained for the price: the bound is short only by what whole devices waste.
    for (size_t i = 0; i < question_.offers.size() && MayTry(); ++i) {
      auto devices = best_.devices;
      if (++devices[i] > question_.offers[i].most) continue;

      auto purchase = Try(devices);
      const int gained = best_.placement.missing - purchase.placement.missing;
      const double gain = gained / std::max(question_.offers[i].price, 1e-9);

      // On equal gain the first offer stays, so that the same question has the same answer.
      if (gained <= 0 || gain <= chosen_gain) continue;
      chosen = std::move(purchase);
      chosen_gain = gain;
    }

    if (chosen) best_ = std::move(*chosen);
    return chosen.has_value();
  }

  /// One device less, or another instead of it; the first that is cheaper and still hosts all.
  bool SaveOne() {
    const size_t n = question_.offers.size();

    // A device taken away, or exchanged for a cheaper one; the first success is enough, as the caller calls again.
    for (size_t less = 0; less < n; ++less) {
      for (size_t more = 0; more <= n; ++more) {     // n: none
        const size_t instead = (more + n) % (n + 1); // without any other first

        auto devices = best_.devices;
        if (--devices[less] < 0 || !MayTry()) continue;
        if (instead < n && ++devices[instead] > question_.offers[instead].most) continue;

        // The price is compared before the placement is tried, which is the expensive part.
        if (PriceOf(devices) >= best_.price) continue;

        auto purchase = Try(devices);
        if (purchase.placement.missing > 0) continue;
        best_ = std::move(purchase);
        return true;
      }
    }

    return false;
  }

  /// Why it does not work: the demand that has the fewest places.
  Status Refusal() {
    // Without a purchase to show, the largest cluster tells which demand is the one that fits nowhere.
    if (best_.devices.empty()) {
      std::vector<int> most;
      for (const auto& offer : question_.offers)
        most.push_back(std::min(offer.most, 10)); // enough to tell what fits nowhere
      best_ = Try(most);
    }

    // One demand is named, the one that misses most: the others often fit once it does.
    size_t worst = 0;
    for (size_t d = 0; d < question_.demands.size(); ++d) {
      const auto missing = [&](size_t i) { return question_.demands[i].count - best_.placement.hosted[i]; };
      if (missing(d) > missing(worst)) worst = d;
    }

    const auto& demand = question_.demands[worst];
    return Rejected(std::to_string(best_.placement.hosted[worst]) + " of " + std::to_string(demand.count) +
                    " applications '" + demand.app.name.str() +
                    "' have a place on the largest cluster tried; raise `most` of the devices, allow more latency, or "
                    "offer a device that runs model '" +
                    demand.app.model + "' faster");
  }

  const CapacityQuestion& question_;
  const CapacityOptions& options_;
  const Asked asked_ = AllOf(question_);
  CapacityPurchase best_;
  int trials_ = 0;
  PredictionCache cache_;
};

} // namespace

CapacityPlacement PlaceOn(const CapacityQuestion& question, const std::vector<int>& devices, PredictionCache& cache) {
  const Asked asked = AllOf(question);
  PlacementRun run(ClusterOf(question, devices));
  CapacityPlacement placement{.hosted = std::vector<int>(question.demands.size(), 0)};
  for (const size_t i : OfflineOrder(run.view(), asked.apps, asked.apps.size(), 0, 1)) {
    if (run.Take(Decide(run.view(), asked.apps[i], question.policy, cache)).device)
      ++placement.hosted[asked.demand[i]];
    else
      ++placement.missing;
  }
  placement.view = run.view();
  return placement;
}

int HowManyMore(ClusterView view, const Application& app, const Policy& policy, int most) {
  PlacementRun run(std::move(view));
  PredictionCache cache;
  for (int number = 0; number < most; ++number) {
    Application one = app;
    one.name = AppId(Numbered(app.name.str() + "-more", number));
    if (!run.Take(Decide(run.view(), one, policy, cache)).device) return number;
  }
  return most;
}

Result<CapacityPurchase> FindCheapest(const CapacityQuestion& question, const CapacityOptions& options) {
  return Search(question, options).Find();
}

} // namespace avocet
