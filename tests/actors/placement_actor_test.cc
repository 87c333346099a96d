#include "actors/placement_actor.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <set>

#include "actors/store_actor.h"
#include "messages/text.h"
#include "node_agent/model_files.h"
#include "storage/records.h"
#include "tests/support/actor_fixture.h"
#include "tests/support/fake_agent.h"
#include "tests/support/temp_dir.h"
#include "tests/support/view_builder.h"

namespace avocet::testing {
namespace {

class PlacementActorTest : public ActorTest {
protected:
  PlacementActorTest() {
    store = Keep(SpawnStore(system, std::make_unique<FaultyStore>(control),
                            *ModelFiles::Open({.directory = dir.path()}), false));
    agent = Keep(system.spawn(FakeAgent::Behavior, fake));
    Restart();
  }

  /// A new placement actor with what is on disk.
  void Restart() {
    if (placement) Kill(placement);
    auto records = LoadControllerRecords(control->memory);
    ASSERT_TRUE(records.ok()) << records.status().ToString();
    placement = Keep(system.spawn(PlacementBehavior,
                                  std::make_shared<const PlacementActorArgs>(PlacementActorArgs{*records, store, {}})));
  }

  Status BringUp(const std::string& node = "n1", std::vector<Placement> running = {}) {
    return Ask<Done>(placement, NodeUp{TestNode(node), std::move(running), agent}).status();
  }

  Status Import(const std::string& name = "pose") {
    const std::string bytes = "file of " + name;
    const Sha256 file = Sha256Of(bytes);
    auto stored = Ask<ModelChunkStored>(store, PutModelChunk{file, 0, bytes.size(), bytes});
    if (!stored.ok()) return stored.status();
    return Ask<Model>(placement,
                      ImportModel{{.name = name, .variants = {{ModelFormat::kEmulated, file, bytes.size()}}}})
        .status();
  }

  Result<Decision> Apply(const std::string& app, double rate_rps = 5) {
    return Ask<Decision>(placement, ApplyApp{MakeApp(app, "pose", {.rate_rps = rate_rps})});
  }

  Placement ReportOf(const Command& command, PlacementPhase phase = PlacementPhase::kReady) {
    return {.app = command.app,
            .device = command.device,
            .model = command.model,
            .format = command.format,
            .file = command.file,
            .epoch = command.epoch,
            .phase = phase,
            .reason = phase == PlacementPhase::kFailed ? "out of memory" : ""};
  }

  void ReadyForApps() {
    ASSERT_TRUE(BringUp().ok());
    ASSERT_TRUE(Import().ok());
  }

  PlacementPhase PhaseOf(const std::string& app) {
    return Ask<AppStatus>(placement, GetApp{AppId(app)})->placement->phase;
  }

