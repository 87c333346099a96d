#include "controller/service_classes.h"

#include <algorithm>
#include <cmath>
#include <map>

namespace avocet {
namespace {

/// Below this SCV the gamma transform equals the constant's to within rounding.
constexpr double kConstantScv = 1e-9;

} // namespace

RawMoments& RawMoments::operator+=(const RawMoments& other) {
  first += other.first;
  second += other.second;
  third += other.third;
  return *this;
}

RawMoments operator*(double weight, const RawMoments& m) {
  return {weight * m.first, weight * m.second, weight * m.third};
}

RawMoments MomentsOf(const ServiceTime& service, double plus_s) {
  const double s = service.mean_s, o = plus_s;
  const double second = s * s * (1 + service.scv);
  const double third = s * second * (1 + 2 * service.scv);
  return {s + o, second + o * (2 * s + o), third + o * (3 * second + o * (3 * s + o))};
}

double Transform(const ServiceTime& service, double x) {
  const double z = x * service.mean_s;
  return std::exp(service.scv < kConstantScv ? -z : -std::log1p(z * service.scv) / service.scv);
}

std::complex<double> Transform(const ServiceTime& service, std::complex<double> x) {
  const std::complex<double> z = x * service.mean_s;
  if (service.scv < kConstantScv) return std::exp(-z);
  return std::exp(-std::log(1.0 + z * service.scv) / service.scv);
}

std::vector<ServiceClass> ClassesOf(const DeviceLoad& load) {
  std::map<ModelId, ServiceClass> by_model;
  for (size_t i = 0; i < load.apps.size(); ++i) {
    auto& one = by_model[load.apps[i].model];
    one.members.push_back(i);
    one.rate_rps += load.apps[i].rate_rps;
  }
  std::vector<ServiceClass> classes;
  for (auto& [model, one] : by_model) {
    for (const size_t i : one.members) {
      one.service += load.apps[i].rate_rps / one.rate_rps * MomentsOf(load.apps[i].service);
    }
    classes.push_back(std::move(one));
  }
  return classes;
}

std::vector<size_t> ClassOfApp(const std::vector<ServiceClass>& classes, size_t apps) {
  std::vector<size_t> position(apps);
  for (size_t k = 0; k < classes.size(); ++k) {
    for (const size_t i : classes[k].members)
      position[i] = k;
  }
  return position;
}

double BurstinessShare(const DeviceLoad& load) {
  double extra = 0, base = 0;
  for (const auto& app : load.apps) {
    const double s = app.service.mean_s;
    extra += app.rate_rps * std::max(app.arrival_scv - 1, 0.0) * s * s;
    base += app.rate_rps * MomentsOf(app.service).second;
  }
  return base > 0 ? extra / base : 0;
}

} // namespace avocet
