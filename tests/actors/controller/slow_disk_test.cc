// A disk that answers late, well or not: what is on it is what the controller goes on with.
#include <deque>

#include <gmock/gmock.h>

#include "tests/actors/controller/placement_actor_fixture.h"

namespace avocet {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

/// Answers each write when the test says so.
struct HeldStore {
  struct Held {
    WriteBatch batch;
    caf::typed_response_promise<Done> promise;
  };
  std::deque<Held> held;
  bool holds = false;
  Status answer; ///< to the next FlushWrites

  void AnswerOldest(FaultyStore::Control& disk) {
    Held oldest = std::move(held.front());
    held.pop_front();
    const Status status = answer.ok() ? disk.memory.Write(oldest.batch, Sync::kYes) : answer;
    if (status.ok())
      oldest.promise.deliver(Done{});
    else
      oldest.promise.deliver(MakeError(status));
  }

  static store_actor::behavior_type Behavior(store_actor::pointer self, const std::shared_ptr<HeldStore>& store,
                                             const std::shared_ptr<FaultyStore::Control>& disk,
                                             const store_actor& files) {
    return {
        [=](const WriteRecords& write) -> caf::result<Done> {
          if (!store->holds) {
            const Status status = disk->memory.Write(write.batch, Sync::kYes);
            if (!status.ok()) return MakeError(status);
            return Done{};
          }
          return store->held.emplace_back(write.batch, self->make_response_promise<Done>()).promise;
        },
        [=](PutModelChunk& chunk) { return self->delegate(files, std::move(chunk)); },
        [=](FetchModel& fetch) { return self->delegate(files, std::move(fetch)); },
        [=](CheckModelFiles& check) { return self->delegate(files, std::move(check)); },
        [=](const ReadDecision& read) { return self->delegate(files, read); },
        [=](FlushWrites) { store->AnswerOldest(*disk); },
        [](StopActor) -> caf::result<Done> { return Done{}; },
    };
  }
};

class SlowDisk : public PlacementActorTest {
protected:
  SlowDisk() {
    store = Keep(system.spawn(HeldStore::Behavior, disk, control, store));
    Restart();
  }

  void SetUp() override {
    ReadyForApps();
    ASSERT_TRUE(Ask<ProfileList>(placement, ProfileModel{"pose", {}}).ok());
    disk->holds = true;
  }

  Pending<Decision> BeginApply(const std::string& app) {
    return Begin<Decision>(placement, ApplyApp{MakeApp(app, "pose", {.rate_rps = 5}), {}});
  }

  /// The oldest write that waits.
  void Answer(const Status& status) {
    disk->answer = status;
    Send(store, FlushWrites{});
  }
  void AnswerAll() {
    while (!disk->held.empty())
      Answer({});
  }

  std::vector<AppStatus> Apps() { return Ask<AppList>(snapshots, ListApps{})->apps; }

