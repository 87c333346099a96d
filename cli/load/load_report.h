#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cli/load/load_generator.h"
#include "cli/load/sample_statistics.h"
#include "messages/measurement.h"
#include "messages/status.h"
#include "messages/units.h"

namespace avocet {

enum class LoadProtocol { kGrpc, kHttp };
std::string_view ToString(LoadProtocol protocol); ///< "grpc", "http"
std::optional<LoadProtocol> ParseLoadProtocol(std::string_view text);

/// How one request ended.
struct LoadOutcome {
  Duration intended{};                     ///< when it was due, since the start
  Duration latency{};                      ///< from when it was due (not from when it was sent) to the answer
  Duration send_lag{};                     ///< from when it was due to when it went to the network
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
  double intended_rps = 0; ///< requests due after the warm-up, over the time after the warm-up
  double achieved_rps = 0; ///< of these requests, those that succeeded, over the time after the warm-up
  SampleSummary latency;   ///< successes due after the warm-up
  std::optional<SampleSummary> server_response;
  SampleSummary send_lag;             ///< how late the generator itself sent what was answered
  std::vector<LoadErrorCount> errors; ///< by code, most frequent first
};

struct LoadReport {
  std::string address;
  LoadProtocol protocol = LoadProtocol::kGrpc;
  LoadPlan plan;
  bool interrupted = false; ///< stopped before the planned duration
  Duration elapsed{};       ///< of the schedule, not of the wait for the last answers
  /// That this process used meanwhile, all threads. Near `elapsed` times the cores there are, the
  /// generator is what is being measured.
  Duration processor_time{};
  std::vector<AppLoadReport> apps; ///< in the order of the plan's targets
  bool ok() const;                 ///< nothing failed, was dropped or stayed unanswered
  uint64_t sent() const;
};

/// Accumulates one application's outcomes. Not thread-safe.
class LoadRecorder {
public:
  LoadRecorder(LoadTarget target, Duration warm_up);
  void Sent(Duration intended);
  void Dropped(Duration intended);
  void Ended(const LoadOutcome& outcome);

  const LoadTarget& target() const { return report_.target; }
  uint64_t sent() const { return report_.sent; }
  uint64_t ok() const { return report_.ok; }
  uint64_t failed() const { return report_.failed; }
  uint64_t dropped() const { return report_.dropped; }
  uint64_t outstanding() const { return report_.sent - report_.ok - report_.failed; }

  /// Latency of the successes since the last call; for those who watch.
  LatencySketch TakeRecent() { return std::exchange(recent_, {}); }

  /// What was seen in a run that lasted `elapsed`; what is outstanding counts as unanswered.
  AppLoadReport Report(Duration elapsed) const;

private:
  struct Sample {
    double intended_s;
    double latency_s;
  };
  void CountError(const Status& status);
  void CountDue(Duration intended) { due_ += intended >= warm_up_ ? 1 : 0; }

  AppLoadReport report_;
  Duration warm_up_;
  uint64_t due_ = 0; ///< after the warm-up
  LatencySketch recent_;
  std::vector<Sample> latency_;
  std::vector<double> server_response_;
  std::vector<double> lag_;
};

} // namespace avocet
