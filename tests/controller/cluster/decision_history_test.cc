#include "controller/cluster/decision_history.h"

#include <string>

#include <gtest/gtest.h>

namespace avocet {
namespace {

AppId App(size_t number) {
  return AppId("a" + std::to_string(number));
}

TEST(DecisionHistory, ForgetsTheOldestOfThoseThatEndedBeyondItsBound) {
  DecisionHistory history;
  for (size_t i = 0; i < kMaxPastDecisions; ++i)
    EXPECT_EQ(history.Ended(App(i)), std::nullopt) << i;
  EXPECT_EQ(history.Ended(App(kMaxPastDecisions)), App(0));
  EXPECT_EQ(history.Ended(App(kMaxPastDecisions + 1)), App(1));
}

TEST(DecisionHistory, OneThatRunsAgainIsNotForgotten) {
  DecisionHistory history;
  for (size_t i = 0; i < kMaxPastDecisions; ++i)
    (void)history.Ended(App(i));
  history.Runs(App(0));
  EXPECT_EQ(history.Ended(App(1000)), std::nullopt) << "it made room";
  EXPECT_EQ(history.Ended(App(1001)), App(1));
}

TEST(DecisionHistory, OneThatEndsTwiceCountsOnce) {
  DecisionHistory history;
  for (size_t i = 0; i < kMaxPastDecisions; ++i)
    (void)history.Ended(App(i));
  EXPECT_EQ(history.Ended(App(0)), std::nullopt);
  EXPECT_EQ(history.Ended(App(1000)), App(1)) << "the other is the latest now";
}

} // namespace
} // namespace avocet
