#include "tests/cluster/request_history.h"

#include <gtest/gtest.h>

namespace avocet {
namespace {

using Outcome = RequestHistory::Outcome;

const Wish kGpu{"n1/gpu0", "m:1"}, kTpu{"n1/tpu0", "m:1"};

RequestHistory::Time At(int seconds) {
  return RequestHistory::Time(std::chrono::seconds(seconds));
}

class Histories : public testing::Test {
protected:
  void Ask(const std::optional<Wish>& wish, int begin, int end, Outcome outcome) {
    history.End(history.Begin("cam", wish, At(begin)), outcome, At(end));
  }
  RequestHistory history;
};

TEST_F(Histories, NothingIsThereUntilItWasAskedFor) {
  EXPECT_TRUE(history.MayBe("cam", std::nullopt));
  EXPECT_FALSE(history.MayBe("cam", kGpu));
}

TEST_F(Histories, TheLastAcknowledgedOneIsTrue) {
  Ask(kGpu, 1, 2, Outcome::kDone);
  Ask(kTpu, 3, 4, Outcome::kDone);
  EXPECT_TRUE(history.MayBe("cam", kTpu));
  EXPECT_FALSE(history.MayBe("cam", kGpu)) << "it was overtaken";
  EXPECT_FALSE(history.MayBe("cam", std::nullopt)) << "it was never removed";
  Ask(std::nullopt, 5, 6, Outcome::kDone);
  EXPECT_TRUE(history.MayBe("cam", std::nullopt));
  EXPECT_FALSE(history.MayBe("cam", kTpu));
}

TEST_F(Histories, OfTwoAtTheSameTimeEitherIs) {
  Ask(kGpu, 1, 4, Outcome::kDone);
  Ask(kTpu, 2, 3, Outcome::kDone);
  EXPECT_TRUE(history.MayBe("cam", kTpu));
  EXPECT_TRUE(history.MayBe("cam", kGpu));
}

TEST_F(Histories, WhatWasNotAnsweredMayHaveHappenedUntilItEnded) {
  Ask(kGpu, 1, 2, Outcome::kFailed);
  EXPECT_TRUE(history.MayBe("cam", kGpu));
  EXPECT_TRUE(history.MayBe("cam", std::nullopt));
  Ask(kTpu, 3, 4, Outcome::kDone);
  EXPECT_FALSE(history.MayBe("cam", kGpu));
}

TEST_F(Histories, WhatIsOpenMayAlwaysHappen) {
  Ask(kGpu, 1, 2, Outcome::kOpen);
  Ask(kTpu, 3, 4, Outcome::kDone);
  EXPECT_TRUE(history.MayBe("cam", kGpu));
}

TEST_F(Histories, WhatWasRefusedIsNot) {
  Ask(kGpu, 1, 2, Outcome::kRefused);
  EXPECT_FALSE(history.MayBe("cam", kGpu));
}

TEST_F(Histories, WhatWasSeenOnceEverythingIsOverCounts) {
  Ask(kGpu, 1, 2, Outcome::kOpen);
  history.Settle("cam", kGpu, At(3));
  EXPECT_TRUE(history.MayBe("cam", kGpu));
  EXPECT_FALSE(history.MayBe("cam", std::nullopt));
}

} // namespace
} // namespace avocet
