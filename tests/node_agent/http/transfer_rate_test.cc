#include "node_agent/http/transfer_rate.h"

#include <gtest/gtest.h>

namespace avocet {
namespace {

using std::chrono::seconds;

constexpr MonotonicTime kBegin{seconds(100)};

TEST(TransferRate, LooksAtWholePeriods) {
  TransferRate rate(1000, seconds(10));
  rate.Begin(kBegin, 500);
  EXPECT_FALSE(rate.IsTooSlow(kBegin + seconds(9), 500)) << "a short stall";
  EXPECT_FALSE(rate.IsTooSlow(kBegin + seconds(10), 10'500)) << "exactly as fast as asked for";
  EXPECT_FALSE(rate.IsTooSlow(kBegin + seconds(19), 10'500));
  EXPECT_TRUE(rate.IsTooSlow(kBegin + seconds(20), 20'499));
}

TEST(TransferRate, WhatCameEarlierDoesNotExcuseATrickle) {
  TransferRate rate(1000, seconds(10));
  rate.Begin(kBegin, 0);
  EXPECT_FALSE(rate.IsTooSlow(kBegin + seconds(10), 1'000'000));
  EXPECT_TRUE(rate.IsTooSlow(kBegin + seconds(20), 1'000'020));
}

TEST(TransferRate, ALateLookAsksForMore) {
  TransferRate rate(1000, seconds(10));
  rate.Begin(kBegin, 0);
  EXPECT_TRUE(rate.IsTooSlow(kBegin + seconds(30), 29'999));
}

} // namespace
} // namespace avocet
