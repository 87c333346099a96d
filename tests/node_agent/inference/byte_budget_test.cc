#include "node_agent/inference/byte_budget.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "node_agent/inference/answer_room.h"

namespace avocet {
namespace {

using testing::HasSubstr;

TEST(ByteBudget, IsTakenUpToTheLimitAndGivenBack) {
  ByteBudget budget(10);
  ByteBudget::Lease first(budget), second(budget);
  EXPECT_TRUE(first.TryGrow(10));
  EXPECT_FALSE(second.TryGrow(1));
  EXPECT_TRUE(second.TryGrow(0));
  first.Release();
  EXPECT_FALSE(second.TryGrow(11));
  EXPECT_TRUE(second.TryGrow(4));
  EXPECT_TRUE(second.TryGrow(6));
  EXPECT_EQ(budget.used(), 10u);
}

TEST(ByteBudget, WhatExistsAlreadyMayGoBeyondIt) {
  ByteBudget budget(10);
  {
    ByteBudget::Lease answer(budget);
    answer.Grow(25);
    ByteBudget::Lease request(budget);
    EXPECT_FALSE(request.TryGrow(1));
    const ByteBudget::Lease moved = std::move(answer);
    EXPECT_EQ(budget.used(), 25u);
  }
  EXPECT_EQ(budget.used(), 0u);
}

TEST(ByteBudget, SaysWhetherItIsOfUseToTryAgain) {
  ByteBudget budget(100 * kMiB);
  ByteBudget::Lease others(budget), lease(budget);
  others.Grow(90 * kMiB);
  const Status full = lease.Reserve(20 * kMiB), impossible = lease.Reserve(51 * kMiB);
  EXPECT_EQ(full.code(), StatusCode::kUnavailable);
  EXPECT_THAT(full.message(), HasSubstr("retry"));
  EXPECT_EQ(impossible.code(), StatusCode::kResourceExhausted);
  EXPECT_THAT(impossible.message(), Not(HasSubstr("retry")));
}

// Whoever comes first, with however many requests: something is left for the next one.
TEST(ByteBudget, LargeLeasesLeaveRoomForSmallOnes) {
  for (const size_t hogs : {1, 8, 40, 300}) {
    ByteBudget budget(512 * kMiB);
    std::vector<ByteBudget::Lease> leases;
    for (size_t i = 0; i < hogs; ++i) {
      auto& lease = leases.emplace_back(budget);
      // As a body that comes: it is refused and freed when it may not grow.
      bool is_taken = true;
      while (is_taken && lease.bytes() < 64 * kMiB)
        is_taken = lease.TryGrow(64 * 1024);
      if (!is_taken) lease.Release();
    }
    EXPECT_GE(budget.limit() - budget.used(), budget.limit() / 8) << hogs;
    ByteBudget::Lease small(budget);
    EXPECT_TRUE(small.TryGrow(600 * 1024)) << hogs;
  }
}

TEST(ByteBudget, TheLessIsLeftTheSmallerASmallLease) {
  ByteBudget budget(512 * kMiB);
  std::vector<ByteBudget::Lease> leases;
  for (bool is_taken = true; is_taken;)
    is_taken = leases.emplace_back(budget).TryGrow(400 * 1024);
  EXPECT_GE(budget.limit() - budget.used(), 64u * 400 * 1024);
  ByteBudget::Lease smaller(budget);
  EXPECT_TRUE(smaller.TryGrow(100 * 1024));
}

TEST(ByteBudget, AnApplicationLeavesRoomForTheOthers) {
  ByteBudget budget(512 * kMiB);
  const auto hog = std::make_shared<BudgetShare>(), other = std::make_shared<BudgetShare>();
  std::vector<ByteBudget::Lease> leases;
  for (bool is_taken = true; is_taken;) {
    auto& lease = leases.emplace_back(budget);
    lease.ChargeTo(hog);
    is_taken = lease.TryGrow(20 * kMiB);
  }
  EXPECT_EQ(hog->bytes(), budget.used());
  EXPECT_LE(hog->bytes(), budget.limit() * 2 / 3);
  EXPECT_GE(hog->bytes(), budget.limit() / 2) << "alone it may have much";

  ByteBudget::Lease same(budget), others(budget);
  same.ChargeTo(hog);
  others.ChargeTo(other);
  EXPECT_TRUE(same.TryGrow(600 * 1024)) << "its small requests go on";
  EXPECT_TRUE(others.TryGrow(64 * kMiB));
  leases.clear();
  same.Release();
  EXPECT_EQ(hog->bytes(), 0u);
  EXPECT_EQ(other->bytes(), budget.used());
}

TEST(ByteBudget, SmallLeasesOfOneClientDoNotTakeAll) {
  ByteBudget budget(512 * kMiB);
  const auto hog = std::make_shared<BudgetShare>(), other = std::make_shared<BudgetShare>();
  std::vector<ByteBudget::Lease> leases;
  for (bool is_taken = true; is_taken;)
    is_taken = leases.emplace_back(budget, hog).TryGrow(ByteBudget::kTiny);
  EXPECT_LE(hog->bytes(), budget.limit() * 16 / 17);
  EXPECT_GE(hog->bytes(), budget.limit() / 2);
  ByteBudget::Lease next(budget, other);
  EXPECT_TRUE(next.TryGrow(400 * 1024));
}

TEST(BudgetShares, AreOneForEachNameAndForgotten) {
  BudgetShares shares;
  const auto first = shares.Of("a");
  EXPECT_EQ(shares.Of("a"), first);
  EXPECT_NE(shares.Of("b"), first);
  for (int i = 0; i < 1000; ++i)
    (void)shares.Of(std::to_string(i));
  EXPECT_EQ(shares.Of("a"), first) << "who is there is not forgotten";
}

TEST(AnswerRoom, ReservesWhatIsWrittenUpToItsBound) {
  ByteBudget budget(kMiB);
  ByteBudget::Lease lease(budget);
  AnswerRoom room(lease, 100'000);
  EXPECT_TRUE(room.Reached(10).ok());
  EXPECT_TRUE(room.Reached(99'999).ok());
  EXPECT_GE(lease.bytes(), 99'999u);
  EXPECT_TRUE(room.Reached(100'000).ok());
  EXPECT_EQ(lease.bytes(), 100'000u);
  EXPECT_EQ(room.Reached(100'001).code(), StatusCode::kResourceExhausted);
}

} // namespace
} // namespace avocet
