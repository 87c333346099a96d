#include "actors/agent/agent_actor.h"

#include "actors/store_actor.h"
#include "storage/records.h"
#include "tests/support/actor_fixture.h"
#include "tests/support/fake_agent.h"
#include "tests/support/view_builder.h"

namespace avocet {
namespace {

const DeviceId kDevice{"n1/gpu0"};

Command Start(uint64_t epoch, const std::string& app = "cam") {
  return {.kind = CommandKind::kStart,
          .epoch = epoch,
          .device = kDevice,
          .app = AppId(app),
          .model = ModelId("pose:1"),
          .format = ModelFormat::kEmulated,
          .file = FakeDigest("pose")};
}

Command Stop(uint64_t epoch) {
  Command command = Start(epoch);
  command.kind = CommandKind::kStop;
  return command;
}

/// The controller as an agent sees it.
struct FakeController {
  std::vector<RegisterAgent> registrations;
  std::vector<Placement> reports;
  int heartbeats = 0;
  uint64_t cluster = 0;
  int windows = 0;
  std::vector<int> windows_before_goodbye;
  Status heartbeat_answer;

  static agent_link_actor::behavior_type Behavior(agent_link_actor::pointer,
                                                  const std::shared_ptr<FakeController>& fake) {
    return {
        [fake](const RegisterAgent& registration) -> caf::result<Welcome> {
          fake->registrations.push_back(registration);
          return Welcome{fake->cluster};
        },
        [fake](const Heartbeat&) -> caf::result<Done> {
          ++fake->heartbeats;
          if (!fake->heartbeat_answer.ok()) return MakeError(fake->heartbeat_answer);
          return Done{};
        },
        [fake](const ReportRunning& report) -> caf::result<Done> {
          fake->reports.push_back(report.running);
          return Done{};
        },
        [fake](const ReportWindows& report) { fake->windows += static_cast<int>(report.windows.size()); },
        [fake](const Goodbye&) { fake->windows_before_goodbye.push_back(fake->windows); },
        [](const FetchModel&) -> caf::result<ModelChunk> { return ModelChunk{}; },
    };
  }
};

class AgentActorTest : public ActorTest {
protected:
  AgentActorTest() {
    controller = Keep(system.spawn(FakeController::Behavior, fake));
    Spawn();
  }

  void Spawn() {
    store = Keep(SpawnStore(system, std::make_unique<FaultyStore>(control), std::nullopt, false));
    auto args = std::make_shared<AgentActorArgs>();
    args->node = TestNode();
    args->plan = *LoadAll(control->memory, kPlan);
    args->cluster = Load(control->memory, kCluster)->value_or(0);
    args->store = store;
    args->driver = std::make_shared<const DeviceDriver>(
        DeviceDriver{.announce = [this](const Command& c) { announced.push_back(c); },
                     .start = [this](const Command& c) { return started.push_back(c), driver_answer; },
                     .stop = [this](const Command& c) { return stopped.push_back(c), driver_answer; },
                     .profile = [this](const ProfileOnDevice& order) -> Result<Profile> {
                       if (!driver_answer.ok()) return driver_answer;
                       return Profile{.model = order.model};
                     }});
    args->close_windows = [this] {
      return std::vector<MeasurementWindow>{
          {.device = kDevice, .boot = BootId("boot"), .sequence = ++sequence, .length = FromMillis(200)}};
    };
    args->show_predictions = [this](const SetPredictions& given) { predictions.push_back(given); };
    args->options.detached_workers = false;
    agent = Keep(system.spawn(AgentBehavior, std::shared_ptr<const AgentActorArgs>(args)));
    Run();
  }

  Status Give(const Command& command) { return Ask<Done>(agent, RunCommand{command}).status(); }

