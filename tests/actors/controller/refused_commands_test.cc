// Controller and agent as they are, each with a disk of its own that can be made to refuse.
#include <algorithm>

#include <gmock/gmock.h>

#include "actors/agent/agent_actor.h"
#include "actors/controller/controller_actor.h"
#include "actors/store_actor.h"
#include "node_agent/model_files.h"
#include "storage/records.h"
#include "tests/support/actor_fixture.h"
#include "tests/support/emulated_text.h"
#include "tests/support/fake_agent.h"
#include "tests/support/temp_dir.h"
#include "tests/support/view_builder.h"

namespace avocet {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr Duration kLongestPause = std::chrono::seconds(30);
constexpr Duration kHeartbeat = std::chrono::seconds(1);

class RefusedCommands : public ActorTest {
protected:
  RefusedCommands() {
    controller = Keep(*SpawnController(system, std::make_unique<FaultyStore>(controller_disk),
                                       *ModelFiles::Open({.directory = dir.path()}), {.detached = false}));
    SpawnAgent();
    Import("pose");
  }

  void SpawnAgent() {
    auto args = std::make_shared<AgentActorArgs>();
    args->node = TestNode();
    args->store = Keep(SpawnStore(system, std::make_unique<FaultyStore>(agent_disk), std::nullopt, false));
    args->driver = std::make_shared<const DeviceDriver>(
        DeviceDriver{.announce = [](const Command&) {},
                     .start = [this](const Command& c) { return started.push_back(c), Status(); },
                     .stop = [this](const Command& c) { return stopped.push_back(c), Status(); },
                     .profile = [](const ProfileOnDevice& order) -> Result<Profile> {
                       return Profile{.model = order.model,
                                      .format = order.variant.format,
                                      .device_type = "test device",
                                      .service_mean = FromMillis(10),
                                      .memory_bytes = 100 * kMiB,
                                      .runs = 5,
                                      .emulated = true};
                     }});
    args->close_windows = [] { return std::vector<MeasurementWindow>(); };
    args->options.detached_workers = false;
    agent = Keep(system.spawn(AgentBehavior, std::shared_ptr<const AgentActorArgs>(args)));
    Send(agent, ConnectTo{caf::actor_cast<agent_link_actor>(controller)});
  }

  void Import(const std::string& name) {
    const std::string bytes = EmulatedText(name);
    const Sha256 file = Sha256Of(bytes);
    ASSERT_TRUE(Ask<ModelChunkStored>(controller, PutModelChunk{file, 0, bytes.size(), bytes}).ok());
    const Model model{.name = name, .variants = {{ModelFormat::kEmulated, file, bytes.size()}}};
    ASSERT_TRUE(Ask<Model>(controller, ImportModel{model}).ok());
  }

  void Apply(const std::string& app) {
    const auto decision = Ask<Decision>(controller, ApplyApp{MakeApp(app, "pose", {.rate_rps = 5}), {}});
    ASSERT_TRUE(decision.ok()) << decision.status().ToString();
    ASSERT_EQ(decision->kind, DecisionKind::kAdmit);
  }

  Placement Placed(const std::string& app) { return *Ask<AppStatus>(controller, GetApp{AppId(app)})->placement; }

  std::vector<Event> EventsOf(const std::string& kind) {
    std::vector<Event> events;
    const auto all = Ask<EventList>(controller, ListEvents{0});
    for (const auto& event : all->events) {
      if (event.kind == kind) events.push_back(event);
    }
    return events;
  }

  TempDir dir;
  std::shared_ptr<FaultyStore::Control> controller_disk = std::make_shared<FaultyStore::Control>();
  std::shared_ptr<FaultyStore::Control> agent_disk = std::make_shared<FaultyStore::Control>();
  std::vector<Command> started, stopped;
  controller_actor controller;
  agent_actor agent;
};

TEST_F(RefusedCommands, AStartIsShownWithItsReasonAndMadeOnceThereIsRoom) {
  agent_disk->fail = true;
  Apply("cam");
  for (int minute = 0; minute < 5; ++minute) {
    EXPECT_EQ(Placed("cam").phase, PlacementPhase::kStarting);
    EXPECT_THAT(Placed("cam").reason, HasSubstr("the disk is full"));
    Advance(std::chrono::minutes(1));
  }
  EXPECT_THAT(started, IsEmpty());
  ASSERT_EQ(EventsOf("command_not_taken").size(), 1U) << "told once, however often it is tried";
  EXPECT_THAT(EventsOf("command_not_taken")[0].detail, HasSubstr("the disk is full"));

  agent_disk->fail = false;
  Advance(kLongestPause + 2 * kHeartbeat);
  EXPECT_EQ(Placed("cam").phase, PlacementPhase::kReady);
  EXPECT_THAT(Placed("cam").reason, IsEmpty());
  EXPECT_EQ(started.size(), 1U);
  EXPECT_EQ(EventsOf("command_taken").size(), 1U);
}

TEST_F(RefusedCommands, ARemovalThatWasAcknowledgedStopsTheApplicationOnceThereIsRoom) {
  Apply("cam");
  ASSERT_EQ(Placed("cam").phase, PlacementPhase::kReady);
  agent_disk->fail = true;
  ASSERT_TRUE(Ask<RemovedApp>(controller, RemoveApp{AppId("cam")}).ok());
  Advance(std::chrono::minutes(5));
  EXPECT_THAT(stopped, IsEmpty());
  EXPECT_EQ(EventsOf("command_not_taken").size(), 1U);

  agent_disk->fail = false;
  Advance(kLongestPause + 2 * kHeartbeat);
  ASSERT_THAT(stopped, Not(IsEmpty()));
  EXPECT_EQ(stopped[0].app, AppId("cam"));
  EXPECT_EQ(started.size(), 1U);
}

TEST_F(RefusedCommands, TheyAreSentAgainSoonWhenTheRefusalWasShort) {
  agent_disk->fail = true;
  Apply("cam");
  agent_disk->fail = false;
  Advance(std::chrono::seconds(1) + 2 * kHeartbeat);
  EXPECT_EQ(Placed("cam").phase, PlacementPhase::kReady);
}

TEST_F(RefusedCommands, AnAgentThatGoesOnRefusingIsAskedSeldom) {
  agent_disk->fail = true;
  Apply("cam");
  Advance(std::chrono::minutes(2));
  const size_t before = EventsOf("node_up").size();
  Advance(std::chrono::minutes(10));
  EXPECT_LE(EventsOf("node_up").size() - before, 41U) << "pauses of 15 to 30 s";
  EXPECT_GE(EventsOf("node_up").size() - before, 15U);
}

TEST_F(RefusedCommands, OtherApplicationsOfTheAgentAreNotDisturbed) {
  Apply("cam");
  agent_disk->fail = true;
  Apply("door");
  Advance(std::chrono::minutes(2));
  EXPECT_EQ(Placed("cam").phase, PlacementPhase::kReady);
  agent_disk->fail = false;
  Advance(kLongestPause + 2 * kHeartbeat);
  EXPECT_EQ(Placed("door").phase, PlacementPhase::kReady);
  EXPECT_EQ(started.size(), 2U) << "each was loaded once";
  EXPECT_THAT(stopped, IsEmpty());
}

} // namespace
} // namespace avocet
