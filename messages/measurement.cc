#include "messages/measurement.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "messages/check.h"

namespace avocet {
namespace {

Status CheckAppWindow(const AppWindow& window) {
  return Check("application", window.app.str())
      .Name("app", window.app.str())
      .Model("model", window.model)
      .Part(CheckMoments("interarrival", window.interarrival))
      .Part(CheckMoments("service", window.service))
      .Part(CheckMoments("switched_service", window.switched_service))
      .Part(CheckMoments("response", window.response))
      .status();
}

Status CheckEstimate(std::string_view name, const Estimate& estimate) {
  return Check("estimate", name)
      .Amount("mean", estimate.mean)
      .Amount("scv", estimate.scv)
      .Amount("weight", estimate.weight)
      .status();
}

Status CheckAppFit(const AppFit& fit) {
  return Check("application", fit.app.str()).Name("app", fit.app.str()).Part(CheckEstimate("rate", fit.rate)).status();
}

Status CheckModelFit(const ModelFit& fit) {
  return Check("model", fit.model.str())
      .Model("model", fit.model)
      .Part(CheckEstimate("service", fit.service))
      .Part(CheckEstimate("switched_service", fit.switched_service))
      .status();
}

/// Whether an id occurs twice.
template <class List, class IdOf> bool HasTwice(const List& list, const IdOf& id_of) {
  std::set<std::string_view> seen;
  return !std::all_of(list.begin(), list.end(), [&](const auto& e) { return seen.insert(id_of(e).str()).second; });
}

constexpr auto kAppOf = [](const auto& element) -> const AppId& { return element.app; };
constexpr auto kModelOf = [](const auto& element) -> const ModelId& { return element.model; };

} // namespace

void Moments::Add(double seconds) {
  ++count;
  sum += seconds;
  sum2 += seconds * seconds;
}

void Moments::Merge(const Moments& other) {
  count += other.count;
  sum += other.sum;
  sum2 += other.sum2;
}

double Moments::mean() const {
  return count == 0 ? 0 : sum / static_cast<double>(count);
}

double Moments::variance() const {
  if (count == 0) return 0;
  const double m = mean();
  return std::max(0.0, sum2 / static_cast<double>(count) - m * m);
}

double Moments::scv() const {
  const double m = mean();
  return m == 0 ? 0 : variance() / (m * m);
}

Status CheckMoments(std::string_view name, const Moments& moments) {
  const bool is_empty = moments.sum == 0 && moments.sum2 == 0;
  return Check("moments", name)
      .Amount("sum", moments.sum)
      .Amount("sum2", moments.sum2)
      .That(moments.count > 0 || is_empty, "count", moments.count, "> 0 where the sums are")
      .status();
}

Status Validate(const MeasurementWindow& window) {
  return Check("window of device", window.device.str())
      .Device("device", window.device)
      .Name("boot", window.boot.str())
      .That(window.sequence >= 1, "sequence", window.sequence, ">= 1")
      .That(window.length > Duration::zero(), "length", window.length, "> 0")
      .That(window.busy >= Duration::zero() && window.busy <= window.length, "busy", window.busy,
            ">= 0 and at most length")
      .Length("apps", window.apps.size(), kMaxAppsPerDevice)
      .Each(window.apps, CheckAppWindow)
      .Is(!HasTwice(window.apps, kAppOf), "apps", "a list with an application twice", "distinct applications")
      .status();
}

Status Validate(const DeviceFit& fit) {
  const bool is_new = fit.boot.empty() && fit.covered_sequence == 0;
  return Check("fit of device", fit.device.str())
      .Device("device", fit.device)
      .That(is_new || IsName(fit.boot.str()), "boot", fit.boot, "a name, or empty while covered_sequence is 0")
      .Length("apps", fit.apps.size(), kMaxAppsPerDevice)
      .Each(fit.apps, CheckAppFit)
      .Is(!HasTwice(fit.apps, kAppOf), "apps", "a list with an application twice", "distinct applications")
      .Length("models", fit.models.size(), kMaxAppsPerDevice)
      .Each(fit.models, CheckModelFit)
      .Is(!HasTwice(fit.models, kModelOf), "models", "a list with a model twice", "distinct models")
      .status();
}

} // namespace avocet
