#include "controller/queueing/service_time.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace avocet {
namespace {

/// Below this SCV the gamma transform equals the constant's to within rounding.
constexpr double kConstantScv = 1e-9;

} // namespace

ServiceTime ServiceMixture(std::vector<ServicePart> parts) {
  double total = 0;
  for (const auto& part : parts)
    total += part.probability;
  ServiceTime service{.parts = std::move(parts)};
  RawMoments moments;
  for (auto& part : service.parts) {
    part.probability /= total;
    moments += part.probability * MomentsOf(part);
  }
  service.mean_s = moments.first;
  service.scv = std::max(moments.second / (moments.first * moments.first) - 1, 0.0);
  return service;
}

RawMoments& RawMoments::operator+=(const RawMoments& other) {
  first += other.first;
  second += other.second;
  third += other.third;
  return *this;
}

RawMoments operator*(double weight, const RawMoments& m) {
  return {weight * m.first, weight * m.second, weight * m.third};
}

RawMoments MomentsOf(const ServicePart& part, double plus_s) {
  const double s = part.mean_s, o = plus_s;
  const double second = s * s * (1 + part.scv);
  const double third = s * second * (1 + 2 * part.scv);
  return {s + o, second + o * (2 * s + o), third + o * (3 * second + o * (3 * s + o))};
}

RawMoments MomentsOf(const ServiceTime& service, double plus_s) {
  RawMoments sum;
  for (const auto& part : ServiceParts(service))
    sum += part.probability * MomentsOf(part, plus_s);
  return sum;
}

double Transform(const ServicePart& part, double x) {
  const double z = x * part.mean_s;
  return std::exp(part.scv < kConstantScv ? -z : -std::log1p(z * part.scv) / part.scv);
}

std::complex<double> Transform(const ServicePart& part, std::complex<double> x) {
  const std::complex<double> z = x * part.mean_s;
  if (part.scv < kConstantScv) return std::exp(-z);
  return std::exp(-std::log(1.0 + z * part.scv) / part.scv);
}

double StandardError(const ServiceTime& service) {
  return service.observations > 0 ? service.mean_s * std::sqrt(service.scv / service.observations) : 0;
}

ServiceTime AtUpperEnd(const ServiceTime& service) {
  ServiceTime upper = service;
  const double factor = 1 + kZ95 * StandardError(service) / service.mean_s;
  upper.mean_s *= factor;
  for (auto& part : upper.parts)
    part.mean_s *= factor;
  upper.observations = 0;
  return upper;
}

} // namespace avocet
