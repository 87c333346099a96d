#include "actors/protocol/lease_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace avocet {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

const NodeId kNode{"n1"};
const SessionId kFirst{BootId("a"), 1};
const SessionId kSecond{BootId("a"), 2};

MonotonicTime At(int tenths) {
  return MonotonicTime(std::chrono::milliseconds(100 * tenths));
}

/// A lease of three seconds, looked at twice a second.
class Leases : public testing::Test {
protected:
  std::vector<NodeId> ExpiredUntil(int tenths) {
    std::vector<NodeId> all;
    for (; now < tenths; now += 5) {
      for (auto& node : leases.TakeExpired(At(now)))
        all.push_back(node);
    }
    return all;
  }
  LeaseTable leases{std::chrono::seconds(3)};
  int now = 5;
};

TEST_F(Leases, ExpireAfterSilenceAndOnlyOnce) {
  ASSERT_EQ(leases.Open(kNode, kFirst, 1, At(0)), Claim::kOpen);
  EXPECT_THAT(ExpiredUntil(31), IsEmpty()) << "three seconds are still within the lease";
  EXPECT_THAT(ExpiredUntil(60), ElementsAre(kNode));
  EXPECT_FALSE(leases.Renew(kNode, kFirst, At(60))) << "it has to register again";
  EXPECT_EQ(leases.size(), 0U);
}

TEST_F(Leases, AreKeptByWhoIsHeard) {
  ASSERT_EQ(leases.Open(kNode, kFirst, 1, At(0)), Claim::kOpen);
  for (int i = 10; i <= 100; i += 10) {
    EXPECT_THAT(ExpiredUntil(i), IsEmpty());
    EXPECT_TRUE(leases.Renew(kNode, kFirst, At(i)));
  }
}

TEST_F(Leases, AnAgentThatIsStartedAgainAndAgainIsLetIn) {
  for (int i = 1; i <= 20; ++i) {
    const SessionId session{BootId("boot" + std::to_string(i)), static_cast<uint64_t>(i)};
    EXPECT_EQ(leases.Open(kNode, session, 1, At(i)), Claim::kOpen);
    EXPECT_TRUE(leases.IsCurrent(kNode, session));
  }
}

TEST_F(Leases, OfTwoAgentsWithOneDataFolderTheLaterOneWaits) {
  const BootId first("a"), copy("b");
  ASSERT_EQ(leases.Open(kNode, {first, 1}, 1, At(0)), Claim::kOpen);
  ASSERT_EQ(leases.Open(kNode, {copy, 2}, 1, At(1)), Claim::kOpen) << "as if the first had been started again";
  ASSERT_EQ(leases.Open(kNode, {first, 3}, 1, At(2)), Claim::kOpen) << "but it lives";
  for (uint64_t attempt = 4; attempt < 10; ++attempt) {
    EXPECT_EQ(leases.Open(kNode, {copy, attempt}, 1, At(3)), Claim::kCopied);
    EXPECT_TRUE(leases.IsCurrent(kNode, {first, 3}));
  }
  EXPECT_EQ(leases.Open(kNode, {first, 10}, 1, At(4)), Claim::kOpen) << "after a cut";
  EXPECT_THAT(ExpiredUntil(50), ElementsAre(kNode));
  EXPECT_EQ(leases.Open(kNode, {copy, 11}, 1, At(50)), Claim::kOpen) << "it replaces an agent that is gone";
}

TEST_F(Leases, OfThreeAgentsWithOneDataFolderTheFirstSpeaks) {
  const BootId first("a"), second("b"), third("c");
  ASSERT_EQ(leases.Open(kNode, {first, 1}, 1, At(0)), Claim::kOpen);
  ASSERT_EQ(leases.Open(kNode, {second, 2}, 1, At(1)), Claim::kOpen);
  ASSERT_EQ(leases.Open(kNode, {third, 3}, 1, At(2)), Claim::kOpen);
  ASSERT_EQ(leases.Open(kNode, {first, 4}, 1, At(3)), Claim::kOpen);
  EXPECT_EQ(leases.Open(kNode, {third, 5}, 1, At(4)), Claim::kCopied);
  EXPECT_EQ(leases.Open(kNode, {second, 6}, 1, At(4)), Claim::kCopied);
}

