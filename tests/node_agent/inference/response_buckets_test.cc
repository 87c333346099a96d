#include "node_agent/inference/response_buckets.h"

#include <map>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace avocet {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::nanoseconds;

uint64_t CountAt(const ResponseBuckets& buckets, Duration limit) {
  for (const auto& bucket : buckets.Cumulative()) {
    if (bucket.limit == limit) return bucket.count;
  }
  ADD_FAILURE() << "no limit of " << limit.count() << " ns";
  return 0;
}

TEST(ResponseBuckets, CountWhatIsAtMostTheLimit) {
  ResponseBuckets buckets;
  buckets.SetObjective(milliseconds(45));
  for (const Duration response : {Duration(milliseconds(45)), milliseconds(45) + nanoseconds(1),
                                  Duration(milliseconds(25)), Duration(minutes(9))})
    buckets.Add(response);
  EXPECT_EQ(CountAt(buckets, milliseconds(25)), 1U);
  EXPECT_EQ(CountAt(buckets, milliseconds(45)), 2U);
  EXPECT_EQ(CountAt(buckets, milliseconds(50)), 3U);
  EXPECT_EQ(CountAt(buckets, minutes(1)), 3U);
  EXPECT_EQ(buckets.total(), 4U);
}

TEST(ResponseBuckets, HaveNoSecondBucketWhereTheObjectiveIsAFixedLimit) {
  ResponseBuckets buckets;
  buckets.Add(milliseconds(40));
  buckets.SetObjective(milliseconds(50));
  EXPECT_EQ(buckets.Cumulative().size(), ResponseBuckets::kLimits.size());
  EXPECT_EQ(CountAt(buckets, milliseconds(50)), 1U);
}

TEST(ResponseBuckets, BeginWithTheNextLargerLimit) {
  ResponseBuckets buckets;
  buckets.Add(milliseconds(20));
  buckets.Add(milliseconds(48));
  buckets.Add(minutes(9));
  buckets.SetObjective(milliseconds(45));
  EXPECT_EQ(CountAt(buckets, milliseconds(45)), 2U);
  buckets.SetObjective(minutes(5));
  EXPECT_EQ(CountAt(buckets, minutes(5)), 3U) << "behind the last fixed limit";
}

TEST(ResponseBuckets, GoOnWhereTheSameObjectiveIsSetAgain) {
  ResponseBuckets buckets;
  buckets.SetObjective(milliseconds(45));
  buckets.Add(milliseconds(48));
  buckets.SetObjective(milliseconds(45));
  EXPECT_EQ(CountAt(buckets, milliseconds(45)), 0U);
}

/// What Prometheus relies on, whatever the objectives: a larger limit has never the smaller count, no series goes down,
/// also not over a time when it was not there; and the increase since the objective was set is exact.
RC_GTEST_PROP(ResponseBuckets, NeverGoDownAndAreExactSinceTheObjective, ()) {
  ResponseBuckets buckets;
  std::map<Duration, uint64_t> seen;
  uint64_t at_first = 0, within = 0;
  for (size_t i = static_cast<size_t>(*rc::gen::inRange(1, 100)); i > 0; --i) {
    if (*rc::gen::inRange(0, 4) == 0) {
      const Duration limit = milliseconds(*rc::gen::element(1, 7, 30, 45, 50, 70'000));
      if (buckets.objective() != limit) within = 0;
      const bool is_new = buckets.objective() != limit;
      buckets.SetObjective(limit);
      if (is_new) at_first = CountAt(buckets, limit);
    }
    const Duration response = milliseconds(*rc::gen::inRange(0, 100)) * *rc::gen::element(1, 1000);
    buckets.Add(response);
    if (buckets.objective() && response <= *buckets.objective()) ++within;
    uint64_t last = 0;
    for (const auto& [limit, count] : buckets.Cumulative()) {
      RC_ASSERT(count >= last);
      RC_ASSERT(count >= seen[limit]);
      seen[limit] = last = count;
    }
    RC_ASSERT(buckets.total() >= last);
    if (buckets.objective()) RC_ASSERT(CountAt(buckets, *buckets.objective()) - at_first == within);
  }
}

} // namespace
} // namespace avocet
