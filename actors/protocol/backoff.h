#pragma once

#include <cstdint>
#include <random>

#include "messages/status.h"
#include "messages/units.h"

namespace avocet {

struct BackoffOptions {
  Duration first = std::chrono::milliseconds(100); ///< > 0
  Duration longest = std::chrono::seconds(2);      ///< >= first; bounds how long a healed peer stays unseen
  double factor = 2;                               ///< >= 1
  double jitter = 0.5; ///< share of a pause that is drawn, 0 to 1: peers must not come in step
};
Status Validate(const BackoffOptions& options);

/// How long to pause between attempts: growing, bounded, jittered. Deterministic by its seed.
/// Requires Validate(options).ok(). Not thread-safe.
class Backoff {
public:
  Backoff(const BackoffOptions& options, uint64_t seed);

  /// The pause before the next attempt, in [(1 - jitter) * p, p], where p grows from `first` to `longest`.
  Duration Next();
  /// An attempt succeeded: begin anew.
  void Reset() { next_ = options_.first; }

private:
  BackoffOptions options_;
  std::mt19937_64 random_;
  Duration next_;
};

} // namespace avocet
