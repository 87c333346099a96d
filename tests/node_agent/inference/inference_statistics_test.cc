#include "node_agent/inference/inference_statistics.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace avocet {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

const MonotonicTime kReceived{std::chrono::seconds(100)};
const std::chrono::system_clock::time_point kToday{std::chrono::hours(24)};

RequestTimes Times() {
  return {kReceived, kReceived + microseconds(10), kReceived + microseconds(110), kReceived + microseconds(1110),
          kReceived + microseconds(1111)};
}

TEST(InferenceStatistics, DividesTheTimeOfASuccessIntoSections) {
  InferenceStatistics statistics;
  statistics.Began();
  EXPECT_EQ(statistics.Snapshot().pending, 1u);
  statistics.Succeeded(Times(), kToday);
  const InferenceTotals totals = statistics.Snapshot();
  EXPECT_EQ(totals.pending, 0u);
  EXPECT_EQ(totals.compute_input.time, microseconds(10));
  EXPECT_EQ(totals.queue.time, microseconds(100));
  EXPECT_EQ(totals.compute_infer.time, milliseconds(1));
  EXPECT_EQ(totals.compute_output.time, microseconds(1));
  EXPECT_EQ(totals.success.time, microseconds(1111));
  for (const SectionTotal* section :
       {&totals.success, &totals.queue, &totals.compute_input, &totals.compute_infer, &totals.compute_output})
    EXPECT_EQ(section->count, 1u);
  EXPECT_EQ(totals.fail.count + totals.cache_hit.count + totals.cache_miss.count, 0u);
  EXPECT_EQ(totals.last_inference, kToday);
  EXPECT_EQ(totals.response.total(), 1u);
}

TEST(InferenceStatistics, CountsFailuresByReasonAndNowhereElse) {
  InferenceStatistics statistics;
  statistics.Began();
  statistics.Failed(StatusCode::kUnavailable, milliseconds(2));
  const InferenceTotals totals = statistics.Snapshot();
  EXPECT_EQ(totals.fail.count, 1u);
  EXPECT_EQ(totals.fail.time, milliseconds(2));
  EXPECT_EQ(totals.failures[static_cast<size_t>(StatusCode::kUnavailable)], 1u);
  EXPECT_EQ(totals.success.count + totals.compute_infer.count, 0u);
  EXPECT_EQ(totals.last_inference.time_since_epoch().count(), 0);
}

TEST(InferenceStatistics, SnapshotsNeverSeeHalfARequest) {
  constexpr int kRequests = 20'000;
  InferenceStatistics statistics;
  std::thread writer([&] {
    for (int i = 0; i < kRequests; ++i) {
      statistics.Began();
      statistics.Succeeded(Times(), kToday);
    }
  });
  uint64_t seen = 0;
  while (seen < kRequests) {
    const InferenceTotals totals = statistics.Snapshot();
    seen = totals.success.count;
    ASSERT_EQ(totals.compute_input.count, seen);
    ASSERT_EQ(totals.compute_infer.count, seen);
    ASSERT_EQ(totals.compute_output.count, seen);
    ASSERT_EQ(totals.queue.count, seen);
    ASSERT_EQ(totals.compute_infer.time, milliseconds(1) * seen);
  }
  writer.join();
}

} // namespace
} // namespace avocet
