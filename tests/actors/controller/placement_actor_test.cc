// What the placement actor keeps over restarts, takes from reports and tells agents and clients.
#include "actors/controller/placement_actor.h"

#include <set>

#include "tests/actors/controller/placement_actor_fixture.h"

namespace avocet {
namespace {

TEST_F(PlacementActorTest, TellsAgentsWhatIsPredictedWhenItChanges) {
  ReadyForApps();
  Advance(std::chrono::seconds(2));
  ASSERT_EQ(fake->predictions.size(), 1U) << "nothing runs there";
  EXPECT_TRUE(fake->predictions[0].apps.empty());
  ASSERT_TRUE(Apply("cam").ok());
  Advance(std::chrono::seconds(3));
  ASSERT_EQ(fake->predictions.size(), 2U);
  ASSERT_EQ(fake->predictions[1].apps.size(), 1U);
  const auto cam = Ask<AppStatus>(snapshots, GetApp{AppId("cam")});
  EXPECT_EQ(fake->predictions[1].apps[0].latency, *cam->predicted);
  ASSERT_EQ(fake->predictions[1].objectives.size(), 1U);
  EXPECT_EQ(fake->predictions[1].objectives[0].limit, cam->app.objective.latency - cam->app.network_allowance);
  ASSERT_TRUE(BringUp().ok());
  Advance(std::chrono::seconds(2));
  EXPECT_EQ(fake->predictions.size(), 3U) << "an agent that registers anew knows nothing";
}

TEST_F(PlacementActorTest, TellsEveryDeviceInItsTurn) {
  constexpr size_t kNodes = 40;
  for (size_t i = 0; i < kNodes; ++i)
    ASSERT_TRUE(BringUp("n" + std::to_string(i)).ok());
  Advance(std::chrono::seconds(5));
  std::set<DeviceId> told;
  for (const auto& one : fake->predictions)
    told.insert(one.device);
  EXPECT_EQ(told.size(), kNodes);
  EXPECT_EQ(fake->predictions.size(), kNodes);
}

TEST_F(PlacementActorTest, RestartsWithEverythingThatWasAcknowledged) {
  ReadyForApps();
  ASSERT_TRUE(Apply("cam").ok());
  const Command start = fake->commands.at(0);
  Restart();
  EXPECT_EQ(PhaseOf("cam"), PlacementPhase::kLost);
  fake->commands.clear();
  ASSERT_TRUE(BringUp("n1", {ReportOf(start)}).ok());
  EXPECT_EQ(PhaseOf("cam"), PlacementPhase::kReady);
  EXPECT_TRUE(fake->commands.empty()) << "what runs is adopted";
  EXPECT_EQ(Ask<ModelList>(snapshots, ListModels{})->models.at(0).profiles.size(), 1U);
}

TEST_F(PlacementActorTest, CommandsWhatAReturningAgentMisses) {
  ReadyForApps();
  ASSERT_TRUE(Apply("cam").ok());
  fake->commands.clear();
  Send(placement, NodeAway{NodeId("n1")});
  EXPECT_EQ(PhaseOf("cam"), PlacementPhase::kLost);
  ASSERT_TRUE(BringUp("n1").ok());
  ASSERT_EQ(fake->commands.size(), 1U);
  EXPECT_EQ(fake->commands[0].kind, CommandKind::kStart);
}

TEST_F(PlacementActorTest, StopsWhatAReturningAgentShouldNotRun) {
  ReadyForApps();
  ASSERT_TRUE(Apply("cam").ok());
  const auto running = ReportOf(fake->commands.at(0));
  Send(placement, NodeAway{NodeId("n1")});
  ASSERT_TRUE(Ask<RemovedApp>(placement, RemoveApp{AppId("cam")}).ok());
  fake->commands.clear();
  ASSERT_TRUE(BringUp("n1", {running}).ok());
  ASSERT_EQ(fake->commands.size(), 1U);
  EXPECT_EQ(fake->commands[0], StopCommand(running));
}

/// An agent that cannot fetch a model file yet says so, with why, when it registers.
TEST_F(PlacementActorTest, RestartsAfterAnAgentSaidWhyAStartIsTriedAgain) {
  ReadyForApps();
  ASSERT_TRUE(Apply("cam").ok());
  Placement starting = ReportOf(fake->commands.at(0), PlacementPhase::kStarting);
  starting.reason = "the model file is not there yet; it is tried again";
  ASSERT_TRUE(BringUp("n1", {starting}).ok());
  Restart();
  ASSERT_TRUE(BringUp("n1", {starting}).ok());
  const auto status = Ask<AppStatus>(snapshots, GetApp{AppId("cam")});
  EXPECT_EQ(status->placement->phase, PlacementPhase::kStarting);
  EXPECT_EQ(status->placement->reason, starting.reason);
}

TEST_F(PlacementActorTest, NeverReusesAnEpochThatReconcilingUsed) {
  ReadyForApps();
  ASSERT_TRUE(Apply("cam").ok());
  auto stray = ReportOf(fake->commands.at(0));
  stray.app = AppId("stray");
  stray.epoch = 1000;
  Send(placement, NodeAway{NodeId("n1")});
  fake->commands.clear();
  ASSERT_TRUE(BringUp("n1", {stray}).ok());
  ASSERT_EQ(fake->commands.size(), 1U) << "what the records do not know is left running";
  EXPECT_EQ(fake->commands[0].app, AppId("cam"));
  Restart();
  ASSERT_TRUE(BringUp().ok());
  fake->commands.clear();
  ASSERT_TRUE(Apply("stray").ok());
  ASSERT_EQ(fake->commands.size(), 1U);
  EXPECT_GT(fake->commands[0].epoch, 1000U) << "or the agent would take it for an old command";
}

TEST_F(PlacementActorTest, IgnoresReportsOfAPastEpoch) {
  ReadyForApps();
  ASSERT_TRUE(Apply("cam").ok());
  auto report = ReportOf(fake->commands.at(0), PlacementPhase::kFailed);
  report.epoch += 100;
  ASSERT_TRUE(Ask<Done>(placement, ReportRunning{NodeId("n1"), report}).ok());
  EXPECT_EQ(PhaseOf("cam"), PlacementPhase::kStarting);
  report.epoch = 0;
  EXPECT_EQ(Ask<Done>(placement, ReportRunning{NodeId("n1"), report}).status().code(), StatusCode::kInvalidArgument);
}

TEST_F(PlacementActorTest, AFailedCopyIsShownAndCanBeTriedAgain) {
  ReadyForApps();
  ASSERT_TRUE(Apply("cam").ok());
  ASSERT_TRUE(
      Ask<Done>(placement, ReportRunning{NodeId("n1"), ReportOf(fake->commands.at(0), PlacementPhase::kFailed)}).ok());
  auto status = Ask<AppStatus>(snapshots, GetApp{AppId("cam")});
  EXPECT_EQ(status->placement->phase, PlacementPhase::kFailed);
  EXPECT_EQ(status->placement->reason, "out of memory");
  ASSERT_TRUE(Apply("cam").ok());
  ASSERT_EQ(fake->commands.size(), 2U);
  EXPECT_GT(fake->commands[1].epoch, fake->commands[0].epoch);
}

TEST_F(PlacementActorTest, ImportIsIdempotentAndRefusesContradictions) {
  ASSERT_TRUE(Import().ok());
  ASSERT_TRUE(Import().ok());
  const Model other{.name = "pose", .variants = {{ModelFormat::kEmulated, Sha256Of("other"), 5}}};
  EXPECT_EQ(Ask<Model>(placement, ImportModel{other}).status().code(), StatusCode::kAlreadyExists);
  EXPECT_EQ(Ask<Model>(placement, ImportModel{{.name = "bad name!"}}).status().code(), StatusCode::kInvalidArgument);
  const Model missing{.name = "hand", .variants = {{ModelFormat::kOnnx, Sha256Of("nowhere"), 5}}};
  EXPECT_EQ(Ask<Model>(placement, ImportModel{missing}).status().code(), StatusCode::kNotFound);
}

TEST_F(PlacementActorTest, ShowsNodesDevicesAndTheVersion) {
  ReadyForApps();
  EXPECT_EQ(Ask<NodeList>(snapshots, ListNodes{})->nodes.at(0).health, DeviceHealth::kHealthy);
  const auto devices = Ask<DeviceList>(snapshots, ListDevices{});
  ASSERT_EQ(devices->devices.size(), 1U);
  EXPECT_EQ(devices->devices[0].spec, TestGpu());
  EXPECT_FALSE(Ask<VersionInfo>(snapshots, GetVersion{})->version.empty());
}

TEST_F(PlacementActorTest, KeepsABoundedLogOfEvents) {
  ReadyForApps();
  ASSERT_TRUE(Apply("cam").ok());
  const auto events = Ask<EventList>(placement, ListEvents{0})->events;
  ASSERT_GE(events.size(), 4U);
  EXPECT_EQ(events.back().kind, "app_admitted");
  EXPECT_EQ(Ask<EventList>(placement, ListEvents{events.back().sequence})->events.size(), 0U);
  Restart();
  EXPECT_EQ(Ask<EventList>(placement, ListEvents{0})->events.size(), events.size());
}

TEST_F(PlacementActorTest, TellsThoseWhoWaitOfEventsOnceTheyAreOnDisk) {
  ReadyForApps();
  const uint64_t last = Ask<EventList>(placement, ListEvents{0})->events.back().sequence;
  EXPECT_EQ(Ask<EventList>(placement, WaitForEvents{last - 1})->events.size(), 1U) << "at once, when there is one";
  const auto waiting = Begin<EventList>(placement, WaitForEvents{last});
  control->fail = true;
  EXPECT_FALSE(Apply("cam").ok());
  EXPECT_FALSE(waiting.answered());
  EXPECT_EQ(Ask<EventList>(placement, ListEvents{last})->events.size(), 0U) << "nor told when asked";
  control->fail = false;
  ASSERT_TRUE(Apply("cam").ok());
  ASSERT_TRUE(waiting.answered());
  const uint64_t told = waiting.get()->events.back().sequence;
  EXPECT_GT(told, last);
  EXPECT_EQ(Ask<EventList>(placement, WaitForEvents{told})->events.back().kind, "app_admitted");
}

TEST_F(PlacementActorTest, KeepsABoundedNumberWaitingForEvents) {
  std::vector<Pending<EventList>> waiting;
  for (size_t i = 0; i < kMaxEventWaiters; ++i)
    waiting.push_back(Begin<EventList>(placement, WaitForEvents{1000}));
  EXPECT_FALSE(waiting.front().answered());
  waiting.push_back(Begin<EventList>(placement, WaitForEvents{1000}));
  ASSERT_TRUE(waiting.front().answered());
  EXPECT_TRUE(waiting.front().get()->events.empty()) << "it is to ask again";
  EXPECT_FALSE(waiting.back().answered());
}

TEST_F(PlacementActorTest, TakesFitsIntoThePrediction) {
  ReadyForApps();
  ASSERT_TRUE(Apply("cam").ok());
  const double before = Ask<DeviceList>(snapshots, ListDevices{})->devices[0].utilization;
  DeviceFit fit{.device = DeviceId("n1/gpu0"), .boot = BootId("b"), .covered_sequence = 1};
  fit.models.push_back({ModelId("pose:1"), {.mean = 0.05, .weight = 1000}, {}});
  Send(placement, FitChanged{fit});
  EXPECT_GT(Ask<DeviceList>(snapshots, ListDevices{})->devices[0].utilization, 2 * before);
}

} // namespace
} // namespace avocet
