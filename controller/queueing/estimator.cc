#include "controller/queueing/estimator.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <set>
#include <utility>

#include "controller/queueing/service_time.h"
#include "messages/check.h"

namespace avocet {
namespace {

/// Weights below this are forgotten, so that idle applications do not fade into denormal numbers.
constexpr double kLeastWeight = 1e-9;
/// An estimate that rests on this many times the observations is news.
constexpr double kSurer = 2;

template <class List, class IdOf, class Id> auto* FindIn(List& list, const IdOf& id_of, const Id& id) {
  const auto it = std::find_if(list.begin(), list.end(), [&](const auto& e) { return id_of(e) == id; });
  return it == list.end() ? nullptr : &*it;
}

AppFit* FindApp(DeviceFit& fit, const AppId& app) {
  return FindIn(
      fit.apps, [](const AppFit& a) -> const AppId& { return a.app; }, app);
}

ModelFit* FindModel(DeviceFit& fit, const ModelId& model) {
  return FindIn(
      fit.models, [](const ModelFit& m) -> const ModelId& { return m.model; }, model);
}

ModelFit& ModelOf(DeviceFit& fit, const ModelId& model) {
  if (ModelFit* known = FindModel(fit, model)) return *known;
  return fit.models.emplace_back(ModelFit{model, {}, {}});
}

/// Finite for any quotient of sums, as sums may be so small that their squares are 0. Not a number becomes 0.
double ScvOf(double mean_of_squares_over_square_of_mean) {
  constexpr double kMost = 1e18;
  const double scv = mean_of_squares_over_square_of_mean - 1;
  return scv > 0 ? std::min(scv, kMost) : 0;
}

/// The estimate after a window's sample, old observations counting `retained` of what they did.
Estimate Blend(const Estimate& old, const Moments& sample, double retained) {
  if (sample.count == 0) return old;
  const double before = old.weight * retained, weight = before + static_cast<double>(sample.count);
  const double mean = (before * old.mean + sample.sum) / weight;
  const double second = (before * old.mean * old.mean * (1 + old.scv) + sample.sum2) / weight;
  return {mean, mean > 0 ? ScvOf(second / (mean * mean)) : 0, weight};
}

double ScvOfGaps(double count, double sum, double sum2) {
  return count <= 0 || sum <= 0 ? 0 : ScvOf(sum2 * count / (sum * sum));
}

/// Puts what `is_listed` last, otherwise in the order it was, and drops the first beyond the bound. True when it did.
template <class List, class IsListed> bool KeepLastListed(List& list, const IsListed& is_listed) {
  std::stable_partition(list.begin(), list.end(), [&](const auto& element) { return !is_listed(element); });
  if (list.size() <= kMaxAppsPerDevice) return false;
  list.erase(list.begin(), list.end() - static_cast<std::ptrdiff_t>(kMaxAppsPerDevice));
  return true;
}

/// Whether two estimates differ by more than `least` and more than chance would explain, or the later one rests on so
/// much more that its bounds are far nearer: what was announced first rests on the few requests of one window.
bool Moved(const Estimate& from, const Estimate& to, double least, double scv) {
  if (from.mean == 0 || to.mean == 0) return from.mean != to.mean;
  if (to.weight >= kSurer * from.weight) return true;
  const double noise = std::sqrt(scv / std::max(std::min(from.weight, to.weight), 1.0));
  return std::abs(to.mean / from.mean - 1) > least + noise;
}

bool AppsMoved(DeviceFit& from, const DeviceFit& to, double least) {
  if (from.apps.size() != to.apps.size()) return true;
  return std::any_of(to.apps.begin(), to.apps.end(), [&](const AppFit& app) {
    const AppFit* old = FindApp(from, app.app);
    return old == nullptr || Moved(old->rate, app.rate, least, 1);
  });
}

bool ModelsMoved(DeviceFit& from, const DeviceFit& to, double least) {
  return std::any_of(to.models.begin(), to.models.end(), [&](const ModelFit& model) {
    const ModelFit* old = FindModel(from, model.model);
    return old == nullptr || Moved(old->service, model.service, least, model.service.scv) ||
           Moved(old->switched_service, model.switched_service, least, model.switched_service.scv);
  });
}

} // namespace

Status Validate(const EstimatorOptions& options) {
  return Check("options", std::string_view("estimator"))
      .That(std::isfinite(options.half_life_windows) && options.half_life_windows > 0, "half_life_windows",
            options.half_life_windows, "finite and > 0")
      .That(options.significant_change > 0 && options.significant_change < 1, "significant_change",
            options.significant_change, "> 0 and < 1")
      .status();
}

DeviceEstimator::DeviceEstimator(DeviceId device, EstimatorOptions options) : options_(options) {
  fit_.device = std::move(device);
  announced_ = fit_;
}

DeviceEstimator::DeviceEstimator(DeviceFit fit, EstimatorOptions options)
    : fit_(std::move(fit)), announced_(fit_), options_(options) {
  for (const auto& app : fit_.apps) {
    const auto& rate = app.rate;
    if (rate.mean <= 0) continue;
    const double gap = 1 / rate.mean;
    arrivals_[app.app] = {rate.weight, rate.weight * gap, rate.weight, rate.weight * gap,
                          rate.weight * gap * gap * (1 + rate.scv)};
  }
}

double DeviceEstimator::Retained() const {
  return std::exp2(-1 / options_.half_life_windows);
}

bool DeviceEstimator::Observe(const MeasurementWindow& window) {
  if (window.device != fit_.device) return false;
  if (window.boot == fit_.boot && window.sequence <= fit_.covered_sequence) return false;
  fit_.boot = window.boot;
  fit_.covered_sequence = window.sequence;
  TakeArrivals(window);
  TakeServices(window);
  ForgetLongUnseen(window);
  return true;
}

void DeviceEstimator::ForgetLongUnseen(const MeasurementWindow& window) {
  std::set<AppId> apps;
  std::set<ModelId> models;
  for (const auto& app : window.apps) {
    apps.insert(app.app);
    models.insert(app.model);
  }

  KeepLastListed(fit_.models, [&](const ModelFit& fit) { return models.contains(fit.model); });
  if (!KeepLastListed(fit_.apps, [&](const AppFit& fit) { return apps.contains(fit.app); })) return;

  // Arrivals follow the fit: they would otherwise grow with every name that was ever seen.
  std::set<AppId> kept;
  for (const auto& app : fit_.apps)
    kept.insert(app.app);
  std::erase_if(arrivals_, [&](const auto& entry) { return !kept.contains(entry.first); });
}

void DeviceEstimator::TakeArrivals(const MeasurementWindow& window) {
  // Applications seen for the first time get an entry, so that the loop below covers all.
  for (const auto& app : window.apps) {
    if (FindApp(fit_, app.app) == nullptr) fit_.apps.push_back({app.app, {}});
  }

  // Every application fades, also one without an arrival in this window: silence is evidence, too.
  const double retained = Retained();
  for (auto& app : fit_.apps) {
    auto& a = arrivals_[app.app];
    for (double* sum : {&a.count, &a.seconds, &a.gaps, &a.gap_sum, &a.gap_sum2})
      *sum *= retained;
    a.seconds += ToSeconds(window.length);

    // Only the window's own applications add to the sums.
    if (const auto* seen = FindIn(
            window.apps, [](const AppWindow& w) -> const AppId& { return w.app; }, app.app)) {
      a.count += static_cast<double>(seen->arrivals);
      a.gaps += static_cast<double>(seen->interarrival.count);
      a.gap_sum += seen->interarrival.sum;
      a.gap_sum2 += seen->interarrival.sum2;
    }
    // All of it: sums that fade on become denormal, and their quotient is not a number.
    if (a.count < kLeastWeight) a.count = a.gaps = a.gap_sum = a.gap_sum2 = 0;
    app.rate = {a.count / a.seconds, ScvOfGaps(a.gaps, a.gap_sum, a.gap_sum2), a.count};
  }
}

void DeviceEstimator::TakeServices(const MeasurementWindow& window) {
  struct Samples {
    Moments service;
    Moments switched;
  };
  std::map<ModelId, Samples> samples; // applications that share a model speak for it together

  for (const auto& app : window.apps) {
    samples[app.model].service.Merge(app.service);
    samples[app.model].switched.Merge(app.switched_service);
  }

  const double retained = Retained();
  for (const auto& [model, sample] : samples) {
    // A model without a request keeps its fit: it was not seen, which says nothing about its speed.
    if (sample.service.count + sample.switched.count == 0) continue;
    auto& fit = ModelOf(fit_, model);
    fit.service = Blend(fit.service, sample.service, retained);
    fit.switched_service = Blend(fit.switched_service, sample.switched, retained);
  }
}

bool DeviceEstimator::TakeSignificantChange() {
  const double least = options_.significant_change;
  if (!AppsMoved(announced_, fit_, least) && !ModelsMoved(announced_, fit_, least)) return false;
  announced_ = fit_;
  return true;
}

void DeviceEstimator::Forget(const AppId& app) {
  std::erase_if(fit_.apps, [&](const AppFit& a) { return a.app == app; });
  arrivals_.erase(app);
}

double UpperRateBound(const Estimate& rate) {
  if (rate.weight <= 0) return rate.mean;
  const double n = rate.weight + 1;
  const double root = 1 - 1 / (9 * n) + kZ95 / (3 * std::sqrt(n));
  return rate.mean * n * root * root * root / rate.weight;
}

} // namespace avocet
