#include "controller/cluster/undo_log.h"

#include <gtest/gtest.h>

namespace avocet {
namespace {

const AppId kCam("cam"), kDoor("door");

/// The application on a device, under an epoch; 0: not placed.
AppSnapshot At(uint64_t epoch, const AppId& app = kCam) {
  AppSnapshot snapshot{app, {}, {}};
  if (epoch > 0) snapshot.placement = Placement{.app = app, .device = DeviceId("n/d"), .epoch = epoch};
  return snapshot;
}

TEST(UndoLog, AFailedChangeGoesBackToWhatWasBefore) {
  UndoLog log;
  const auto ticket = log.Begin(At(1));
  EXPECT_TRUE(log.IsPending(kCam));
  EXPECT_EQ(log.Failed(ticket), At(1));
  EXPECT_FALSE(log.IsPending(kCam));
}

TEST(UndoLog, WhatIsOnDiskIsNotUndone) {
  UndoLog log;
  const auto first = log.Begin(At(0)), second = log.Begin(At(1));
  EXPECT_EQ(log.Durable(first), At(0));
  EXPECT_TRUE(log.IsPending(kCam));
  EXPECT_EQ(log.Failed(second), At(1));
}

TEST(UndoLog, ALaterChangeThatStandsIsNotTouched) {
  UndoLog log;
  const auto first = log.Begin(At(0)), second = log.Begin(At(1));
  EXPECT_EQ(log.Failed(first), std::nullopt);
  (void)log.Durable(second);
  EXPECT_FALSE(log.IsPending(kCam));
}

TEST(UndoLog, ChangesThatFailTogetherRollBackToBeforeAllOfThem) {
  UndoLog log;
  const auto first = log.Begin(At(7)), second = log.Begin(At(8)), third = log.Begin(At(9));
  EXPECT_EQ(log.Failed(first), std::nullopt);
  EXPECT_EQ(log.Failed(second), std::nullopt);
  EXPECT_EQ(log.Failed(third), At(7));
}

TEST(UndoLog, UndoneLatestFirstEachGoesBackOneStep) {
  UndoLog log;
  const auto first = log.Begin(At(7)), second = log.Begin(At(8));
  EXPECT_EQ(log.Failed(second), At(8));
  EXPECT_EQ(log.Failed(first), At(7));
}

TEST(UndoLog, KnowsWhatIsOnDiskOfWhatIsBeingChanged) {
  UndoLog log;
  EXPECT_TRUE(log.OnDisk().empty());
  const auto first = log.Begin(At(7)), second = log.Begin(At(8)), door = log.Begin(At(5, kDoor));
  EXPECT_EQ(log.OnDisk(), (std::vector<AppSnapshot>{At(7), At(5, kDoor)}));
  (void)log.Durable(first);
  EXPECT_EQ(log.OnDisk(), (std::vector<AppSnapshot>{At(8), At(5, kDoor)}));
  (void)log.Failed(second);
  (void)log.Durable(door);
  EXPECT_TRUE(log.OnDisk().empty());
}

TEST(UndoLog, ApplicationsHaveNothingToDoWithEachOther) {
  UndoLog log;
  const auto cam = log.Begin(At(1)), door = log.Begin(At(5, kDoor));
  EXPECT_EQ(log.Failed(cam), At(1));
  EXPECT_TRUE(log.IsPending(kDoor));
  EXPECT_EQ(log.Failed(door), At(5, kDoor));
}

Placement Report(uint64_t epoch) {
  return {.app = kCam, .device = DeviceId("n/d"), .epoch = epoch, .phase = PlacementPhase::kReady};
}

TEST(UndoLog, WhatIsReportedMeanwhileIsNotLost) {
  UndoLog log;
  const auto ticket = log.Begin(At(7));
  EXPECT_TRUE(log.Note(Report(7)));
  const auto before = log.Failed(ticket);
  ASSERT_TRUE(before);
  EXPECT_EQ(before->placement->phase, PlacementPhase::kReady) << "it serves, and is current again";

  const auto again = log.Begin(At(8));
  EXPECT_TRUE(log.Note(Report(8)));
  EXPECT_EQ(log.Durable(again).placement->phase, PlacementPhase::kReady) << "it serves until the new copy does";
}

TEST(UndoLog, NotesOnlyWhatAChangeReplaces) {
  UndoLog log;
  EXPECT_FALSE(log.Note(Report(7)));
  (void)log.Begin(At(7));
  EXPECT_FALSE(log.Note(Report(6)));
  Placement elsewhere = Report(7);
  elsewhere.device = DeviceId("n/e");
  EXPECT_FALSE(log.Note(elsewhere));
}

TEST(UndoLogDeathTest, ATicketIsUsedUp) {
  UndoLog log;
  const auto ticket = log.Begin(At(1));
  EXPECT_EQ(log.Durable(ticket), At(1));
  EXPECT_DEATH((void)log.Failed(ticket), "AVOCET_CHECK");
}

} // namespace
} // namespace avocet
