#pragma once

#include <cstdint>
#include <optional>
#include <random>
#include <span>
#include <string>
#include <vector>

#include "cli/sample_statistics.h"
#include "messages/application.h"
#include "messages/ids.h"
#include "messages/status.h"
#include "messages/units.h"

namespace avocet {

/// The traffic of one application.
struct LoadTarget {
  AppId app;
  double rate_rps = 0; ///< (0, kMaxRateRps]
  Arrival arrival;
};

inline constexpr size_t kMaxLoadTargets = 64;
inline constexpr double kMaxLoadRequests =
    20e6; ///< of one run, all targets together: at most 32 bytes of each are kept

/// An open-loop run: when requests are due is drawn beforehand and never depends on the answers.
struct LoadPlan {
  std::vector<LoadTarget> targets;              ///< 1 .. kMaxLoadTargets, distinct
  Duration duration = std::chrono::seconds(10); ///< > 0
  Duration warm_up{};                           ///< >= 0, < duration; requests due in it are sent, not measured
  uint64_t seed = 1;
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

struct ScheduledRequest {
  Duration at{}; ///< since the start of the run
  size_t target = 0;
};

/// The requests of a run in order of time, drawn as they are asked for.
class LoadSchedule {
public:
  /// Requires Validate(plan).ok().
  explicit LoadSchedule(const LoadPlan& plan);
  /// nullopt once the run's duration is over.
  std::optional<ScheduledRequest> Next();

private:
  struct Source {
    ArrivalProcess process;
    double next_s = 0;
  };
  std::vector<Source> sources_;
  double end_s_;
};

/// How one request ended.
struct LoadOutcome {
  Duration intended{};                     ///< when it was due, since the start
  Duration latency{};                      ///< from when it was due (not from when it was sent) to the answer
  std::optional<Duration> server_response; ///< response time that the server reported
  Status status;
  bool emulated = false;
};

struct LoadErrorCount {
  StatusCode code = StatusCode::kInternal;
  uint64_t count = 0;
  std::string first_message;
};

/// What one application's clients saw. Clients' latency is not the response time that objectives
/// are about: it adds the network and both transports.
struct AppLoadReport {
  LoadTarget target;
  bool emulated = false; ///< some answer said so
  uint64_t sent = 0;     ///< warm-up included, as in the next three
  uint64_t ok = 0;
  uint64_t failed = 0;
  uint64_t dropped = 0;    ///< due, but never sent: too many outstanding
  uint64_t unanswered = 0; ///< given up at the end
  double achieved_rps = 0; ///< successes due after the warm-up, over the time after the warm-up
  SampleSummary latency;   ///< successes due after the warm-up
  std::optional<SampleSummary> server_response;
  SampleSummary send_lag;             ///< how late the generator itself sent
  std::vector<LoadErrorCount> errors; ///< by code, most frequent first
};

struct LoadReport {
  std::string address;
  LoadPlan plan;
  bool interrupted = false;        ///< stopped before the planned duration
  Duration elapsed{};              ///< of the schedule, not of the wait for the last answers
  std::vector<AppLoadReport> apps; ///< in the order of the plan's targets
  bool ok() const;                 ///< nothing failed, was dropped or stayed unanswered
};

/// Accumulates one application's outcomes. Not thread-safe.
class LoadRecorder {
public:
  LoadRecorder(LoadTarget target, Duration warm_up);
  void Sent(Duration intended, Duration lag);
  void Dropped() { ++report_.dropped; }
  void Ended(const LoadOutcome& outcome);

  const LoadTarget& target() const { return report_.target; }
  uint64_t sent() const { return report_.sent; }
  uint64_t ok() const { return report_.ok; }
  uint64_t failed() const { return report_.failed; }
  uint64_t dropped() const { return report_.dropped; }
  uint64_t outstanding() const { return report_.sent - report_.ok - report_.failed; }

  /// What was seen in a run that lasted `elapsed`; what is outstanding counts as unanswered.
  AppLoadReport Report(Duration elapsed) const;

private:
  struct Sample {
    double intended_s;
    double latency_s;
  };
  void CountError(const Status& status);

  AppLoadReport report_;
  Duration warm_up_;
  std::vector<Sample> latency_;
  std::vector<double> server_response_;
  std::vector<double> lag_;
};

} // namespace avocet
