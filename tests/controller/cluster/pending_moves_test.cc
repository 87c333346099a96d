#include "controller/cluster/pending_moves.h"

#include <optional>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace avocet {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

const AppId kCam("cam"), kNew("new");

Placement On(const std::string& device, uint64_t epoch, PlacementPhase phase = PlacementPhase::kStarting) {
  return {.app = kCam, .device = DeviceId(device), .model = ModelId("pose:1"), .epoch = epoch, .phase = phase};
}

Placement Serving(const std::string& device, uint64_t epoch) {
  return On(device, epoch, PlacementPhase::kReady);
}

Placement Newcomer(uint64_t epoch) {
  Placement placement = On("n1/a", epoch);
  placement.app = kNew;
  return placement;
}

std::vector<std::string> Texts(const std::vector<Command>& commands) {
  std::vector<std::string> texts;
  for (const auto& one : commands)
    texts.push_back(std::string(ToString(one.kind)) + " " + one.app.str() + " " + one.device.str() + " " +
                    std::to_string(one.epoch));
  return texts;
}

TEST(PendingMoves, StopsEveryCopyOnceTheCurrentOneServes) {
  PendingMoves moves;
  const auto a = Serving("n1/a", 1), b = On("n2/b", 2), c = On("n3/c", 3);
  EXPECT_THAT(moves.Replace(a, b), IsEmpty());
  EXPECT_THAT(moves.Replace(b, c), IsEmpty());
  EXPECT_THAT(Texts(moves.Arrived(kCam)), ElementsAre("stop cam n1/a 1", "stop cam n2/b 2"));
  EXPECT_THAT(moves.Arrived(kCam), IsEmpty());
}

/// A start that its agent refuses leaves the copy that it was to replace.
TEST(PendingMoves, FallsBackToWhatServesBehindALaterStartOnItsDevice) {
  PendingMoves moves;
  (void)moves.Replace(Serving("n1/a", 1), On("n1/a", 2));
  (void)moves.Replace(On("n1/a", 2), On("n2/b", 3));
  EXPECT_TRUE(moves.Note(Serving("n1/a", 1)));
  EXPECT_TRUE(moves.Note(On("n1/a", 2, PlacementPhase::kFailed))) << "not to be stopped by itself";
  EXPECT_TRUE(moves.HasServingCopy(kCam));
  EXPECT_EQ(moves.TakeFallback(kCam)->epoch, 1U);
}

TEST(PendingMoves, AStopEndsAllThatItsDeviceMayHave) {
  PendingMoves moves;
  (void)moves.Replace(On("n1/a", 2), On("n2/b", 3));
  EXPECT_TRUE(moves.Note(Serving("n1/a", 1)));
  EXPECT_THAT(Texts(moves.Arrived(kCam)), ElementsAre("stop cam n1/a 2"));
}

TEST(PendingMoves, WhoWaitsIsStartedUnderTheEpochThatItHasThen) {
  PendingMoves moves;
  moves.Wait(Newcomer(3), {kCam});
  moves.Renew(Newcomer(7));
  EXPECT_THAT(Texts(moves.Arrived(kCam)), ElementsAre("start new n1/a 7"));
  moves.Renew(Newcomer(8));
  EXPECT_FALSE(moves.IsWaiting(kNew)) << "it waits no longer";
}

TEST(PendingMoves, ACopyOnTheDeviceOfTheCurrentOneIsReplacedByItsStart) {
  PendingMoves moves;
  (void)moves.Replace(Serving("n1/a", 1), On("n2/b", 2));
  (void)moves.Replace(On("n2/b", 2), On("n1/a", 3));
  EXPECT_THAT(Texts(moves.Arrived(kCam)), ElementsAre("stop cam n2/b 2"));
}

TEST(PendingMoves, AnotherModelOnTheSameDeviceLeavesNoCopy) {
  PendingMoves moves;
  (void)moves.Replace(Serving("n1/a", 1), On("n1/a", 2));
  EXPECT_THAT(moves.Arrived(kCam), IsEmpty());
}

TEST(PendingMoves, FallsBackToTheLatestCopyThatServes) {
  PendingMoves moves;
  const auto a = Serving("n1/a", 1), b = On("n2/b", 2), c = On("n3/c", 3), d = On("n4/d", 4);
  (void)moves.Replace(a, b);
  (void)moves.Replace(b, c);
  (void)moves.Replace(c, d);
  EXPECT_TRUE(moves.Note(Serving("n2/b", 2)));
  const auto fallback = moves.TakeFallback(kCam);
  ASSERT_TRUE(fallback);
  EXPECT_EQ(fallback->device, b.device);
  EXPECT_THAT(Texts(moves.Arrived(kCam)), ElementsAre("stop cam n1/a 1", "stop cam n3/c 3"));
}

TEST(PendingMoves, FallsBackToTheLatestCopyWhereNoneServes) {
  PendingMoves moves;
  (void)moves.Replace(On("n1/a", 1), On("n2/b", 2));
  (void)moves.Replace(On("n2/b", 2), On("n3/c", 3));
  EXPECT_FALSE(moves.HasServingCopy(kCam));
  EXPECT_EQ(moves.TakeFallback(kCam)->epoch, 2U);
  EXPECT_EQ(moves.TakeFallback(kCam)->epoch, 1U);
  EXPECT_FALSE(moves.TakeFallback(kCam));
}

