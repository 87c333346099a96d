#include "messages/latency_sketch.h"

#include <algorithm>
#include <cmath>
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "messages/codec/codec.h"
#include "tests/support/arbitrary.h"

namespace avocet {
namespace {

using Values = std::vector<Duration>;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr Duration kFirst = microseconds(1);
constexpr Duration kEnd = microseconds(int64_t{1} << 28); // the first value that is out of range
constexpr Duration kOneOver = seconds(1000);

LatencySketch SketchOf(const Values& values) {
  LatencySketch sketch;
  for (const Duration value : values)
    sketch.Add(value);
  return sketch;
}

/// Whether the sketch of one value tells that value within the bound.
bool IsWithinBound(Duration value) {
  const double estimate = ToSeconds(*SketchOf({value}).Quantile(0.5));
  return std::abs(estimate / ToSeconds(value) - 1) <= LatencySketch::kRelativeError;
}

/// The smallest value with at least `permille` of the sorted sample at or below it, in integers.
Duration Exact(const Values& sorted, size_t permille) {
  const size_t rank = std::max<size_t>(1, (permille * sorted.size() + 999) / 1000);
  return sorted[rank - 1];
}

/// Samples of many shapes, all in range: spread over all magnitudes, narrow, of two humps, heavy-tailed, of ties only.
rc::Gen<Values> Samples() {
  return rc::gen::exec([] {
    std::mt19937_64 random(*rc::gen::arbitrary<uint64_t>());
    const double middle = std::exp(*DoubleBetween(std::log(2e-6), std::log(100.0)));
    const double sigma = *DoubleBetween(0.001, 3);
    const int shape = *rc::gen::inRange(0, 5);
    Values values(static_cast<size_t>(*rc::gen::inRange(1, 2000)));
    std::uniform_real_distribution<double> uniform;
    std::lognormal_distribution<double> lognormal(0, sigma);
    const auto draw = [&] {
      switch (shape) {
      case 0:
        return std::exp(std::log(1e-6) + uniform(random) * std::log(268e6));
      case 1:
        return middle * lognormal(random);
      case 2:
        return middle * (uniform(random) < 0.94 ? 1 : 7) * (1 + 0.01 * uniform(random));
      case 3:
        return middle * std::pow(1 - uniform(random), -1.1);
      default:
        return middle;
      }
    };
    for (Duration& value : values)
      value = std::clamp(FromSeconds(std::min(draw(), 268.0)), kFirst, kEnd - Duration(1));
    return values;
  });
}

TEST(LatencySketch, IsEmptyAtFirst) {
  EXPECT_EQ(LatencySketch().total(), 0U);
  EXPECT_TRUE(LatencySketch().empty());
  EXPECT_FALSE(LatencySketch().Quantile(0.5).has_value());
  EXPECT_FALSE(LatencySketch().QuantileBucket(0.5).has_value());
}

// Below 0.2 ms a nanosecond is much of a bucket: every value there is tried.
TEST(LatencySketch, TellsEveryShortLatencyWithinTheBound) {
  for (Duration value = kFirst; value < microseconds(200); ++value)
    ASSERT_TRUE(IsWithinBound(value)) << value.count() << " ns";
}

TEST(LatencySketch, TellsTheEdgesOfEveryBucketWithinTheBound) {
  for (int bucket = 0; bucket < LatencySketch::kBuckets; ++bucket) {
    const auto edge = FromSeconds(LatencySketch::LowerEdgeSeconds(bucket));
    for (const Duration value : {edge - Duration(1), edge, edge + Duration(1)}) {
      if (value < kFirst) continue;
      ASSERT_TRUE(IsWithinBound(value)) << value.count() << " ns";
      ASSERT_NEAR(LatencySketch::BucketOf(value), bucket, 1);
    }
  }
  EXPECT_EQ(LatencySketch::BucketOf(kEnd - Duration(1)), LatencySketch::kBuckets - 1);
}

TEST(LatencySketch, BucketsAreThoseOfTheLogarithm) {
  std::mt19937_64 random(7);
  std::uniform_real_distribution<double> exponent(0, 28);
  for (int i = 0; i < 100'000; ++i) {
    const double place = exponent(random) * LatencySketch::kBucketsPerOctave;
    if (std::abs(place - std::round(place)) < 0.2) continue; // rounding to nanoseconds may cross the edge
    const auto value = FromSeconds(1e-6 * std::exp2(place / LatencySketch::kBucketsPerOctave));
    if (value < microseconds(20)) continue;
    ASSERT_EQ(LatencySketch::BucketOf(value), static_cast<int>(place)) << value.count() << " ns";
  }
}

TEST(LatencySketch, CountsValuesOutOfRangeAtTheEnds) {
  const auto sketch = SketchOf(
      {Duration(-5), Duration(0), Duration(1), Duration(999), kEnd, kOneOver, Duration::max(), Duration::min()});
  ASSERT_EQ(sketch.buckets().size(), 2U);
  EXPECT_EQ(sketch.buckets().front(), LatencySketch::Bucket(0, 5));
  EXPECT_EQ(sketch.buckets().back(), LatencySketch::Bucket(LatencySketch::kBuckets - 1, 3));
  EXPECT_EQ(sketch.total(), 8U);
}

RC_GTEST_PROP(LatencySketch, EveryQuantileIsWithinTheBound, ()) {
  auto values = *Samples();
  const LatencySketch sketch = SketchOf(values);
  std::sort(values.begin(), values.end());
  for (const size_t permille : {0, 10, 250, 500, 900, 950, 990, 999, 1000, *rc::gen::inRange(0, 1001)}) {
    const double exact = ToSeconds(Exact(values, permille));
    const double estimate = ToSeconds(*sketch.Quantile(static_cast<double>(permille) / 1000));
    RC_ASSERT(std::abs(estimate - exact) <= LatencySketch::kRelativeError * exact);
  }
}

RC_GTEST_PROP(LatencySketch, MergeEqualsTheSketchOfTheUnion, ()) {
  const auto left = *Samples();
  const auto right = *Samples();
  auto both = left;
  both.insert(both.end(), right.begin(), right.end());
  LatencySketch merged = SketchOf(left);
  merged.Merge(SketchOf(right));
  RC_ASSERT(merged.total() == both.size());
  RC_ASSERT(merged == SketchOf(both));
  RC_ASSERT(merged.Since(SketchOf(left)) == SketchOf(right));
}

RC_GTEST_PROP(LatencySketch, SurvivesTheRoundTrip, ()) {
  const LatencySketch sketch = *rc::gen::oneOf(AnySketch(), rc::gen::map(Samples(), SketchOf));
  const auto after = FromProto(ToProto(sketch));
  RC_ASSERT(after.ok());
  RC_ASSERT(*after == sketch);
}

TEST(LatencySketch, MergesWithItself) {
  auto sketch = SketchOf({milliseconds(1), milliseconds(2)});
  sketch.Merge(sketch);
  EXPECT_EQ(sketch, SketchOf({milliseconds(1), milliseconds(1), milliseconds(2), milliseconds(2)}));
}

TEST(LatencySketch, QuantileIsNotOffByOneWhereTheProductRoundsUp) {
  ASSERT_GT(0.07 * 100, 7); // and yet the 7th of 100 values is meant
  LatencySketch sketch;
  sketch.AddToBucket(10, 7);
  sketch.AddToBucket(20, 93);
  EXPECT_EQ(sketch.QuantileBucket(0.07), 10);
}

TEST(LatencySketch, QuantileClampsItsArgument) {
  const auto sketch = SketchOf({milliseconds(1), seconds(1)});
  EXPECT_EQ(sketch.Quantile(-1), sketch.Quantile(0));
  EXPECT_EQ(sketch.Quantile(2), sketch.Quantile(1));
  EXPECT_LT(sketch.Quantile(0), sketch.Quantile(1));
}

TEST(LatencySketch, CountsUpToABucket) {
  LatencySketch sketch;
  sketch.AddToBucket(10, 7);
  sketch.AddToBucket(20, 5);
  EXPECT_EQ(sketch.CountUpTo(9), 0U);
  EXPECT_EQ(sketch.CountUpTo(10), 7U);
  EXPECT_EQ(sketch.CountUpTo(LatencySketch::kBuckets), 12U);
}

TEST(LatencySketch, AFullBucketStaysFull) {
  LatencySketch sketch;
  const int last = LatencySketch::kBuckets - 1;
  EXPECT_FALSE(sketch.AddToBucket(-1, 1));
  EXPECT_FALSE(sketch.AddToBucket(LatencySketch::kBuckets, 1));
  EXPECT_FALSE(sketch.AddToBucket(last, LatencySketch::kMaxCount + 1));
  EXPECT_TRUE(sketch.AddToBucket(last, 0));
  EXPECT_TRUE(sketch.empty());
  EXPECT_TRUE(sketch.AddToBucket(last, LatencySketch::kMaxCount - 1));
  sketch.Add(kOneOver);
  EXPECT_EQ(sketch.total(), LatencySketch::kMaxCount);
  sketch.Add(kOneOver);
  sketch.Merge(LatencySketch(sketch));
  EXPECT_EQ(sketch.total(), LatencySketch::kMaxCount);
  EXPECT_EQ(sketch.buckets().front().index(), last);
}

TEST(LatencySketch, IsBoundedAndItsTotalDoesNotOverflow) {
  LatencySketch sketch;
  for (int bucket = 0; bucket < LatencySketch::kBuckets; ++bucket)
    EXPECT_TRUE(sketch.AddToBucket(bucket, LatencySketch::kMaxCount));
  EXPECT_EQ(sketch.total(), LatencySketch::kMaxCount * LatencySketch::kBuckets);
  EXPECT_EQ(sketch.buckets().size() * sizeof(LatencySketch::Bucket), 17'024U) << "the bound that the header names";
  sketch.Merge(LatencySketch(sketch));
  EXPECT_EQ(sketch.buckets().size(), size_t{LatencySketch::kBuckets});
  const auto after = FromProto(ToProto(sketch));
  ASSERT_TRUE(after.ok()) << after.status().ToString();
  EXPECT_EQ(*after, sketch);
}

TEST(LatencySketch, RefusesWhatItsCodecDoesNotWrite) {
  const std::vector<std::vector<uint64_t>> all = {
      {0},                                                   // no step
      {1, 2},                                                // no step, with a count
      {3},                                                   // a count is missing
      {2, 3},                                                // as above, further on
      {3, 1},                                                // a count of one has no number of its own
      {3, 0},                                                // nor has one of none
      {3, LatencySketch::kMaxCount + 1},                     // too large
      {3, UINT64_MAX},                                       // far too large
      {2 * (LatencySketch::kBuckets + 1)},                   // one past the last bucket
      {2 * LatencySketch::kBuckets, 2},                      // as above, in two steps
      {UINT64_MAX - 1},                                      // wraps, were it added as an int
      std::vector<uint64_t>(LatencySketch::kBuckets + 1, 2), // one bucket more than there are
      std::vector<uint64_t>(1'000'000, 2),                   // and many more
  };
  for (const auto& steps : all) {
    v1::LatencySketch proto;
    proto.mutable_steps()->Assign(steps.begin(), steps.end());
    EXPECT_FALSE(FromProto(proto).ok()) << ::testing::PrintToString(steps.front()) << " of " << steps.size();
  }
  v1::LatencySketch last;
  last.add_steps(2 * LatencySketch::kBuckets);
  EXPECT_TRUE(FromProto(last).ok()) << "the last bucket, at the limit";
}

RC_GTEST_PROP(LatencySketch, AnyNumbersAreReadOrRefused, (const std::vector<uint16_t>& steps)) {
  v1::LatencySketch proto;
  proto.mutable_steps()->Assign(steps.begin(), steps.end());
  const auto sketch = FromProto(proto);
  if (sketch.ok()) RC_ASSERT(ToProto(*sketch).SerializeAsString() == proto.SerializeAsString());
}

TEST(LatencySketch, OfAFewValuesTakesFewBytes) {
  const auto few = SketchOf({FromMillis(15), FromMillis(16.5), FromMillis(18), FromMillis(19.5)});
  EXPECT_EQ(ToProto(few).ByteSizeLong(), 7U) << "two bytes for the first, one for each further one, two of framing";
}

} // namespace
} // namespace avocet
