#include "controller/cluster/orphans.h"

#include <gtest/gtest.h>

namespace avocet {
namespace {

Placement Copy(const std::string& app, const std::string& device, uint64_t epoch) {
  return {.app = AppId(app), .device = DeviceId(device), .epoch = epoch};
}

TEST(Orphans, EachIsToldOnce) {
  Orphans orphans;
  const auto door = Copy("door", "n/d", 3), lane = Copy("lane", "n/d", 4);
  EXPECT_EQ(orphans.Registered(NodeId("n"), {door}), std::vector{door});
  EXPECT_EQ(orphans.Registered(NodeId("n"), {door, lane}), std::vector{lane}) << "the agent registered again";
  EXPECT_FALSE(orphans.Note(lane));
  EXPECT_TRUE(orphans.Note(Copy("lane", "n/e", 5)));
}

TEST(Orphans, ARegistrationReplacesThoseOfItsNode) {
  Orphans orphans;
  (void)orphans.Registered(NodeId("n"), {Copy("door", "n/d", 3)});
  (void)orphans.Registered(NodeId("m"), {Copy("door", "m/d", 2)});
  (void)orphans.Registered(NodeId("n"), {});
  EXPECT_TRUE(orphans.On(NodeId("n")).empty());
  EXPECT_EQ(orphans.Of(AppId("door")), std::vector{Copy("door", "m/d", 2)});
}

TEST(Orphans, OnesThatAreTakenAreGone) {
  Orphans orphans;
  (void)orphans.Note(Copy("door", "n/d", 3));
  (void)orphans.Note(Copy("door", "m/d", 2));
  (void)orphans.Note(Copy("lane", "m/d", 4));
  EXPECT_EQ(orphans.Take(AppId("door")).size(), 2U);
  EXPECT_TRUE(orphans.Take(AppId("door")).empty());
  EXPECT_EQ(orphans.On(NodeId("m")).size(), 1U);
}

} // namespace
} // namespace avocet
