// Looking is answered from snapshots: what they show, and that nobody waits for who looks.
#include "actors/controller/snapshot_actor.h"

#include "tests/actors/controller/placement_actor_fixture.h"

namespace avocet {
namespace {

/// What a slow disk still has to do, and how it will end.
struct SlowDisk {
  bool slow = false;
  Status result;
  std::vector<caf::typed_response_promise<Done>> writes;
  std::vector<caf::typed_response_promise<Decision>> reads;

  void Finish() {
    for (auto& write : std::exchange(writes, {})) {
      if (result.ok())
        write.deliver(Done{});
      else
        Refuse(write, result);
    }
    for (auto& read : std::exchange(reads, {}))
      Refuse(read, NotFound("nothing is kept"));
  }
};

/// A store actor in front of another one, on a disk that may be slow.
store_actor::behavior_type SlowStore(store_actor::pointer self, const store_actor& store,
                                     const std::shared_ptr<SlowDisk>& disk) {
  return {
      [=](WriteRecords& write) -> caf::result<Done> {
        if (!disk->slow) return self->delegate(store, std::move(write));
        disk->writes.push_back(self->make_response_promise<Done>());
        return disk->writes.back();
      },
      [=](PutModelChunk& chunk) { return self->delegate(store, std::move(chunk)); },
      [=](FetchModel& fetch) { return self->delegate(store, std::move(fetch)); },
      [=](CheckModelFiles& check) { return self->delegate(store, std::move(check)); },
      [=](ReadDecision& read) -> caf::result<Decision> {
        if (!disk->slow) return self->delegate(store, std::move(read));
        disk->reads.push_back(self->make_response_promise<Decision>());
        return disk->reads.back();
      },
      [=](FlushWrites) { disk->Finish(); },
      [](StopActor) -> caf::result<Done> { return Done{}; },
  };
}

class SnapshotActorTest : public PlacementActorTest {
protected:
  SnapshotActorTest() {
    store = Keep(system.spawn(SlowStore, store, disk));
    Restart();
    ReadyForApps();
  }

  std::vector<std::string> Listed() {
    std::vector<std::string> names;
    const auto list = Ask<AppList>(snapshots, ListApps{});
    EXPECT_TRUE(list.ok());
    for (const auto& row : list->apps)
      names.push_back(row.app.name.str());
    return names;
  }

  /// The slow disk is done with what waits.
  void FinishWrites(const Status& result = {}) {
    disk->result = result;
    Send(store, FlushWrites{});
  }

  Pending<Decision> BeginApply(const std::string& app, double rate_rps = 5) {
    return Begin<Decision>(placement, ApplyApp{MakeApp(app, "pose", {.rate_rps = rate_rps})});
  }

