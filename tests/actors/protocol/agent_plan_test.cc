#include "actors/protocol/agent_plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "storage/memory_store.h"
#include "storage/records.h"

namespace avocet {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

const AppId kCam("cam");
const DeviceId kA("n1/a"), kB("n1/b");
const MonotonicTime kNow{};

Command Start(uint64_t epoch, const DeviceId& device = kA) {
  return {.kind = CommandKind::kStart,
          .epoch = epoch,
          .device = device,
          .app = kCam,
          .model = ModelId("pose:1"),
          .file = Sha256(std::string(64, 'a')),
          .size_bytes = 7};
}

Command Stop(uint64_t epoch, const DeviceId& device = kA) {
  Command command = Start(epoch, device);
  command.kind = CommandKind::kStop;
  return command;
}

class AgentPlanTest : public testing::Test {
protected:
  /// Taken, written, committed.
  AgentPlan::Step Give(const Command& command) {
    Write(command);
    return plan.Commit(command);
  }
  void Write(const Command& command) {
    const auto records = plan.Take(command);
    ASSERT_TRUE(records.ok()) << records.status().ToString();
    ASSERT_TRUE(disk.Write(*records, Sync::kYes).ok());
  }
  std::vector<Placement> OnDisk() const { return *LoadAll(disk, kPlan); }
  /// Epoch and phase of what a registration would say.
  std::vector<std::pair<uint64_t, PlacementPhase>> Running() const {
    std::vector<std::pair<uint64_t, PlacementPhase>> running;
    for (const auto& copy : plan.Running())
      running.emplace_back(copy.epoch, copy.phase);
    return running;
  }