  std::shared_ptr<FaultyStore::Control> control = std::make_shared<FaultyStore::Control>();
  std::shared_ptr<FakeController> fake = std::make_shared<FakeController>();
  std::vector<Command> announced;
  std::vector<Command> started;
  std::vector<Command> stopped;
  std::vector<SetPredictions> predictions;
  Status driver_answer;
  uint64_t sequence = 0;
  store_actor store;
  agent_link_actor controller;
  agent_actor agent;
};

TEST_F(AgentActorTest, RegistersAtOnceAndBeats) {
  Send(agent, ConnectTo{controller});
  ASSERT_EQ(fake->registrations.size(), 1U);
  EXPECT_EQ(fake->registrations[0].node, TestNode());
  Advance(std::chrono::seconds(3));
  EXPECT_GE(fake->heartbeats, 2);
  EXPECT_EQ(fake->registrations.size(), 1U);
}

TEST_F(AgentActorTest, RemembersTheClusterThatItJoined) {
  fake->cluster = 7;
  Send(agent, ConnectTo{controller});
  ASSERT_EQ(fake->registrations.size(), 1U);
  EXPECT_EQ(fake->registrations[0].cluster, 0U);
  Kill(agent);
  Kill(store);
  Spawn();
  fake->cluster = 0; // a controller of an earlier version tells none
  Send(agent, ConnectTo{controller});
  Send(agent, ConnectTo{controller});
  ASSERT_EQ(fake->registrations.size(), 3U);
  EXPECT_EQ(fake->registrations[1].cluster, 7U);
  EXPECT_EQ(fake->registrations[2].cluster, 7U);
}

TEST_F(AgentActorTest, ShowsThePredictionsThatItReceives) {
  Send(agent, SetPredictions{kDevice, {{AppId("cam"), {.mean = FromMillis(5)}}}});
  ASSERT_EQ(predictions.size(), 1U);
  EXPECT_EQ(predictions[0].apps.at(0).latency.mean, FromMillis(5));
}

TEST_F(AgentActorTest, RegistersAgainWhenTheControllerForgotIt) {
  Send(agent, ConnectTo{controller});
  fake->heartbeat_answer = NotFound("who are you");
  Advance(std::chrono::seconds(1));
  fake->heartbeat_answer = {};
  Advance(std::chrono::seconds(1));
  EXPECT_EQ(fake->registrations.size(), 2U);
}

TEST_F(AgentActorTest, GoesOnWithoutItsController) {
  Send(agent, ConnectTo{controller});
  Kill(controller);
  Advance(std::chrono::seconds(5));
  EXPECT_TRUE(Give(Start(1)).ok());
  EXPECT_EQ(started.size(), 1U);
}

TEST_F(AgentActorTest, RunsACommandOnceItIsOnDiskAndReports) {
  Send(agent, ConnectTo{controller});
  ASSERT_TRUE(Give(Start(1)).ok());
  EXPECT_EQ(started.size(), 1U);
  ASSERT_EQ(fake->reports.size(), 1U);
  EXPECT_EQ(fake->reports[0].phase, PlacementPhase::kReady);
  EXPECT_EQ(LoadAll(control->memory, kPlan)->size(), 1U);
}

TEST_F(AgentActorTest, ReportsWhyACommandFailed) {
  Send(agent, ConnectTo{controller});
  driver_answer = ResourceExhausted("no memory");
  ASSERT_TRUE(Give(Start(1)).ok());
  ASSERT_EQ(fake->reports.size(), 1U);
  EXPECT_EQ(fake->reports[0].phase, PlacementPhase::kFailed);
  EXPECT_NE(fake->reports[0].reason.find("no memory"), std::string::npos);
}

TEST_F(AgentActorTest, TriesAgainWhatCouldNotBeFetched) {
  Send(agent, ConnectTo{controller});
  driver_answer = Unavailable("the download ended");
  ASSERT_TRUE(Give(Start(1)).ok());
  EXPECT_EQ(fake->reports.back().phase, PlacementPhase::kStarting);
  EXPECT_NE(fake->reports.back().reason.find("the download ended"), std::string::npos);
  Advance(std::chrono::seconds(5));
  EXPECT_GT(started.size(), 1U);
  driver_answer = {};
  Advance(std::chrono::seconds(30));
  EXPECT_EQ(fake->reports.back().phase, PlacementPhase::kReady);
  const size_t attempts = started.size();
  Advance(std::chrono::seconds(60));
  EXPECT_EQ(started.size(), attempts);
}

TEST_F(AgentActorTest, GivesUpAStartAfterSoManyAttempts) {
  Send(agent, ConnectTo{controller});
  driver_answer = Unavailable("the download ended");
  ASSERT_TRUE(Give(Start(1)).ok());
  Advance(std::chrono::minutes(15), std::chrono::seconds(1));
  EXPECT_EQ(started.size(), 20U);
  EXPECT_EQ(fake->reports.back().phase, PlacementPhase::kFailed);
}

TEST_F(AgentActorTest, SpendsNoAttemptWhileThereIsNobodyToFetchFrom) {
  driver_answer = Unavailable("no controller");
  ASSERT_TRUE(Give(Start(1)).ok());
  Advance(std::chrono::minutes(15), std::chrono::seconds(1));
  EXPECT_EQ(started.size(), 1U);
  driver_answer = {};
  Send(agent, ConnectTo{controller});
  Advance(std::chrono::seconds(2));
  EXPECT_EQ(started.size(), 2U);
}

TEST_F(AgentActorTest, ALaterCommandEndsTheAttempts) {
  Send(agent, ConnectTo{controller});
  driver_answer = Unavailable("the download ended");
  ASSERT_TRUE(Give(Start(1)).ok());
  ASSERT_TRUE(Give(Stop(2)).ok());
  Advance(std::chrono::minutes(2), std::chrono::seconds(1));
  EXPECT_EQ(started.size(), 1U);
}

TEST_F(AgentActorTest, StopsAskingWhenItsControllerIsTakenAway) {
  Send(agent, ConnectTo{controller});
  Send(agent, ConnectTo{});
  Advance(std::chrono::seconds(5));
  EXPECT_EQ(fake->heartbeats, 0);
  EXPECT_EQ(fake->registrations.size(), 1U);
  Send(agent, ConnectTo{controller});
  EXPECT_EQ(fake->registrations.size(), 2U) << "a new session registers at once";
}

TEST_F(AgentActorTest, RefusesWhatItCannotRun) {
  auto command = Start(1);
  command.device = DeviceId("n1/other");
  EXPECT_EQ(Give(command).code(), StatusCode::kNotFound);
  EXPECT_EQ(Give(Start(0)).code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(Ask<Profile>(agent, ProfileOnDevice{DeviceId("n1/other"), {}, {}}).status().code(), StatusCode::kNotFound);
  EXPECT_TRUE(started.empty());
}

TEST_F(AgentActorTest, DoesNothingThatIsNotOnDisk) {
  control->fail = true;
  EXPECT_EQ(Give(Start(1)).code(), StatusCode::kUnavailable);
  EXPECT_TRUE(started.empty());
  control->fail = false;
  EXPECT_TRUE(Give(Start(1)).ok()) << "the same command is taken when it comes again";
  EXPECT_EQ(started.size(), 1U);
}

TEST_F(AgentActorTest, AnswersWhenItsStoreIsDead) {
  Kill(store); // the agent is linked to it: without a disk it ends, and its process with it
  EXPECT_EQ(Give(Start(1)).code(), StatusCode::kUnavailable);
}

TEST_F(AgentActorTest, RefusesPastStarts) {
  Send(agent, ConnectTo{controller});
  ASSERT_TRUE(Give(Start(5)).ok());
  ASSERT_TRUE(Give(Start(5)).ok());
  EXPECT_EQ(Give(Start(4)).code(), StatusCode::kCancelled);
  EXPECT_EQ(started.size(), 1U);
  EXPECT_EQ(fake->reports.size(), 2U) << "a repeated start is told again how things are";

  ASSERT_TRUE(Give(Stop(6)).ok());
  EXPECT_EQ(Give(Start(5)).code(), StatusCode::kCancelled) << "a late start does not resurrect";
  EXPECT_EQ(started.size(), 1U);
  EXPECT_EQ(stopped.size(), 1U);
  EXPECT_TRUE(LoadAll(control->memory, kPlan)->empty());
}

TEST_F(AgentActorTest, AnnouncesWhatIsOnDisk) {
  control->fail = true;
  EXPECT_FALSE(Give(Start(1)).ok());
  EXPECT_TRUE(announced.empty());
  control->fail = false;
  ASSERT_TRUE(Give(Start(1)).ok());
  ASSERT_TRUE(Give(Stop(1)).ok());
  EXPECT_EQ(announced, (std::vector{Start(1), Stop(1)}));
}

TEST_F(AgentActorTest, RegistersWithTheHighestEpochThatItHasSeen) {
  ASSERT_TRUE(Give(Start(3)).ok());
  ASSERT_TRUE(Give(Stop(8)).ok());
  Send(agent, ConnectTo{controller});
  ASSERT_EQ(fake->registrations.size(), 1U);
  EXPECT_EQ(fake->registrations[0].highest_epoch, 8U);
}

TEST_F(AgentActorTest, ServesItsCachedPlanBeforeAnyControllerAnswers) {
  ASSERT_TRUE(Give(Start(3)).ok());
  Kill(agent);
  started.clear();
  Spawn();
  ASSERT_EQ(started.size(), 1U);
  EXPECT_EQ(started[0], Start(3));
  Send(agent, ConnectTo{controller});
  ASSERT_EQ(fake->registrations.size(), 1U);
  ASSERT_EQ(fake->registrations[0].running.size(), 1U);
  EXPECT_EQ(fake->registrations[0].running[0].phase, PlacementPhase::kReady);
}

TEST_F(AgentActorTest, ProfilesOnItsDevice) {
  EXPECT_EQ(Ask<Profile>(agent, ProfileOnDevice{kDevice, ModelId("pose:1"), {}})->model, ModelId("pose:1"));
  driver_answer = Internal("no");
  EXPECT_EQ(Ask<Profile>(agent, ProfileOnDevice{kDevice, ModelId("pose:1"), {}}).status(), driver_answer);
}

TEST_F(AgentActorTest, SendsWindowsUntilTheyAreAcknowledged) {
  Send(agent, ConnectTo{controller});
  Advance(std::chrono::seconds(2));
  EXPECT_EQ(fake->windows, 10);
  Advance(std::chrono::seconds(4)); // the first ones are due again
  EXPECT_GT(fake->windows, 30);
  const int before = fake->windows;
  Send(fake->registrations[0].acks, WindowAck{kDevice, BootId("boot"), 1000});
  Advance(std::chrono::seconds(1));
  EXPECT_EQ(fake->windows, before + 5);
}

TEST_F(AgentActorTest, StopsInOrder) {
  Send(agent, ConnectTo{controller});
  EXPECT_TRUE(Ask<Done>(agent, StopActor{}).ok());
  EXPECT_EQ(Give(Start(1)).code(), StatusCode::kUnavailable);
  EXPECT_GE(fake->windows, 1) << "the last window still goes up";
  EXPECT_EQ(fake->windows_before_goodbye, std::vector{fake->windows}) << "once, and nothing after it";
}

} // namespace
} // namespace avocet
