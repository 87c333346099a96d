#include "controller/cluster/removals.h"

#include <gtest/gtest.h>

namespace avocet {
namespace {

Placement Copy(const std::string& app, uint64_t epoch) {
  return {.app = AppId(app), .device = DeviceId("n/d"), .epoch = epoch};
}

TEST(Removals, CoverCopiesUpToTheirEpoch) {
  Removals removals({{AppId("door"), 5}});
  EXPECT_TRUE(removals.Covers(Copy("door", 5)));
  EXPECT_FALSE(removals.Covers(Copy("door", 6))) << "it was applied again, and these records lost that";
  EXPECT_FALSE(removals.Covers(Copy("lane", 1)));
  (void)removals.Add({AppId("door"), 7});
  (void)removals.Add({AppId("door"), 2});
  EXPECT_TRUE(removals.Covers(Copy("door", 7)));
  removals.Erase(AppId("door"));
  EXPECT_FALSE(removals.Covers(Copy("door", 5)));
}

TEST(Removals, OneTooManyDropsTheOneOfTheLowestEpoch) {
  Removals removals;
  for (uint64_t i = 1; i <= kMaxRemovals; ++i)
    EXPECT_FALSE(removals.Add({AppId("app" + std::to_string(i)), i + 1}));
  const auto dropped = removals.Add({AppId("last"), 9'000});
  ASSERT_TRUE(dropped);
  EXPECT_EQ(*dropped, (Removal{AppId("app1"), 2}));
  EXPECT_EQ(removals.size(), kMaxRemovals);
  EXPECT_FALSE(removals.Covers(Copy("app1", 1)));
}

} // namespace
} // namespace avocet