TEST(PendingMoves, NotesReportsOfKeptCopiesOnly) {
  PendingMoves moves;
  (void)moves.Replace(On("n1/a", 1), On("n2/b", 2));
  EXPECT_FALSE(moves.Note(Serving("n2/b", 2))) << "the current copy";
  EXPECT_FALSE(moves.HasServingCopy(kCam));
  EXPECT_TRUE(moves.Note(Serving("n1/a", 1)));
  EXPECT_TRUE(moves.HasServingCopy(kCam));
}

TEST(PendingMoves, RemovalStopsAllCopies) {
  PendingMoves moves;
  (void)moves.Replace(On("n1/a", 1), On("n2/b", 2));
  EXPECT_THAT(Texts(moves.Removed(kCam)), ElementsAre("stop cam n1/a 1"));
  EXPECT_THAT(moves.Removed(kCam), IsEmpty());
}

TEST(PendingMoves, ANewcomerStartsWhenAllHaveMadeRoom) {
  PendingMoves moves;
  moves.Wait(Newcomer(3), {kCam, AppId("other")});
  EXPECT_TRUE(moves.IsWaiting(kNew));
  EXPECT_THAT(moves.Arrived(kCam), IsEmpty());
  EXPECT_THAT(moves.Arrived(kCam), IsEmpty()) << "twice is not two";
  EXPECT_THAT(Texts(moves.Removed(AppId("other"))), ElementsAre("start new n1/a 3"));
  EXPECT_FALSE(moves.IsWaiting(kNew));
}

TEST(PendingMoves, StopsComeBeforeTheStartsThatNeedTheirRoom) {
  PendingMoves moves;
  (void)moves.Replace(Serving("n1/a", 1), On("n2/b", 2));
  moves.Wait(Newcomer(3), {kCam});
  EXPECT_THAT(Texts(moves.Arrived(kCam)), ElementsAre("stop cam n1/a 1", "start new n1/a 3"));
}

TEST(PendingMoves, ANewcomerWhoseRoomIsNotMadeIsNamed) {
  PendingMoves moves;
  moves.Wait(Newcomer(3), {kCam, AppId("other")});
  EXPECT_THAT(moves.GiveUp(AppId("third")), IsEmpty());
  EXPECT_THAT(moves.GiveUp(kCam), ElementsAre(Newcomer(3)));
  EXPECT_FALSE(moves.IsWaiting(kNew));
}

TEST(PendingMoves, ANewcomerThatIsPlacedAnewOrRemovedWaitsNoLonger) {
  PendingMoves moves;
  moves.Wait(Newcomer(3), {kCam});
  (void)moves.Replace(Newcomer(3), Newcomer(4));
  EXPECT_THAT(moves.Arrived(kCam), IsEmpty());
  moves.Wait(Newcomer(4), {kCam});
  (void)moves.Removed(kNew);
  EXPECT_THAT(moves.Arrived(kCam), IsEmpty());
}

TEST(PendingMoves, KeepsSoManyCopiesAndStopsOneThatDoesNotServe) {
  PendingMoves moves;
  auto before = Serving("n/0", 1);
  for (uint64_t epoch = 2; epoch <= 1 + kMaxCopiesPerApp; ++epoch) {
    const auto now = On("n/" + std::to_string(epoch), epoch);
    EXPECT_THAT(moves.Replace(before, now), IsEmpty());
    before = now;
  }
  EXPECT_THAT(Texts(moves.Replace(before, On("n/x", 50))), ElementsAre("stop cam n/2 2"));
  EXPECT_TRUE(moves.HasServingCopy(kCam));
}

TEST(FateOf, ACopyIsStoppedOnlyWhenNobodyNeedsIt) {
  struct Case {
    Placement copy;
    std::optional<Placement> current;
    CopyFate fate;
  };
  const auto failed = [](Placement placement) {
    placement.phase = PlacementPhase::kFailed;
    return placement;
  };
  const std::vector<Case> cases{
      {Serving("n1/a", 1), {}, CopyFate::kStop},
      {Serving("n1/a", 2), {}, CopyFate::kLeave},
      {Serving("n1/a", 1), Serving("n2/b", 2), CopyFate::kStop},
      {Serving("n1/a", 1), On("n2/b", 2), CopyFate::kKeep},
      {Serving("n1/a", 1), failed(On("n2/b", 2)), CopyFate::kKeep},
      {On("n1/a", 1), On("n2/b", 2), CopyFate::kKeep},
      {failed(On("n1/a", 1)), On("n2/b", 2), CopyFate::kStop},
      {Serving("n1/a", 1), On("n1/a", 2), CopyFate::kIgnore},
      {Serving("n1/a", 1), failed(On("n1/a", 2)), CopyFate::kKeep},
      {On("n1/a", 1), failed(On("n1/a", 2)), CopyFate::kIgnore},
  };
  const Removals removals({{kCam, 1}});
  for (size_t i = 0; i < cases.size(); ++i) {
    const auto& [copy, current, fate] = cases[i];
    EXPECT_EQ(FateOf(copy, current ? &*current : nullptr, removals), fate) << "case " << i;
  }
}

TEST(PendingMovesDeathTest, WhoWaitsWaitsForSomebody) {
  PendingMoves moves;
  EXPECT_DEATH(moves.Wait(Newcomer(1), {}), "movers.empty");
}

} // namespace
} // namespace avocet
