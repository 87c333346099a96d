#include "controller/planning/offline_packing.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <random>

#include "controller/planning/placement_run.h"

namespace avocet {
namespace {

/// Standard deviation of the logarithm of the random factors: neighbours change places, ends do not.
constexpr double kChance = 0.4;

/// The largest utilization that an application may bring to a device.
double LoadOfApp(const ClusterView& view, const Application& app) {
  const Model* model = view.FindModel(app.model);
  double service_s = 0;
  for (const auto& [key, profile] : view.profiles) {
    if (model != nullptr && profile.model == model->id())
      service_s = std::max(service_s, ToSeconds(profile.service_mean));
  }
  return app.rate_rps * service_s;
}

enum class Key { kLoad, kModel, kObjective };

/// Smaller comes first.
std::vector<double> KeysOf(const ClusterView& view, const std::vector<Application>& apps, size_t count, Key key) {
  std::vector<double> loads, keys;
  std::map<std::string, double> of_model;
  // Loads by model first: a key needs the sum of its model.
  for (size_t i = 0; i < count; ++i) {
    loads.push_back(LoadOfApp(view, apps[i]));
    of_model[apps[i].model] += loads[i];
  }

  for (size_t i = 0; i < count; ++i) {
    const double objective = ToSeconds(apps[i].objective.latency);
    // A model's applications stay together: the load within a model counts a thousandth.
    keys.push_back(key == Key::kLoad    ? 1 / loads[i]
                   : key == Key::kModel ? 1 / (of_model[apps[i].model] + loads[i] / 1000)
                                        : objective);
  }

  return keys;
}

bool IsPacked(const ClusterView& view, const std::vector<Application>& apps, const std::vector<size_t>& order,
              const Policy& policy, PredictionCache& cache) {
  PlacementRun run(view);
  return std::all_of(order.begin(), order.end(),
                     [&](size_t i) { return run.Take(Decide(run.view(), apps[i], policy, cache)).device.has_value(); });
}

} // namespace

std::vector<size_t> OfflineOrder(const ClusterView& view, const std::vector<Application>& apps, size_t count,
                                 int number, uint64_t seed) {
  constexpr Key kKeys[] = {Key::kLoad, Key::kModel, Key::kObjective};
  const Key key = kKeys[number % 3];
  auto keys = KeysOf(view, apps, count, key);
  if (number >= 3) {
    std::mt19937_64 random(seed * 1000 + static_cast<uint64_t>(number));
    std::lognormal_distribution<> factor(0, kChance);
    std::map<std::string, double> of_model;
    for (size_t i = 0; i < count; ++i) {
      // One factor for a whole model, or it would not stay together.
      if (key == Key::kModel)
        keys[i] *= of_model.try_emplace(apps[i].model, factor(random)).first->second;
      else
        keys[i] *= factor(random);
    }
  }
  std::vector<size_t> order(count);
  for (size_t i = 0; i < count; ++i)
    order[i] = i;
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return keys[a] < keys[b]; });
  return order;
}

bool FitsOffline(const ClusterView& view, const std::vector<Application>& apps, size_t count, const Policy& policy,
                 const OfflineOptions& options, PredictionCache& cache) {
  for (int number = 0; number < options.orders; ++number) {
    if (IsPacked(view, apps, OfflineOrder(view, apps, count, number, options.seed), policy, cache)) return true;
  }
  return false;
}

size_t LargestOfflinePrefix(const ClusterView& view, const std::vector<Application>& apps, const Policy& policy,
                            const OfflineOptions& options, size_t at_least) {
  PredictionCache cache;
  size_t fits = at_least, fails = apps.size() + 1;
  for (size_t step = 1; fits + step < fails; step *= 2) {
    if (FitsOffline(view, apps, fits + step, policy, options, cache))
      fits += step;
    else
      fails = fits + step;
  }
  while (fails - fits > 1) {
    const size_t middle = fits + (fails - fits) / 2;
    (FitsOffline(view, apps, middle, policy, options, cache) ? fits : fails) = middle;
  }
  return fits;
}

} // namespace avocet
