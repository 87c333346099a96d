#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "messages/ids.h"
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

/// Log-bucketed latency histogram with a bounded relative error; mergeable; about 2 KiB.
/// Bucket k covers [kFirst * r^k, kFirst * r^(k+1)) with r = 2^(1/8): a quantile is off by at most 4.5 %.
/// Values below the first bucket count into it, values above the last into the last. A full bucket
/// (2^32 - 1) stays full.
class LatencyHistogram {
public:
  static constexpr int kBucketsPerOctave = 8;
  static constexpr int kBuckets = 28 * kBucketsPerOctave; ///< 1 us .. 268 s
  static constexpr double kFirstSeconds = 1e-6;

  void Add(Duration value);
  void Merge(const LatencyHistogram& other);
  uint64_t total() const;
  /// Geometric middle of the bucket that holds the p-quantile (the smallest value with at least a
  /// share p of the sample at or below it), p in [0, 1]; nullopt when empty.
  std::optional<Duration> Quantile(double p) const;
  const std::array<uint32_t, kBuckets>& counts() const { return counts_; }
  /// Adds `count` to one bucket; for codecs. False when the index is out of range.
  bool AddToBucket(int bucket, uint32_t count);
  friend bool operator==(const LatencyHistogram&, const LatencyHistogram&) = default;

private:
  std::array<uint32_t, kBuckets> counts_{};
};

/// What one application did on one device during a window. Meters are keyed by application.
struct AppWindow {
  AppId app;
  ModelId model;
  uint64_t arrivals = 0;    ///< accepted into the queue
  uint64_t completions = 0; ///< answered with success
  uint64_t failures = 0;    ///< accepted, answered with an error
  uint64_t refusals = 0;    ///< never accepted (queue full, deadline passed, draining)
  Moments interarrival;     ///< between accepted arrivals
  Moments service;          ///< attained service of requests that needed no switch
  Moments switched_service; ///< attained service, switch included, of requests after another model's
  Moments response;         ///< received -> answered, successes only
  LatencyHistogram response_histogram;
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