TEST_F(Leases, BelongToTheLatestSession) {
  ASSERT_EQ(leases.Open(kNode, kFirst, 1, At(0)), Claim::kOpen);
  ASSERT_EQ(leases.Open(kNode, kSecond, 1, At(1)), Claim::kOpen);
  EXPECT_FALSE(leases.Renew(kNode, kFirst, At(20)));
  EXPECT_TRUE(leases.IsReplaced(kNode, kFirst));
  EXPECT_EQ(leases.Open(kNode, kFirst, 1, At(20)), Claim::kReplaced) << "a late Hello of the earlier session";
  EXPECT_TRUE(leases.IsCurrent(kNode, kSecond));
  EXPECT_THAT(ExpiredUntil(40), ElementsAre(kNode)) << "the earlier session kept nothing alive";
}

TEST_F(Leases, AnotherBootIsAnotherSession) {
  ASSERT_EQ(leases.Open(kNode, {BootId("a"), 0}, 1, At(0)), Claim::kOpen);
  EXPECT_FALSE(leases.Renew(kNode, {BootId("b"), 0}, At(1)));
  ASSERT_EQ(leases.Open(kNode, {BootId("b"), 0}, 1, At(1)), Claim::kOpen);
  EXPECT_FALSE(leases.IsCurrent(kNode, {BootId("a"), 0}));
}

TEST_F(Leases, ANamesakeWaitsUntilTheLeaseIsOver) {
  const SessionId other{BootId("b"), 2};
  ASSERT_EQ(leases.Open(kNode, kFirst, 1, At(0)), Claim::kOpen);
  EXPECT_EQ(leases.Open(kNode, other, 2, At(1)), Claim::kTaken);
  EXPECT_TRUE(leases.IsCurrent(kNode, kFirst));
  EXPECT_TRUE(leases.Renew(kNode, kFirst, At(20))) << "the one that it wanted to replace goes on";
  EXPECT_EQ(leases.Open(kNode, other, 2, At(49)), Claim::kTaken);
  EXPECT_THAT(ExpiredUntil(60), ElementsAre(kNode));
  EXPECT_EQ(leases.Open(kNode, other, 2, At(60)), Claim::kOpen);
  EXPECT_EQ(leases.Open(kNode, kFirst, 1, At(61)), Claim::kTaken) << "now the earlier one is the namesake";
}

TEST_F(Leases, AnAgentOfUnknownInstanceMayBeTheSame) {
  ASSERT_EQ(leases.Open(kNode, kFirst, 0, At(0)), Claim::kOpen);
  ASSERT_EQ(leases.Open(kNode, kSecond, 7, At(1)), Claim::kOpen);
  EXPECT_EQ(leases.Open(kNode, {BootId("c"), 3}, 0, At(2)), Claim::kOpen);
}

TEST_F(Leases, ARestartOfTheSameAgentIsLetInAtOnce) {
  ASSERT_EQ(leases.Open(kNode, kFirst, 1, At(0)), Claim::kOpen);
  EXPECT_EQ(leases.Open(kNode, {BootId("b"), 2}, 1, At(1)), Claim::kOpen);
}

TEST_F(Leases, EndWithAGoodbyeOfWhoSpeaksForTheNode) {
  ASSERT_EQ(leases.Open(kNode, kFirst, 1, At(0)), Claim::kOpen);
  ASSERT_EQ(leases.Open(kNode, kSecond, 1, At(1)), Claim::kOpen);
  EXPECT_FALSE(leases.Close(kNode, kFirst)) << "a late goodbye of the earlier session";
  EXPECT_TRUE(leases.Close(kNode, kSecond));
  EXPECT_FALSE(leases.Close(kNode, kSecond));
  EXPECT_THAT(ExpiredUntil(60), IsEmpty()) << "it is gone already";
  EXPECT_EQ(leases.Open(kNode, {BootId("b"), 3}, 2, At(61)), Claim::kOpen) << "its name is free at once";
}

TEST_F(Leases, NobodyIsBlamedForAStandstillOfThisProcess) {
  ASSERT_EQ(leases.Open(kNode, kFirst, 1, At(0)), Claim::kOpen);
  EXPECT_THAT(leases.TakeExpired(At(5)), IsEmpty());
  EXPECT_THAT(leases.TakeExpired(At(1000)), IsEmpty()) << "this process was paused for 100 s";
  now = 1005;
  EXPECT_THAT(ExpiredUntil(1031), IsEmpty());
  EXPECT_THAT(ExpiredUntil(1060), ElementsAre(kNode)) << "but it has to be heard of within a lease";
}

} // namespace
} // namespace avocet
