#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <mutex>

#include "messages/status.h"
#include "messages/units.h"
#include "node_agent/inference/response_buckets.h"

namespace avocet {

/// How often something happened and how long it took altogether.
struct SectionTotal {
  uint64_t count = 0;
  Duration time{};
  void Add(Duration once);
};

/// The moments that divide a request's time into the protocol's sections, in their order.
struct RequestTimes {
  MonotonicTime received{}; ///< completely received
  MonotonicTime enqueued{}; ///< decoded, checked, accepted by the device
  MonotonicTime started{};  ///< its run began
  MonotonicTime finished{}; ///< its run ended
  MonotonicTime sent{};     ///< encoded and handed to the transport
};

inline constexpr size_t kStatusCodes = 13;

/// What an application's requests came to. Sections as the Open Inference Protocol's statistics
/// extension names them; all but `fail` count successes only, so their counts are always equal.
struct InferenceTotals {
  SectionTotal success;                                   ///< received -> sent
  SectionTotal fail;                                      ///< received -> error sent
  SectionTotal queue;                                     ///< enqueued -> started
  SectionTotal compute_input;                             ///< received -> enqueued
  SectionTotal compute_infer;                             ///< started -> finished
  SectionTotal compute_output;                            ///< finished -> sent
  SectionTotal cache_hit;                                 ///< there is no response cache: always 0,
  SectionTotal cache_miss;                                ///< and this one, too
  std::chrono::system_clock::time_point last_inference{}; ///< the epoch before the first
  std::array<uint64_t, kStatusCodes> failures{};          ///< by StatusCode
  ResponseBuckets response;                               ///< of `success`
  uint64_t pending = 0;                                   ///< begun and not ended
};

/// Keeps the totals of one application. A request moves all its sections in one step, and Snapshot
/// sees whole steps only. Thread-safe; each call takes one short lock.
class InferenceStatistics {
public:
  void Began();
  void Succeeded(const RequestTimes& times, std::chrono::system_clock::time_point now);
  void Failed(StatusCode why, Duration after);
  /// Response times are counted against this limit, too, from now on.
  void SetObjective(Duration limit);
  InferenceTotals Snapshot() const;

private:
  mutable std::mutex mutex_;
  InferenceTotals totals_;
};

} // namespace avocet
