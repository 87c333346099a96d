#include "actors/lease_table.h"

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
  ASSERT_TRUE(leases.Open(kNode, kFirst, At(0)));
  EXPECT_THAT(ExpiredUntil(31), IsEmpty()) << "three seconds are still within the lease";
  EXPECT_THAT(ExpiredUntil(60), ElementsAre(kNode));
  EXPECT_FALSE(leases.Renew(kNode, kFirst, At(60))) << "it has to register again";
  EXPECT_EQ(leases.size(), 0U);
}

TEST_F(Leases, AreKeptByWhoIsHeard) {
  ASSERT_TRUE(leases.Open(kNode, kFirst, At(0)));
  for (int i = 10; i <= 100; i += 10) {
    EXPECT_THAT(ExpiredUntil(i), IsEmpty());
    EXPECT_TRUE(leases.Renew(kNode, kFirst, At(i)));
  }
}

TEST_F(Leases, BelongToTheLatestSession) {
  ASSERT_TRUE(leases.Open(kNode, kFirst, At(0)));
  ASSERT_TRUE(leases.Open(kNode, kSecond, At(1)));
  EXPECT_FALSE(leases.Renew(kNode, kFirst, At(20)));
  EXPECT_TRUE(leases.IsReplaced(kNode, kFirst));
  EXPECT_FALSE(leases.Open(kNode, kFirst, At(20))) << "a late Hello of the earlier session";
  EXPECT_TRUE(leases.IsCurrent(kNode, kSecond));
  EXPECT_THAT(ExpiredUntil(40), ElementsAre(kNode)) << "the earlier session kept nothing alive";
}

TEST_F(Leases, AnotherBootIsAnotherSession) {
  ASSERT_TRUE(leases.Open(kNode, {BootId("a"), 0}, At(0)));
  EXPECT_FALSE(leases.Renew(kNode, {BootId("b"), 0}, At(1)));
  ASSERT_TRUE(leases.Open(kNode, {BootId("b"), 0}, At(1)));
  EXPECT_FALSE(leases.IsCurrent(kNode, {BootId("a"), 0}));
}

TEST_F(Leases, NobodyIsBlamedForAStandstillOfThisProcess) {
  ASSERT_TRUE(leases.Open(kNode, kFirst, At(0)));
  EXPECT_THAT(leases.TakeExpired(At(5)), IsEmpty());
  EXPECT_THAT(leases.TakeExpired(At(1000)), IsEmpty()) << "this process was paused for 100 s";
  now = 1005;
  EXPECT_THAT(ExpiredUntil(1031), IsEmpty());
  EXPECT_THAT(ExpiredUntil(1060), ElementsAre(kNode)) << "but it has to be heard of within a lease";
}

} // namespace
} // namespace avocet