  TempDir dir;
  std::shared_ptr<FaultyStore::Control> control = std::make_shared<FaultyStore::Control>();
  std::shared_ptr<FakeAgent> fake = std::make_shared<FakeAgent>();
  store_actor store;
  agent_handle agent;
  placement_actor placement;
};

TEST_F(PlacementActorTest, ProfilesAdmitsAndCommands) {
  ReadyForApps();
  auto decision = Apply("cam");
  ASSERT_TRUE(decision.ok()) << decision.status().ToString();
  EXPECT_EQ(decision->kind, DecisionKind::kAdmit);
  EXPECT_EQ(fake->profiles.size(), 1U);
  ASSERT_EQ(fake->commands.size(), 1U);
  EXPECT_EQ(fake->commands[0].kind, CommandKind::kStart);
  EXPECT_EQ(PhaseOf("cam"), PlacementPhase::kStarting);
  ASSERT_TRUE(Ask<Done>(placement, ReportRunning{NodeId("n1"), ReportOf(fake->commands[0])}).ok());
  EXPECT_EQ(PhaseOf("cam"), PlacementPhase::kReady);
}

TEST_F(PlacementActorTest, TellsAgentsWhatIsPredictedWhenItChanges) {
  ReadyForApps();
  Advance(std::chrono::seconds(2));
  ASSERT_EQ(fake->predictions.size(), 1U) << "nothing runs there";
  EXPECT_TRUE(fake->predictions[0].apps.empty());
  ASSERT_TRUE(Apply("cam").ok());
  Advance(std::chrono::seconds(3));
  ASSERT_EQ(fake->predictions.size(), 2U);
  ASSERT_EQ(fake->predictions[1].apps.size(), 1U);
  const auto cam = Ask<AppStatus>(placement, GetApp{AppId("cam")});
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

TEST_F(PlacementActorTest, HasTheDecisionOnDiskBeforeItCommands) {
  ReadyForApps();
  ASSERT_TRUE(Apply("first").ok());
  fake->commands.clear();
  control->fail = true;
  EXPECT_EQ(Apply("cam").status(), Unavailable("the disk is full"));
  EXPECT_TRUE(fake->commands.empty());
  control->fail = false;
  EXPECT_EQ(Ask<AppStatus>(placement, GetApp{AppId("cam")}).status().code(), StatusCode::kNotFound);
}

TEST_F(PlacementActorTest, AnswersWhenItsStoreIsDead) {
  ReadyForApps();
  ASSERT_TRUE(Apply("first").ok());
  Kill(store);
  EXPECT_EQ(Apply("cam").status().code(), StatusCode::kUnavailable);
  EXPECT_EQ(Ask<RemovedApp>(placement, RemoveApp{AppId("first")}).status().code(), StatusCode::kUnavailable);
  EXPECT_TRUE(Ask<AppStatus>(placement, GetApp{AppId("first")}).ok()) << "a removal that failed changes nothing";
  EXPECT_EQ(Ask<Model>(placement, ImportModel{{.name = "m", .variants = {{ModelFormat::kOnnx, Sha256Of("x"), 1}}}})
                .status()
                .code(),
            StatusCode::kUnavailable);
  EXPECT_EQ(BringUp("n2").code(), StatusCode::kUnavailable);
}

TEST_F(PlacementActorTest, PlansWithoutChangingAnything) {
  ReadyForApps();
  ASSERT_TRUE(Ask<ProfileList>(placement, ProfileModel{"pose", {}}).ok());
  const int writes = control->writes;
  auto plan = Ask<Decision>(placement, PlanApp{MakeApp("cam", "pose", {.rate_rps = 5})});
  ASSERT_TRUE(plan.ok());
  EXPECT_EQ(plan->kind, DecisionKind::kAdmit);
  EXPECT_EQ(control->writes, writes);
  EXPECT_TRUE(fake->commands.empty());
  auto decision = Apply("cam");
  plan->decided_at = decision->decided_at = {};
  EXPECT_EQ(*plan, *decision) << "the dry run is the decision";
}

TEST_F(PlacementActorTest, RefusesInvalidApplications) {
  auto app = MakeApp("cam", "pose");
  app.rate_rps = -1;
  EXPECT_EQ(Ask<Decision>(placement, PlanApp{app}).status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(Ask<Decision>(placement, ApplyApp{app}).status().code(), StatusCode::kInvalidArgument);
}

struct AppClaim {
  std::string field; ///< that the refusal names; empty: it may be applied
  std::function<void(Application&)> change;
};

/// Each field that a client may fill at its limit and one past it: what is taken can be read again.
TEST_F(PlacementActorTest, WhateverAClientAppliesCanBeReadAgain) {
  ReadyForApps();
  const std::vector<AppClaim> claims{
      {"", [](Application& a) { a.name = AppId(std::string(63, 'a')); }},
      {"name", [](Application& a) { a.name = AppId(std::string(64, 'a')); }},
      {"name", [](Application& a) { a.name = AppId("caf\xC3"); }},
      {"", [](Application& a) { a.model = std::string(63, 'm') + ":" + std::string(18, '9'); }},
      {"model", [](Application& a) { a.model = std::string(64, 'm'); }},
      {"model", [](Application& a) { a.model = "pose:" + std::string(19, '9'); }},
      {"", [](Application& a) { a.tenant = std::string(63, 't'); }},
      {"tenant", [](Application& a) { a.tenant = std::string(64, 't'); }},
      {"", [](Application& a) { a.priority = 100; }},
      {"priority", [](Application& a) { a.priority = 101; }},
      {"", [](Application& a) { a.rate_rps = kMaxRateRps; }},
      {"", [](Application& a) { a.rate_rps = std::numeric_limits<double>::denorm_min(); }},
      {"rate_rps", [](Application& a) { a.rate_rps = std::nextafter(kMaxRateRps, 2 * kMaxRateRps); }},
      {"rate_rps", [](Application& a) { a.rate_rps = std::numeric_limits<double>::quiet_NaN(); }},
      {"",
       [](Application& a) {
         a.arrival = {ArrivalKind::kScv, kMaxArrivalScv};
       }},
      {"scv",
       [](Application& a) {
         a.arrival = {ArrivalKind::kScv, kMaxArrivalScv + 1};
       }},
      {"", [](Application& a) { a.objective.latency = kMaxLatency; }},
      {"", [](Application& a) { a.objective.latency = Duration(1); }},
      {"objective.latency", [](Application& a) { a.objective.latency = kMaxLatency + Duration(1); }},
      {"", [](Application& a) { a.network_allowance = a.objective.latency - Duration(1); }},
      {"network_allowance", [](Application& a) { a.network_allowance = a.objective.latency; }},
      {"", [](Application& a) { a.preprocess = kMaxLatency; }},
      {"preprocess", [](Application& a) { a.preprocess = kMaxLatency + Duration(1); }},
      {"device_kinds", [](Application& a) {
         a.device_kinds = {DeviceKind::kGpu, DeviceKind::kGpu};
       }}};
  for (size_t i = 0; i < claims.size(); ++i) {
    SCOPED_TRACE("claim " + std::to_string(i) + ": " + claims[i].field);
    Application app = MakeApp("cam" + std::to_string(i), "pose");
    claims[i].change(app);
    const auto decision = Ask<Decision>(placement, ApplyApp{app, {}});
    if (claims[i].field.empty()) {
      EXPECT_TRUE(decision.ok()) << decision.status().ToString();
    } else {
      EXPECT_EQ(decision.status().code(), StatusCode::kInvalidArgument);
      EXPECT_NE(decision.status().message().find("field '" + claims[i].field + "'"), std::string::npos);
    }
    Restart();
    ASSERT_TRUE(BringUp().ok());
  }
  const auto events = Ask<EventList>(placement, ListEvents{})->events;
  EXPECT_TRUE(std::none_of(events.begin(), events.end(), [](const Event& e) { return e.kind == "record_set_aside"; }));
}

TEST_F(PlacementActorTest, RejectsWithReasonsAndExplainsLater) {
  ReadyForApps();
  auto decision = Apply("flood", 1000);
  ASSERT_TRUE(decision.ok());
  EXPECT_EQ(decision->kind, DecisionKind::kReject);
  EXPECT_TRUE(fake->commands.empty());
  auto explained = Ask<Decision>(placement, ExplainApp{AppId("flood")});
  ASSERT_TRUE(explained.ok());
  EXPECT_EQ(explained->verdicts.size(), 1U);
  EXPECT_TRUE(explained->verdicts[0].filter.has_value());
  EXPECT_EQ(Ask<Decision>(placement, ExplainApp{AppId("nobody")}).status().code(), StatusCode::kNotFound);
}

TEST_F(PlacementActorTest, ApplyingTheSameAgainCommandsNothing) {
  ReadyForApps();
  ASSERT_TRUE(Apply("cam").ok());
  ASSERT_TRUE(Apply("cam").ok());
  EXPECT_EQ(fake->commands.size(), 1U);
  ASSERT_TRUE(Apply("cam", 6).ok());
  EXPECT_EQ(fake->commands.size(), 1U) << "another rate needs no other copy";
  EXPECT_EQ(Ask<AppStatus>(placement, GetApp{AppId("cam")})->app.rate_rps, 6);
}

TEST_F(PlacementActorTest, RemovesAndStops) {
  ReadyForApps();
  ASSERT_TRUE(Apply("cam").ok());
  ASSERT_TRUE(Ask<RemovedApp>(placement, RemoveApp{AppId("cam")}).ok());
  ASSERT_EQ(fake->commands.size(), 2U);
  EXPECT_EQ(fake->commands[1].kind, CommandKind::kStop);
  EXPECT_GT(fake->commands[1].epoch, fake->commands[0].epoch);
  EXPECT_TRUE(Ask<AppList>(placement, ListApps{})->apps.empty());
  EXPECT_EQ(Ask<RemovedApp>(placement, RemoveApp{AppId("cam")}).status().code(), StatusCode::kNotFound);
}

TEST_F(PlacementActorTest, ProfileFailuresAreReported) {
  ReadyForApps();
  fake->profile_answer = Internal("the device burned down");
  EXPECT_EQ(Ask<ProfileList>(placement, ProfileModel{"pose", {}}).status(), fake->profile_answer);
  EXPECT_EQ(Ask<ProfileList>(placement, ProfileModel{"unknown", {}}).status().code(), StatusCode::kNotFound);
  EXPECT_EQ(Ask<ProfileList>(placement, ProfileModel{"pose", DeviceId("n1/tpu9")}).status().code(),
            StatusCode::kNotFound);
  auto decision = Apply("cam");
  ASSERT_TRUE(decision.ok());
  EXPECT_EQ(decision->kind, DecisionKind::kReject);
  EXPECT_EQ(decision->verdicts[0].filter, FilterKind::kProfile);
}

TEST_F(PlacementActorTest, AProfileOfWhatWasNotAskedIsNotTaken) {
  ReadyForApps();
  fake->change_profile = [](Profile& profile) { profile.device_type = "another device"; };
  const auto answer = Ask<ProfileList>(placement, ProfileModel{"pose", {}});
  EXPECT_EQ(answer.status().code(), StatusCode::kInvalidArgument);
  EXPECT_NE(answer.status().message().find("field 'device_type'"), std::string::npos) << answer.status().message();
  EXPECT_TRUE(Ask<ModelList>(placement, ListModels{})->models.at(0).profiles.empty());
  Restart();
  EXPECT_TRUE(Ask<ModelList>(placement, ListModels{})->models.at(0).profiles.empty());
}

TEST_F(PlacementActorTest, ADeadAgentIsNotWaitedFor) {
  ReadyForApps();
  Kill(agent);
  EXPECT_EQ(Ask<ProfileList>(placement, ProfileModel{"pose", {}}).status().code(), StatusCode::kUnavailable);
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
  EXPECT_EQ(Ask<ModelList>(placement, ListModels{})->models.at(0).profiles.size(), 1U);
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
  EXPECT_EQ(fake->commands[0].kind, CommandKind::kStop);
  EXPECT_GT(fake->commands[0].epoch, running.epoch);
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
  const auto status = Ask<AppStatus>(placement, GetApp{AppId("cam")});
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
  ASSERT_EQ(fake->commands.size(), 2U);
  EXPECT_EQ(fake->commands[0].kind, CommandKind::kStop);
  EXPECT_GT(fake->commands[0].epoch, 1000U);
  Restart();
  ASSERT_TRUE(BringUp().ok());
  fake->commands.clear();
  ASSERT_TRUE(Apply("stray").ok());
  ASSERT_EQ(fake->commands.size(), 1U);
  EXPECT_GT(fake->commands[0].epoch, 1001U) << "or the agent would take it for an old command";
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
  auto status = Ask<AppStatus>(placement, GetApp{AppId("cam")});
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
  EXPECT_EQ(Ask<NodeList>(placement, ListNodes{})->nodes.at(0).health, "healthy");
  const auto devices = Ask<DeviceList>(placement, ListDevices{});
  ASSERT_EQ(devices->devices.size(), 1U);
  EXPECT_EQ(devices->devices[0].spec, TestGpu());
  EXPECT_FALSE(Ask<VersionInfo>(placement, GetVersion{})->version.empty());
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
  const double before = Ask<DeviceList>(placement, ListDevices{})->devices[0].utilization;
  DeviceFit fit{.device = DeviceId("n1/gpu0"), .boot = BootId("b"), .covered_sequence = 1};
  fit.models.push_back({ModelId("pose:1"), {.mean = 0.05, .weight = 1000}, {}});
  Send(placement, FitChanged{fit});
  EXPECT_GT(Ask<DeviceList>(placement, ListDevices{})->devices[0].utilization, 2 * before);
}

/// Two nodes whose GPUs have memory for one model each. "cam" serves on the first.
class MovesTest : public PlacementActorTest {
protected:
  void SetUp() override {
    ASSERT_TRUE(Up("n1", 150).ok());
    ASSERT_TRUE(Up("n2", 150).ok());
    ASSERT_TRUE(Import("pose").ok());
    ASSERT_TRUE(Import("face").ok());
    Serve("cam", "pose");
  }

  Status Up(const std::string& node, uint64_t memory_mib) {
    NodeInfo info = TestNode(node);
    info.devices[0].memory_bytes = memory_mib * kMiB;
    return Ask<Done>(placement, NodeUp{info, {}, agent}).status();
  }

  void Serve(const std::string& app, const std::string& model) {
    auto decision = Ask<Decision>(placement, ApplyApp{MakeApp(app, model, {.rate_rps = 5}), {}});
    ASSERT_TRUE(decision.ok());
    ASSERT_EQ(decision->kind, DecisionKind::kAdmit);
    ASSERT_TRUE(Report(fake->commands.back()));
  }

  bool Report(const Command& command, PlacementPhase phase = PlacementPhase::kReady) {
    const auto node = ParseDeviceId(command.device.str())->node;
    return Ask<Done>(placement, ReportRunning{node, ReportOf(command, phase)}).ok();
  }

  /// Needs the device where "cam" is: measured on the other, its model is too slow.
  Result<Decision> ApplyWhatNeedsRoom() {
    DeviceFit slow{.device = DeviceId("n2/gpu0"), .boot = BootId("boot"), .covered_sequence = 1};
    slow.models.push_back({ModelId("face:1"), {.mean = 0.5, .scv = 0, .weight = 100}, {}});
    Send(placement, FitChanged{slow});
    fake->commands.clear();
    return Ask<Decision>(placement, ApplyApp{MakeApp("door", "face", {.rate_rps = 5, .latency_ms = 100}), {}});
  }
};

TEST_F(MovesTest, MoversFirstThenWhoNeedsTheirPlace) {
  ASSERT_EQ(Ask<AppStatus>(placement, GetApp{AppId("cam")})->placement->device, DeviceId("n1/gpu0"));
  const auto decision = ApplyWhatNeedsRoom();
  ASSERT_TRUE(decision.ok()) << decision.status().ToString();
  ASSERT_EQ(decision->kind, DecisionKind::kAdmitWithMoves);
  EXPECT_EQ(decision->moves, (std::vector<Move>{{AppId("cam"), DeviceId("n1/gpu0"), DeviceId("n2/gpu0")}}));
  ASSERT_EQ(fake->commands.size(), 1U) << "the newcomer waits";
  EXPECT_EQ(fake->commands[0].app, AppId("cam"));
  EXPECT_EQ(fake->commands[0].device, DeviceId("n2/gpu0"));
  ASSERT_TRUE(Report(fake->commands[0]));
  ASSERT_EQ(fake->commands.size(), 3U);
  EXPECT_EQ(fake->commands[1].kind, CommandKind::kStop);
  EXPECT_EQ(fake->commands[1].device, DeviceId("n1/gpu0"));
  EXPECT_EQ(fake->commands[2].kind, CommandKind::kStart);
  EXPECT_EQ(fake->commands[2].app, AppId("door"));
}

TEST_F(MovesTest, AreOnDiskBeforeAnyoneIsCommanded) {
  ASSERT_TRUE(Ask<ProfileList>(placement, ProfileModel{"face", {}}).ok());
  control->fail = true;
  EXPECT_FALSE(ApplyWhatNeedsRoom().ok());
  EXPECT_TRUE(fake->commands.empty());
  control->fail = false;
  EXPECT_EQ(Ask<AppStatus>(placement, GetApp{AppId("cam")})->placement->phase, PlacementPhase::kReady);
}

TEST_F(MovesTest, AMoverThatFailsStaysWhereItServes) {
  const auto decision = ApplyWhatNeedsRoom();
  ASSERT_TRUE(decision.ok());
  ASSERT_EQ(decision->kind, DecisionKind::kAdmitWithMoves);
  ASSERT_TRUE(Report(fake->commands.at(0), PlacementPhase::kFailed));
  const auto cam = Ask<AppStatus>(placement, GetApp{AppId("cam")});
  EXPECT_EQ(cam->placement->device, decision->moves.at(0).from);
  EXPECT_EQ(cam->placement->phase, PlacementPhase::kReady);
  EXPECT_EQ(PhaseOf("door"), PlacementPhase::kFailed);
  EXPECT_EQ(fake->commands.size(), 1U) << "nothing was stopped";
  Restart();
  EXPECT_EQ(Ask<AppStatus>(placement, GetApp{AppId("cam")})->placement->device, decision->moves.at(0).from);
}

/// What the application that waits for room fails of names the mover and its reason: together longer than a text may
/// be.
TEST_F(MovesTest, TheLongestReasonOfAMoverIsCutWhereItIsWrapped) {
  ASSERT_TRUE(ApplyWhatNeedsRoom().ok());
  Placement failed = ReportOf(fake->commands.at(0), PlacementPhase::kFailed);
  failed.reason.clear();
  while (failed.reason.size() + 3 <= kMaxTextBytes)
    failed.reason += "\xE2\x82\xAC";
  ASSERT_TRUE(Ask<Done>(placement, ReportRunning{NodeId("n2"), failed}).ok());
  Restart();
  const auto events = Ask<EventList>(placement, ListEvents{})->events;
  const auto waiting = std::find_if(events.begin(), events.end(), [](const Event& event) {
    return event.kind == "app_failed" && event.subject == "door";
  });
  ASSERT_NE(waiting, events.end());
  EXPECT_TRUE(IsText(waiting->detail)) << "cut between characters";
  EXPECT_GT(waiting->detail.size(), kMaxTextBytes - 3);
  EXPECT_NE(waiting->detail.find("could not make room"), std::string::npos);
}

/// One node with two applications and one that was refused for want of room; then a second, empty one comes.
class RebalanceTest : public PlacementActorTest {
protected:
  void SetUp() override {
    ReadyForApps();
    for (const std::string app : {"cam", "door"}) {
      ASSERT_EQ(Apply(app, 20)->kind, DecisionKind::kAdmit);
      ASSERT_TRUE(Ask<Done>(placement, ReportRunning{NodeId("n1"), ReportOf(fake->commands.back())}).ok());
    }
    ASSERT_EQ(Apply("large", 60)->kind, DecisionKind::kReject);
    ASSERT_TRUE(BringUp("n2").ok());
    fake->commands.clear();
  }
};

TEST_F(RebalanceTest, APlanChangesNothing) {
  const auto plan = Ask<RebalancePlan>(placement, Rebalance{4, false});
  ASSERT_TRUE(plan.ok()) << plan.status().ToString();
  ASSERT_EQ(plan->moves.size(), 1U) << "then the large one fits on both";
  EXPECT_EQ(plan->moves[0].move.to, DeviceId("n2/gpu0"));
  EXPECT_FALSE(plan->executed);
  EXPECT_TRUE(fake->commands.empty());
  EXPECT_EQ(*plan, *Ask<RebalancePlan>(placement, Rebalance{4, false}));
}

TEST_F(RebalanceTest, MakesBeforeItBreaks) {
  const auto plan = Ask<RebalancePlan>(placement, Rebalance{4, true});
  ASSERT_TRUE(plan.ok()) << plan.status().ToString();
  EXPECT_TRUE(plan->executed);
  ASSERT_EQ(fake->commands.size(), 1U);
  const Command start = fake->commands[0];
  EXPECT_EQ(start.kind, CommandKind::kStart);
  EXPECT_EQ(start.app, plan->moves.at(0).move.app);
  EXPECT_EQ(start.device, DeviceId("n2/gpu0"));
  ASSERT_TRUE(Ask<Done>(placement, ReportRunning{NodeId("n2"), ReportOf(start)}).ok());
  ASSERT_EQ(fake->commands.size(), 2U);
  EXPECT_EQ(fake->commands[1].kind, CommandKind::kStop);
  EXPECT_EQ(fake->commands[1].device, DeviceId("n1/gpu0"));
  Restart();
  EXPECT_EQ(Ask<AppStatus>(placement, GetApp{start.app})->placement->device, DeviceId("n2/gpu0"));
}

TEST_F(RebalanceTest, IsOnDiskBeforeAnyoneIsCommanded) {
  control->fail = true;
  EXPECT_EQ(Ask<RebalancePlan>(placement, Rebalance{4, true}).status(), Unavailable("the disk is full"));
  EXPECT_TRUE(fake->commands.empty());
  control->fail = false;
  EXPECT_EQ(Ask<RebalancePlan>(placement, Rebalance{4, false})->moves.size(), 1U) << "nothing has moved";
}

TEST_F(RebalanceTest, RefusesImpossibleNumbersOfMoves) {
  for (const int moves : {-1, kMaxRebalanceMoves + 1})
    EXPECT_EQ(Ask<RebalancePlan>(placement, Rebalance{moves, false}).status().code(), StatusCode::kInvalidArgument);
}

} // namespace
} // namespace avocet::testing
