#include "node_agent/heap_trimmer.h"

#include <gtest/gtest.h>

namespace avocet {
namespace {

TEST(TrimPolicy, TrimsWhatABurstLeftAndNotAgainAndAgain) {
  TrimPolicy policy;
  EXPECT_FALSE(policy.IsWorthIt(100 * kMiB, 80 * kMiB)) << "nothing grew";
  EXPECT_FALSE(policy.IsWorthIt(400 * kMiB, 10 * kMiB)) << "what grew is in use";
  EXPECT_TRUE(policy.IsWorthIt(400 * kMiB, 300 * kMiB));
  policy.Trimmed(110 * kMiB);
  EXPECT_FALSE(policy.IsWorthIt(110 * kMiB, 300 * kMiB)) << "free bytes count on although they were given back";
  EXPECT_FALSE(policy.IsWorthIt(150 * kMiB, 300 * kMiB));
  EXPECT_TRUE(policy.IsWorthIt(180 * kMiB, 300 * kMiB));
}

TEST(TrimPolicy, MeasuresFromTheLowestSince) {
  TrimPolicy policy;
  EXPECT_FALSE(policy.IsWorthIt(500 * kMiB, 400 * kMiB));
  EXPECT_FALSE(policy.IsWorthIt(100 * kMiB, 0));
  EXPECT_TRUE(policy.IsWorthIt(200 * kMiB, 90 * kMiB));
}

} // namespace
} // namespace avocet
