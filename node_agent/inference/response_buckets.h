#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <vector>

#include "messages/units.h"

namespace avocet {

/// Response times counted against fixed limits and against the application's own, for a Prometheus histogram: how many
/// were at most that long is counted, not interpolated. Not thread-safe.
///
/// Counts never go down, and a larger limit never has the smaller count. What was answered before the own limit was
/// known was not compared with it; it counts as the next larger fixed limit saw it. So the increase from then on (and
/// with it the share within the objective over any time since) is exact, and a limit that was given up and comes back
/// does not look like a counter that was reset.
class ResponseBuckets {
public:
  static constexpr std::array<Duration, 16> kLimits = {
      std::chrono::microseconds(500), std::chrono::milliseconds(1),   std::chrono::microseconds(2500),
      std::chrono::milliseconds(5),   std::chrono::milliseconds(10),  std::chrono::milliseconds(25),
      std::chrono::milliseconds(50),  std::chrono::milliseconds(100), std::chrono::milliseconds(250),
      std::chrono::milliseconds(500), std::chrono::seconds(1),        std::chrono::milliseconds(2500),
      std::chrono::seconds(5),        std::chrono::seconds(10),       std::chrono::seconds(30),
      std::chrono::seconds(60)};

  struct Bucket {
    Duration limit{};
    uint64_t count = 0; ///< of all that were at most `limit`
    friend bool operator==(const Bucket&, const Bucket&) = default;
  };

  void Add(Duration response);
  /// From now on counts against this limit, too; it replaces another one.
  void SetObjective(Duration limit);
  std::optional<Duration> objective() const { return objective_; }
  uint64_t total() const { return total_; }
  std::vector<Bucket> Cumulative() const; ///< in order of limit; that of the objective among them

private:
  uint64_t CountOfNext(Duration limit) const;

  std::array<uint64_t, kLimits.size()> counts_{}; ///< cumulative, too
  uint64_t total_ = 0;
  std::optional<Duration> objective_;
  uint64_t within_objective_ = 0;
};

} // namespace avocet
