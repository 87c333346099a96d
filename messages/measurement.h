#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "messages/ids.h"
#include "messages/latency_sketch.h"
#include "messages/status.h"
#include "messages/units.h"

namespace avocet {

/// Applications (and models) that one window, fit or verdict of a device may list.
inline constexpr size_t kMaxAppsPerDevice = 4096;

/// Count and raw power sums of a sample, in seconds. Addition merges samples exactly.
struct Moments {
  uint64_t count = 0;
  double sum = 0;
  double sum2 = 0;

  void Add(double seconds);
  void Merge(const Moments& other);
  double mean() const;     ///< 0 for an empty sample
  double variance() const; ///< population variance, never negative
  double scv() const;      ///< variance / mean^2; 0 where undefined
  friend bool operator==(const Moments&, const Moments&) = default;
};

/// What one application did on one device during a window. Meters are keyed by application.
struct AppWindow {
  AppId app;
  ModelId model;
  uint64_t arrivals = 0;         ///< accepted into the queue
  uint64_t completions = 0;      ///< answered with success
  uint64_t failures = 0;         ///< accepted, answered with an error
  uint64_t refusals = 0;         ///< never accepted (queue full, deadline passed, draining)
  uint64_t expired = 0;          ///< of failures and refusals: those whose deadline had passed
  Moments interarrival;          ///< between accepted arrivals
  Moments service;               ///< attained service of requests that needed no switch
  Moments switched_service;      ///< attained service, switch included, of requests after another model's
  Moments response;              ///< received -> answered, successes only
  LatencySketch response_sketch; ///< of `response`
  friend bool operator==(const AppWindow&, const AppWindow&) = default;
};

/// One closed window of one device. (boot, sequence) orders and de-duplicates windows of a device.
struct MeasurementWindow {
  DeviceId device;
  BootId boot;
  uint64_t sequence = 0; ///< from 1, without gaps within a boot
  Duration length{};     ///< > 0
  Duration busy{};       ///< time with at least one request in service, <= length
  std::vector<AppWindow> apps;
  friend bool operator==(const MeasurementWindow&, const MeasurementWindow&) = default;
};

/// Finite sums >= 0, and none of nothing.
Status CheckMoments(std::string_view name, const Moments& moments);

/// Ids, sequence and lengths as above, finite moments, no application twice.
Status Validate(const MeasurementWindow& window);

/// Estimate of a mean with what it rests on. Persisted inside DeviceFit.
struct Estimate {
  double mean = 0;
  double scv = 0;
  double weight = 0; ///< effective number of observations behind it
  friend bool operator==(const Estimate&, const Estimate&) = default;
};

struct AppFit {
  AppId app;
  Estimate rate; ///< rps; scv is that of the inter-arrival time; weight in arrivals
  friend bool operator==(const AppFit&, const AppFit&) = default;
};

struct ModelFit {
  ModelId model;
  Estimate service;          ///< seconds, without switch
  Estimate switched_service; ///< seconds, switch included
  friend bool operator==(const ModelFit&, const ModelFit&) = default;
};

/// A device's fitted parameters: what DeviceActor persists, and up to which window they reach.
struct DeviceFit {
  DeviceId device;
  BootId boot; ///< of the last covered window; empty while there is none
  uint64_t covered_sequence = 0;
  std::vector<AppFit> apps;
  std::vector<ModelFit> models;
  friend bool operator==(const DeviceFit&, const DeviceFit&) = default;
};

/// Ids, finite estimates >= 0, no application or model twice.
Status Validate(const DeviceFit& fit);

} // namespace avocet
