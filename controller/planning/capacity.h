#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "controller/placement/decide.h"
#include "controller/placement/prediction_cache.h"
#include "controller/planning/fluid_bound.h"
#include "controller/planning/placement_run.h"

namespace avocet {

/// A node with one device, as it can be had.
struct DeviceOffer {
  std::string name; ///< nodes are "<name>-0000"
  NodeInfo node;    ///< with the device; its names are set when it is used
  double price = 0; ///< of one, >= 0
  int most = 0;     ///< that can be had
};

/// Equal applications.
struct CapacityDemand {
  Application app; ///< each is named "<name>-0000"
  int count = 0;   ///< > 0
};

struct CapacityQuestion {
  ClusterView catalogue; ///< models and profiles
  std::vector<DeviceOffer> offers;
  std::vector<CapacityDemand> demands;
  Policy policy;
};

/// What Decide places on a cluster of so many devices of each offer: heavy applications first.
struct CapacityPlacement {
  std::vector<int> hosted; ///< by demand
  int missing = 0;         ///< applications without a place
  ClusterView view;
};
CapacityPlacement PlaceOn(const CapacityQuestion& question, const std::vector<int>& devices, PredictionCache& cache);

/// How many more like `app` fit, up to `most`.
int HowManyMore(ClusterView view, const Application& app, const Policy& policy, int most);

/// The cheapest cluster found that hosts all.
struct CapacityPurchase {
  double price = 0;
  std::vector<int> devices; ///< by offer
  CapacityPlacement placement;
  double price_bound = 0; ///< nothing cheaper exists, see FluidPurchase
  int trials = 0;         ///< clusters that were tried
};

struct CapacityOptions {
  LinearSolver solver; ///< required
  int most_trials = 500;
  std::function<void(int trials, double price)> progress; ///< after each trial
};

/// Starts from the fluid bound's purchase, adds where the most applications are gained for the price until all
/// have a place, then takes away and exchanges single devices while all still have one. Every cluster is tried with
/// Decide. kRejected: some application fits nowhere, or `most` of all devices (or the trials) do not suffice; says
/// which.
Result<CapacityPurchase> FindCheapest(const CapacityQuestion& question, const CapacityOptions& options);

} // namespace avocet