  MemoryStore disk;
  AgentPlan plan{{.max_attempts = 3}, {}, 0};
};

TEST_F(AgentPlanTest, ExecutesWhatIsOnDiskAndReportsHowItEnded) {
  Write(Start(1));
  EXPECT_THAT(OnDisk(), ElementsAre(CopyOf(Start(1))));
  EXPECT_EQ(OnDisk().at(0).size_bytes, 7U);
  EXPECT_THAT(Running(), IsEmpty()) << "it is not committed";
  EXPECT_EQ(plan.Commit(Start(1)).execute, Start(1));
  EXPECT_THAT(Running(), ElementsAre(std::pair(1U, PlacementPhase::kStarting)));

  const auto reports = plan.Started(Start(1));
  ASSERT_THAT(reports, SizeIs(1));
  EXPECT_EQ(reports[0].phase, PlacementPhase::kReady);
  EXPECT_THAT(Running(), ElementsAre(std::pair(1U, PlacementPhase::kReady)));
}

TEST_F(AgentPlanTest, SaysThatAStartIsPast) {
  (void)Give(Start(5));
  const auto status = plan.Take(Start(4)).status();
  EXPECT_EQ(status.code(), StatusCode::kCancelled);
  EXPECT_THAT(status.message(), HasSubstr("epoch 4 of application 'cam' is past"));
  EXPECT_THAT(status.message(), HasSubstr("epoch 5"));
}

TEST_F(AgentPlanTest, AnswersARepeatedStartWithWhatRuns) {
  (void)Give(Start(5));
  (void)plan.Started(Start(5));
  const auto step = Give(Start(5));
  EXPECT_FALSE(step.execute);
  ASSERT_TRUE(step.report);
  EXPECT_EQ(step.report->phase, PlacementPhase::kReady);
}

TEST_F(AgentPlanTest, AStopOfAnOldCopyIsNeverPast) {
  (void)Give(Start(1, kA));
  (void)Give(Start(7, kB));
  EXPECT_EQ(Give(Stop(1, kA)).execute, Stop(1, kA));
  EXPECT_THAT(OnDisk(), ElementsAre(CopyOf(Start(7, kB))));
}

TEST_F(AgentPlanTest, AStopThatIsOlderThanTheCopyLeavesIt) {
  (void)Give(Start(5));
  (void)Give(Stop(4));
  EXPECT_THAT(Running(), SizeIs(1));
  (void)Give(Stop(5));
  EXPECT_THAT(Running(), IsEmpty());
  EXPECT_THAT(OnDisk(), IsEmpty());
}

TEST_F(AgentPlanTest, AStartThatComesAfterItsStopIsPast) {
  (void)Give(Stop(6));
  EXPECT_FALSE(plan.Take(Start(6)).ok());
  EXPECT_TRUE(plan.Take(Start(6, kB)).ok()) << "the stop was of another device";
  EXPECT_TRUE(plan.Take(Start(7)).ok());
}

TEST_F(AgentPlanTest, AStopErasesAStartThatIsStillOnItsWayToTheDisk) {
  Write(Start(5));
  Write(Stop(5));
  EXPECT_THAT(OnDisk(), IsEmpty());
  EXPECT_FALSE(plan.Commit(Start(5)).execute);
  EXPECT_EQ(plan.Commit(Stop(5)).execute, Stop(5));
  EXPECT_THAT(Running(), IsEmpty());
}

TEST_F(AgentPlanTest, DoesNotReportAStartThatWasOvertaken) {
  (void)Give(Start(1, kA));
  (void)Give(Start(2, kB));
  EXPECT_THAT(plan.Started(Start(1, kA)), IsEmpty());
  EXPECT_THAT(plan.Failed(Start(1, kA), Internal("broken"), kNow), IsEmpty());
  EXPECT_THAT(Running(), ElementsAre(std::pair(2U, PlacementPhase::kStarting)));
}

TEST_F(AgentPlanTest, NamesTheCopyThatServesWhileTheLatestDoesNot) {
  (void)Give(Start(1, kA));
  (void)plan.Started(Start(1, kA));
  (void)Give(Start(2, kB));
  const auto reports = plan.Failed(Start(2, kB), Internal("broken"), kNow);
  ASSERT_THAT(reports, SizeIs(2)) << "the controller may not know of the copy that serves";
  EXPECT_EQ(reports[1].epoch, 1U);
  EXPECT_THAT(Running(), ElementsAre(std::pair(2U, PlacementPhase::kFailed), std::pair(1U, PlacementPhase::kReady)));
  (void)Give(Stop(2, kB));
  EXPECT_THAT(Running(), ElementsAre(std::pair(1U, PlacementPhase::kReady)));
  (void)Give(Stop(1, kA));
  EXPECT_THAT(Running(), IsEmpty());
}

TEST_F(AgentPlanTest, ACommandThatTheDiskRefusedChangesNothing) {
  (void)Give(Start(1));
  (void)plan.Started(Start(1));
  ASSERT_TRUE(plan.Take(Start(2, kB)).ok());
  plan.Refused(Start(2, kB)); // never written, never committed
  EXPECT_THAT(Running(), ElementsAre(std::pair(1U, PlacementPhase::kReady)));
  EXPECT_EQ(Give(Start(2, kB)).execute, Start(2, kB)) << "when it comes again";
}

TEST_F(AgentPlanTest, AStopErasesTheRecordThatARefusedStartDidNotReplace) {
  (void)Give(Start(1, kA));
  ASSERT_TRUE(plan.Take(Start(2, kB)).ok());
  plan.Refused(Start(2, kB));
  EXPECT_THAT(OnDisk(), ElementsAre(CopyOf(Start(1, kA))));
  (void)Give(Stop(1, kA));
  EXPECT_THAT(OnDisk(), IsEmpty()) << "or it would run again after a restart";
}

TEST_F(AgentPlanTest, ARefusedCommandLeavesTheRecordsOfALaterOne) {
  (void)Give(Start(1, kA));
  ASSERT_TRUE(plan.Take(Start(2, kB)).ok());
  Write(Start(3, kA));
  plan.Refused(Start(2, kB));
  (void)plan.Commit(Start(3, kA));
  (void)Give(Stop(2, kB));
  EXPECT_THAT(OnDisk(), ElementsAre(CopyOf(Start(3, kA))));
}

TEST_F(AgentPlanTest, TriesAStartAgainUntilTheLimit) {
  (void)Give(Start(1));
  MonotonicTime now = kNow;
  int attempts = 1;
  auto report = plan.Failed(Start(1), Unavailable("cut"), now).at(0);
  for (; report.phase == PlacementPhase::kStarting; ++attempts) {
    EXPECT_THAT(report.reason, HasSubstr("cut; it is tried again"));
    EXPECT_THAT(plan.Retries(now), IsEmpty()) << "not at once";
    now += std::chrono::minutes(1);
    ASSERT_THAT(plan.Retries(now), ElementsAre(Start(1)));
    EXPECT_THAT(plan.Retries(now), IsEmpty()) << "it is under way";
    report = plan.Failed(Start(1), Unavailable("cut"), now).at(0);
  }
  EXPECT_EQ(attempts, 3);
  EXPECT_EQ(report.phase, PlacementPhase::kFailed);
  EXPECT_THAT(plan.Retries(now + std::chrono::hours(1)), IsEmpty());
}

TEST_F(AgentPlanTest, DoesNotTryAgainWhatCannotPass) {
  (void)Give(Start(1));
  EXPECT_EQ(plan.Failed(Start(1), Internal("broken"), kNow).at(0).phase, PlacementPhase::kFailed);
  EXPECT_THAT(plan.Retries(kNow + std::chrono::hours(1)), IsEmpty());
}

TEST_F(AgentPlanTest, ALaterCommandEndsTheAttempts) {
  (void)Give(Start(1));
  (void)plan.Failed(Start(1), Unavailable("cut"), kNow);
  (void)Give(Stop(1));
  EXPECT_THAT(plan.Retries(kNow + std::chrono::hours(1)), IsEmpty());

  (void)Give(Start(2));
  (void)plan.Failed(Start(2), Unavailable("cut"), kNow);
  (void)Give(Start(3, kB));
  EXPECT_THAT(plan.Retries(kNow + std::chrono::hours(1)), IsEmpty());
}

TEST_F(AgentPlanTest, TriesAStopAgainUnlessACopyReplacedIt) {
  (void)Give(Start(1));
  (void)Give(Stop(1));
  plan.StopFailed(Stop(1), kNow);
  EXPECT_THAT(plan.Retries(kNow + std::chrono::minutes(1)), ElementsAre(Stop(1)));
  (void)Give(Start(3));
  plan.StopFailed(Stop(1), kNow);
  EXPECT_THAT(plan.Retries(kNow + std::chrono::hours(1)), IsEmpty());
}

TEST_F(AgentPlanTest, StartsItsRecordsAgain) {
  Placement planned = CopyOf(Start(4));
  planned.phase = PlacementPhase::kReady;
  AgentPlan next({}, {planned}, 9);
  EXPECT_THAT(next.Resume(), ElementsAre(Start(4)));
  EXPECT_EQ(next.Running().at(0).phase, PlacementPhase::kStarting) << "until it is published";
  EXPECT_FALSE(next.Take(Start(3)).ok());
  EXPECT_EQ(next.highest_epoch(), 9U);
}

TEST_F(AgentPlanTest, KeepsTheHighestEpochOnDisk) {
  (void)Give(Start(4));
  (void)Give(Stop(9, kB));
  (void)Give(Stop(2, kB));
  EXPECT_EQ(plan.highest_epoch(), 9U);
  EXPECT_EQ(*Load(disk, kHighestEpoch), 9U);
}

} // namespace
} // namespace avocet
