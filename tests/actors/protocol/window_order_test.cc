#include "actors/protocol/window_order.h"

#include <gtest/gtest.h>

namespace avocet {
namespace {

using Arrival = WindowOrder::Arrival;
const BootId kA{"a"};
const BootId kB{"b"};

TEST(WindowOrder, TakesEachOnceAndInOrder) {
  WindowOrder order;
  EXPECT_EQ(order.Take({kA, 1, 1}), Arrival::kNext);
  EXPECT_EQ(order.Take({kA, 1, 1}), Arrival::kSeen);
  EXPECT_EQ(order.Take({kA, 3, 1}), Arrival::kEarly) << "the second is on its way again";
  EXPECT_EQ(order.Take({kA, 2, 1}), Arrival::kNext);
  EXPECT_EQ(order.Take({kA, 3, 1}), Arrival::kNext);
  EXPECT_EQ(order.missed(), 0U);
}

TEST(WindowOrder, SkipsAndCountsWhatTheSenderDropped) {
  WindowOrder order(kA, 10);
  EXPECT_EQ(order.Take({kA, 16, 15}), Arrival::kEarly);
  EXPECT_EQ(order.Take({kA, 15, 15}), Arrival::kNext);
  EXPECT_EQ(order.missed(), 4U);
  EXPECT_EQ(order.Take({kA, 14, 11}), Arrival::kSeen) << "a late copy of a dropped one";
}

TEST(WindowOrder, GoesOnAfterARestartOfTheReceiver) {
  WindowOrder order(kA, 10);
  EXPECT_EQ(order.Take({kA, 10, 9}), Arrival::kSeen);
  EXPECT_EQ(order.Take({kA, 11, 9}), Arrival::kNext);
}

TEST(WindowOrder, BeginsAnewWithAnotherBoot) {
  WindowOrder order(kA, 10);
  EXPECT_EQ(order.Take({kB, 3, 3}), Arrival::kNext);
  EXPECT_EQ(order.missed(), 2U) << "the two that its sender dropped before";
  EXPECT_EQ(order.boot(), kB);
  EXPECT_EQ(order.covered(), 3U);
}

TEST(WindowOrder, WithoutAWordOfTheOldestItTakesWhatComes) {
  WindowOrder order(kA, 10);
  EXPECT_EQ(order.Take({kA, 15, 0}), Arrival::kNext);
  EXPECT_EQ(order.missed(), 4U);
}

} // namespace
} // namespace avocet
