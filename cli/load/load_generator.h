#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <random>
#include <string_view>
#include <vector>

#include "messages/application.h"
#include "messages/ids.h"
#include "messages/status.h"
#include "messages/units.h"

namespace avocet {

/// The traffic of one application.
struct LoadTarget {
  AppId app;
  double rate_rps = 0; ///< (0, kMaxRateRps]; not looked at in a trace or a closed loop
  Arrival arrival;
};

struct ScheduledRequest {
  Duration at{}; ///< since the start of the run
  size_t target = 0;
};

inline constexpr size_t kMaxLoadTargets = 64;
inline constexpr uint64_t kMaxLoadConcurrency = 1024;
inline constexpr double kMaxLoadRequests =
    20e6; ///< of one run, all targets together: at most 32 bytes of each are kept

/// How the moments at which requests are due come about.
enum class LoadMode {
  kOpenLoop,   ///< drawn from rates and arrival kinds; never depends on the answers
  kTrace,      ///< read from a file; never depends on the answers
  kClosedLoop, ///< each answer makes room for the next request: finds the ceiling, hides waiting
};
std::string_view ToString(LoadMode mode);

/// One run.
struct LoadPlan {
  std::vector<LoadTarget> targets;              ///< 1 .. kMaxLoadTargets, distinct
  Duration duration = std::chrono::seconds(10); ///< > 0
  Duration warm_up{}; ///< >= 0, < duration; requests due during the warm-up are sent, not measured
  uint64_t seed = 1;
  /// kTrace: in order of time, at >= 0, at least one; shared since it may be large. Null otherwise.
  std::shared_ptr<const std::vector<ScheduledRequest>> trace;
  uint64_t concurrency = 0; ///< kClosedLoop: requests that each target keeps in flight. 0 otherwise

  LoadMode mode() const;
};
Status Validate(const LoadPlan& plan);

/// Gaps between one application's arrivals: exponential for Poisson, constant (after a random phase)
/// for periodic, otherwise of the wanted SCV: Gamma below 1, hyperexponential with balanced means
/// above. A function of target and seed alone, so that adding an application changes no other's.
class ArrivalProcess {
public:
  ArrivalProcess(const LoadTarget& target, uint64_t seed);
  /// Seconds until the next arrival.
  double NextGap();

private:
  double Uniform(); ///< in (0, 1)
  double Exponential();
  double Hyperexponential();

  std::mt19937_64 random_;
  std::gamma_distribution<double> gamma_;
  double mean_;
  Arrival arrival_;
  bool first_ = true;
};

/// The requests of an open loop or a trace in order of time, drawn as they are asked for.
class LoadSchedule {
public:
  /// Requires Validate(plan).ok(). In a closed loop there is nothing to schedule.
  explicit LoadSchedule(const LoadPlan& plan);
  /// nullopt once the run's duration is over.
  std::optional<ScheduledRequest> Next();

private:
  struct Source {
    ArrivalProcess process;
    double next_s = 0;
  };
  std::optional<ScheduledRequest> Draw();
  std::optional<ScheduledRequest> Read();

  std::vector<Source> sources_; ///< empty for a trace
  std::shared_ptr<const std::vector<ScheduledRequest>> trace_;
  size_t read_ = 0;
  Duration end_;
};

} // namespace avocet
