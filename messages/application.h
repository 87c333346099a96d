#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "messages/device.h"
#include "messages/ids.h"
#include "messages/status.h"
#include "messages/units.h"

namespace avocet {

enum class Statistic { kMean = 1, kP50 = 2, kP95 = 3, kP99 = 4 };
std::string_view ToString(Statistic statistic); ///< "mean", "p50", "p95", "p99"
std::optional<Statistic> ParseStatistic(std::string_view text);

/// `statistic` of the response time must not exceed `latency`.
struct Objective {
  Statistic statistic = Statistic::kP95;
  Duration latency{};
  friend bool operator==(const Objective&, const Objective&) = default;
};

enum class ArrivalKind { kPoisson = 1, kPeriodic = 2, kScv = 3 };

/// How requests arrive: Poisson, evenly spaced, or with a given SCV of the inter-arrival time.
struct Arrival {
  ArrivalKind kind = ArrivalKind::kPoisson;
  double scv = 1.0; ///< 1 for kPoisson, 0 for kPeriodic, otherwise in [0, 100]
  friend bool operator==(const Arrival&, const Arrival&) = default;
};
std::string ToString(const Arrival& arrival); ///< "poisson", "periodic", "scv:0.5"
std::optional<Arrival> ParseArrival(std::string_view text);

/// Which rate admission reckons with.
enum class RateSource {
  kDeclaredOrMeasured = 1, ///< max(declared, upper confidence bound of the measured rate)
  kMeasured = 2,           ///< the measured rate alone, once there is one
};
std::string_view ToString(RateSource source); ///< "declared_or_measured", "measured"
std::optional<RateSource> ParseRateSource(std::string_view text);

inline constexpr double kMaxRateRps = 1e6;
inline constexpr double kMaxArrivalScv = 100;
inline constexpr Duration kMaxLatency = std::chrono::hours(1);

/// A tenant's use of a model. Ranges are those that Validate enforces.
struct Application {
  AppId name;
  std::string model; ///< "name" or "name:version"; without a version: the highest imported
  std::string tenant = "default";
  int priority = 50;   ///< 0..100, higher survives longer
  double rate_rps = 0; ///< (0, 1e6]
  RateSource rate_source = RateSource::kDeclaredOrMeasured;
  Arrival arrival;
  Objective objective;                  ///< latency in (0, 1 h]
  Duration network_allowance{};         ///< >= 0 and < objective.latency; subtracted from the objective
  Duration preprocess{};                ///< 0 to 1 h, CPU time per request on the node's cores
  std::vector<DeviceKind> device_kinds; ///< allowed kinds, none twice; empty: any
  friend bool operator==(const Application&, const Application&) = default;
};

/// The first violated rule, naming the field, what it is and what would be right.
Status Validate(const Application& app);

} // namespace avocet