  using Names = std::vector<std::string>;
  std::shared_ptr<SlowDisk> disk = std::make_shared<SlowDisk>();
};

TEST_F(SnapshotActorTest, ListsAreAnsweredWhileADecisionIsOnItsWayToTheDisk) {
  ASSERT_TRUE(Apply("door").ok());
  disk->slow = true;
  const auto applied = BeginApply("cam");
  EXPECT_FALSE(applied.answered());
  EXPECT_EQ(Listed(), Names{"door"}) << "what is not on disk is not told";
  EXPECT_EQ(Ask<AppStatus>(snapshots, GetApp{AppId("cam")}).status().code(), StatusCode::kNotFound);
  EXPECT_EQ(Ask<DeviceList>(snapshots, ListDevices{})->devices.at(0).residents.size(), 1U);

  FinishWrites();
  ASSERT_TRUE(applied.answered());
  EXPECT_EQ(Listed(), (Names{"cam", "door"}));
}

TEST_F(SnapshotActorTest, AChangeThatTheDiskRefusedIsNeverShown) {
  ASSERT_TRUE(Apply("door", 5).ok());
  disk->slow = true;
  const auto changed = BeginApply("door", 7);
  const auto removed = Begin<RemovedApp>(placement, RemoveApp{AppId("door")});
  EXPECT_EQ(Ask<AppStatus>(snapshots, GetApp{AppId("door")})->app.rate_rps, 5);
  FinishWrites(Unavailable("the disk is full"));
  ASSERT_TRUE(changed.answered() && removed.answered());
  EXPECT_FALSE(changed.get().ok() || removed.get().ok());
  EXPECT_EQ(Ask<AppStatus>(snapshots, GetApp{AppId("door")})->app.rate_rps, 5);
}

/// A client that lists as soon as it has the answer to its request.
struct Witness {
  std::optional<size_t> after_apply, after_remove;
};

caf::behavior AppliesRemovesAndLists(caf::event_based_actor* self, const placement_actor& placement,
                                     const snapshot_actor& snapshots, const std::shared_ptr<Witness>& witness) {
  self->request(placement, caf::infinite, ApplyApp{MakeApp("cam", "pose")}).then([=](const Decision&) {
    self->request(snapshots, caf::infinite, ListApps{}).then([=](const AppList& list) {
      witness->after_apply = list.apps.size();
      self->request(placement, caf::infinite, RemoveApp{AppId("cam")}).then([=](const RemovedApp&) {
        self->request(snapshots, caf::infinite, ListApps{}).then([=](const AppList& list) {
          witness->after_remove = list.apps.size();
        });
      });
    });
  });
  return {[](int) {}};
}

TEST_F(SnapshotActorTest, WhoWasToldOfAChangeSeesItInTheNextList) {
  const auto witness = std::make_shared<Witness>();
  Keep(system.spawn(AppliesRemovesAndLists, placement, snapshots, witness));
  Run();
  EXPECT_EQ(witness->after_apply, 1U);
  EXPECT_EQ(witness->after_remove, 0U);
}

/// Nothing that placement does waits for the snapshot actor, however much that has to do.
TEST_F(SnapshotActorTest, DecidesAlthoughNobodyReadsTheSnapshots) {
  Kill(placement);
  const auto records = LoadControllerRecords(control->memory);
  ASSERT_TRUE(records.ok());
  const auto unread = caf::actor_cast<snapshot_actor>(self);
  placement = Keep(system.spawn(
      PlacementBehavior, std::make_shared<const PlacementActorArgs>(PlacementActorArgs{*records, store, unread, {}})));
  ASSERT_TRUE(BringUp().ok());
  ASSERT_TRUE(Apply("cam").ok());
  EXPECT_TRUE(Ask<Decision>(placement, PlanApp{MakeApp("door", "pose")}).ok());
  EXPECT_TRUE(Ask<RemovedApp>(placement, RemoveApp{AppId("cam")}).ok());
}

TEST_F(SnapshotActorTest, ReadsDecisionsOneAtATimeAndBoundsWhoWaits) {
  ASSERT_TRUE(Apply("cam").ok());
  disk->slow = true;
  std::vector<Pending<Decision>> waiting;
  for (size_t i = 0; i < kMaxWaitingExplanations; ++i)
    waiting.push_back(Begin<Decision>(snapshots, ExplainApp{AppId("cam")}));
  EXPECT_EQ(disk->reads.size(), 1U) << "or they would stand before the writes of decisions";

  const auto refused = Ask<Decision>(snapshots, ExplainApp{AppId("cam")});
  EXPECT_EQ(refused.status().code(), StatusCode::kResourceExhausted);

  disk->slow = false;
  FinishWrites();
  EXPECT_EQ(waiting.front().get().status().code(), StatusCode::kNotFound) << "as the slow disk said";
  for (size_t i = 1; i < waiting.size(); ++i)
    EXPECT_TRUE(waiting[i].get().ok());
  EXPECT_TRUE(Ask<Decision>(snapshots, ExplainApp{AppId("cam")}).ok()) << "room again";
}

TEST_F(SnapshotActorTest, ShowsWhatAgentsReport) {
  ASSERT_TRUE(Apply("cam").ok());
  EXPECT_EQ(PhaseOf("cam"), PlacementPhase::kStarting);
  ASSERT_TRUE(Ask<Done>(placement, ReportRunning{NodeId("n1"), ReportOf(fake->commands.at(0))}).ok());
  EXPECT_EQ(PhaseOf("cam"), PlacementPhase::kReady);
  Send(placement, NodeAway{NodeId("n1")});
  EXPECT_EQ(PhaseOf("cam"), PlacementPhase::kLost);
  EXPECT_EQ(Ask<NodeList>(snapshots, ListNodes{})->nodes.at(0).health, DeviceHealth::kAway);
}

} // namespace
} // namespace avocet
