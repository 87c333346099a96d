#include "actors/protocol/keyed_budget.h"

#include <string>

#include <gtest/gtest.h>

namespace avocet {
namespace {

using std::chrono::seconds;
using Budget = KeyedBudget<std::string>;

constexpr Budget::Options kOptions{.burst = 2, .interval = seconds(1), .max_keys = 3};

/// Some time after the epoch, as of a machine that runs for a while.
Budget::Time At(int64_t second) {
  return Budget::Time(seconds(1000 + second));
}

TEST(KeyedBudget, EachSpendsItsOwn) {
  Budget budget(kOptions);
  EXPECT_TRUE(budget.Take("a", At(0)));
  EXPECT_TRUE(budget.Take("a", At(0)));
  EXPECT_FALSE(budget.Take("a", At(0)));
  EXPECT_TRUE(budget.Take("b", At(0))) << "one that floods costs nobody else";
}

TEST(KeyedBudget, EarnsOneForEachInterval) {
  Budget budget(kOptions);
  for (int i = 0; i < 10; ++i)
    (void)budget.Take("a", At(0));
  EXPECT_TRUE(budget.Take("a", At(1)));
  EXPECT_FALSE(budget.Take("a", At(1)));
}

TEST(KeyedBudget, CountsWhatItRefused) {
  Budget budget(kOptions);
  for (int i = 0; i < 10; ++i)
    (void)budget.Take("a", At(0));
  EXPECT_EQ(budget.TakeDropped("b"), 0U);
  EXPECT_EQ(budget.TakeDropped("a"), 8U);
  EXPECT_EQ(budget.TakeDropped("a"), 0U);
}

TEST(KeyedBudget, InventedNamesShareOne) {
  Budget budget(kOptions);
  int taken = 0;
  for (int i = 0; i < 100; ++i)
    taken += budget.Take("name" + std::to_string(i), At(0)) ? 1 : 0;
  EXPECT_EQ(taken, 3 + 2) << "three of their own, then two in all";
  EXPECT_EQ(budget.size(), 3U);
}

TEST(KeyedBudget, ForgetsWhoSpentNothingLately) {
  Budget budget(kOptions);
  for (const char* name : {"a", "b", "c"})
    ASSERT_TRUE(budget.Take(name, At(0)));
  EXPECT_TRUE(budget.Take("d", At(3)));
  EXPECT_EQ(budget.size(), 1U);
}

} // namespace
} // namespace avocet
