#include "actors/protocol/cluster_guard.h"

#include <gtest/gtest.h>

namespace avocet {
namespace {

using Entry = ClusterGuard::Entry;
const NodeId kLeft("left");

TEST(ClusterGuard, LetsInItsOwnAndThoseThatHaveNoClusterYet) {
  ClusterGuard guard(7);
  EXPECT_EQ(guard.Ask(kLeft, 7), Entry::kOpen);
  EXPECT_EQ(guard.Ask(kLeft, 0), Entry::kOpen);
  EXPECT_FALSE(guard.Adopt(kLeft)) << "nobody was refused";
}

TEST(ClusterGuard, RefusesOthersUntilTheyAreAdopted) {
  ClusterGuard guard(7);
  EXPECT_EQ(guard.Ask(kLeft, 8), Entry::kRefusedFirst);
  EXPECT_EQ(guard.Ask(kLeft, 8), Entry::kRefused);
  ASSERT_TRUE(guard.Adopt(kLeft));
  EXPECT_EQ(guard.Ask(kLeft, 8), Entry::kOpen) << "also when it was cut off before it heard of its new cluster";
  EXPECT_EQ(guard.Ask(kLeft, 8), Entry::kOpen);
  EXPECT_EQ(guard.Ask(kLeft, 9), Entry::kRefusedFirst) << "that is another agent";
  EXPECT_EQ(guard.Ask(kLeft, 7), Entry::kOpen);
  EXPECT_EQ(guard.Ask(kLeft, 8), Entry::kRefusedFirst) << "an adoption does not outlive its purpose";
}

TEST(ClusterGuard, RemembersSoManyOthers) {
  ClusterGuard guard(7);
  for (size_t i = 0; i < kMaxForeignNodes; ++i)
    EXPECT_EQ(guard.Ask(NodeId("n" + std::to_string(i)), 8), Entry::kRefusedFirst);
  EXPECT_EQ(guard.Ask(kLeft, 8), Entry::kRefused);
  EXPECT_FALSE(guard.Adopt(kLeft));
}

TEST(ClusterGuard, AClusterHasAName) {
  EXPECT_EQ(ClusterName(0x12ab), "00000000000012ab");
}

} // namespace
} // namespace avocet
