#include "node_agent/inference/inference_statistics.h"

#include <algorithm>

namespace avocet {

static_assert(static_cast<size_t>(StatusCode::kInternal) + 1 == kStatusCodes);

void SectionTotal::Add(Duration once) {
  ++count;
  time += std::max(once, Duration::zero());
}

void InferenceStatistics::Began() {
  const std::lock_guard lock(mutex_);
  ++totals_.pending;
}

void InferenceStatistics::Succeeded(const RequestTimes& times, std::chrono::system_clock::time_point now) {
  const std::lock_guard lock(mutex_);
  --totals_.pending;
  totals_.success.Add(times.sent - times.received);
  totals_.queue.Add(times.started - times.enqueued);
  totals_.compute_input.Add(times.enqueued - times.received);
  totals_.compute_infer.Add(times.finished - times.started);
  totals_.compute_output.Add(times.sent - times.finished);
  totals_.response.Add(times.sent - times.received);
  totals_.last_inference = std::max(totals_.last_inference, now);
}

void InferenceStatistics::Failed(StatusCode why, Duration after) {
  const std::lock_guard lock(mutex_);
  --totals_.pending;
  totals_.fail.Add(after);
  ++totals_.failures[static_cast<size_t>(why)];
}

void InferenceStatistics::SetObjective(Duration limit) {
  const std::lock_guard lock(mutex_);
  totals_.response.SetObjective(limit);
}

InferenceTotals InferenceStatistics::Snapshot() const {
  const std::lock_guard lock(mutex_);
  return totals_;
}

} // namespace avocet