  std::shared_ptr<HeldStore> disk = std::make_shared<HeldStore>();
};

TEST_F(SlowDisk, AWriteThatIsLateYetWrittenStands) {
  const auto decision = BeginApply("cam");
  Advance(std::chrono::minutes(1));
  EXPECT_THAT(fake->commands, IsEmpty());
  EXPECT_THAT(Apps(), IsEmpty()) << "nobody is told before it is on disk";

  AnswerAll();
  EXPECT_TRUE(decision.get().ok());
  ASSERT_EQ(fake->commands.size(), 1U) << "or it would be placed, and never started";
  EXPECT_EQ(Apps().size(), 1U);
  Restart();
  EXPECT_EQ(Apps().size(), 1U);
}

TEST_F(SlowDisk, ARemovalThatIsLateYetWrittenStopsTheApplication) {
  const auto decision = BeginApply("cam");
  AnswerAll();
  ASSERT_TRUE(decision.get().ok());
  fake->commands.clear();
  const auto removed = Begin<RemovedApp>(placement, RemoveApp{AppId("cam")});
  Advance(std::chrono::minutes(1));
  AnswerAll();
  EXPECT_TRUE(removed.get().ok());
  ASSERT_EQ(fake->commands.size(), 1U);
  EXPECT_EQ(fake->commands[0].kind, CommandKind::kStop);
  EXPECT_THAT(Apps(), IsEmpty());
}

TEST_F(SlowDisk, ChangesOfOneApplicationThatFailTogetherLeaveItAsItWas) {
  const auto first = BeginApply("cam");
  const auto removed = Begin<RemovedApp>(placement, RemoveApp{AppId("cam")});
  const auto second = BeginApply("cam");
  Advance(std::chrono::minutes(1));
  while (!disk->held.empty())
    Answer(Unavailable("the disk is full"));
  EXPECT_FALSE(first.get().ok());
  EXPECT_FALSE(removed.get().ok());
  EXPECT_FALSE(second.get().ok());
  EXPECT_THAT(Apps(), IsEmpty());
  EXPECT_THAT(fake->commands, IsEmpty());
  Restart();
  EXPECT_THAT(Apps(), IsEmpty());
}

/// A registration must not write a placement whose application the disk then refuses.
TEST_F(SlowDisk, ARegistrationLeavesWhatIsOnItsWayToTheDisk) {
  const auto decision = BeginApply("cam");
  const auto up = Begin<Welcome>(placement, NodeUp{TestNode("n1"), {}, agent, 100});
  ASSERT_EQ(disk->held.size(), 2U);
  Answer(Unavailable("the disk is full"));
  AnswerAll();
  ASSERT_TRUE(up.get().ok());
  EXPECT_FALSE(decision.get().ok());
  EXPECT_THAT(fake->commands, IsEmpty());
  EXPECT_THAT(*LoadAll(control->memory, kPlacements), IsEmpty()) << "a placement of no application";

  // What the registration could not settle is found by the next one.
  Advance(std::chrono::seconds(2));
  EXPECT_THAT(fake->register_again, Not(IsEmpty()));
}

TEST_F(SlowDisk, ABoundedNumberOfChangesWaitsForIt) {
  for (size_t i = 0; i < kMaxWritesUnderWay; ++i)
    (void)BeginApply("a" + std::to_string(i));
  ASSERT_EQ(disk->held.size(), kMaxWritesUnderWay);
  const auto decision = BeginApply("cam");
  EXPECT_EQ(decision.get().status().code(), StatusCode::kUnavailable);
  EXPECT_THAT(Apps(), IsEmpty());
  AnswerAll();
  EXPECT_THAT(Apps(), Not(IsEmpty()));
  const auto removed = Begin<RemovedApp>(placement, RemoveApp{AppId("a0")});
  AnswerAll();
  EXPECT_TRUE(removed.get().ok());
}

TEST_F(SlowDisk, EventsAreConsecutiveOnDiskAlthoughWritesFailed) {
  const auto lost = BeginApply("cam");
  const auto kept = BeginApply("door");
  Answer(Unavailable("the disk is full"));
  AnswerAll();
  ASSERT_FALSE(lost.get().ok());
  ASSERT_TRUE(kept.get().ok());
  Send(placement, NodeAway{NodeId("n9"), "test"});
  AnswerAll();

  const auto events = *LoadAll(control->memory, kEvents);
  for (size_t i = 0; i < events.size(); ++i)
    EXPECT_EQ(events[i].sequence, i + 1);
  EXPECT_EQ(events.size(), Ask<EventList>(placement, ListEvents{0})->events.size());
  const auto undone =
      std::find_if(events.begin(), events.end(), [](const Event& e) { return e.kind == "not_recorded"; });
  ASSERT_NE(undone, events.end()) << "it must not say that the application was admitted";
  EXPECT_EQ(undone->subject, "cam");
  EXPECT_THAT(undone->detail, HasSubstr("app_admitted"));
}

} // namespace
} // namespace avocet
