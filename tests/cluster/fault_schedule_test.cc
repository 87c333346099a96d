#include "tests/cluster/fault_schedule.h"

#include <iostream>

#include <gtest/gtest.h>

namespace avocet {
namespace {

/// bench/faults runs any number of others.
constexpr uint64_t kSchedules = 5;

/// The parameter: the first of kSchedules seeds.
class FaultSchedules : public testing::TestWithParam<uint64_t> {};

TEST_P(FaultSchedules, WhatIsPromisedHoldsAfterwards) {
  FaultyCluster cluster;
  for (uint64_t seed = GetParam(); seed < GetParam() + kSchedules; ++seed) {
    const FaultVerdict verdict = cluster.Run(seed);
    std::cout << verdict << std::endl;
    ASSERT_TRUE(verdict.ok()) << verdict;
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, FaultSchedules, testing::Values(1, 6, 11, 16));

} // namespace
} // namespace avocet
