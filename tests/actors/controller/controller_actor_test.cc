#include "actors/controller/controller_actor.h"

#include <algorithm>
#include <limits>

#include "actors/protocol/agent_claims.h"
#include "messages/text.h"
#include "tests/actors/controller/controller_actor_fixture.h"

namespace avocet {
namespace {

TEST_F(ControllerActorTest, RegistersAnAgentAndItsDevices) {
  ASSERT_TRUE(Register().ok());
  EXPECT_EQ(Health(), "healthy");
  EXPECT_EQ(Ask<DeviceList>(controller, ListDevices{})->devices.size(), 1U);
}

TEST_F(ControllerActorTest, RefusesAnInvalidNode) {
  NodeInfo node = TestNode();
  node.devices.clear();
  EXPECT_EQ(Ask<Welcome>(controller, RegisterAgent{node, {}, agent, {}}).status().code(), StatusCode::kInvalidArgument);
}

TEST_F(ControllerActorTest, ANodeWithoutHeartbeatIsAwayAfterItsLease) {
  ASSERT_TRUE(Register().ok());
  Advance(std::chrono::milliseconds(2900));
  EXPECT_EQ(Health(), "healthy");
  Advance(std::chrono::milliseconds(1100));
  EXPECT_EQ(Health(), "away");
  EXPECT_EQ(Beat().code(), StatusCode::kNotFound) << "asks to register again";
  ASSERT_TRUE(Register().ok());
  EXPECT_EQ(Health(), "healthy");
}

TEST_F(ControllerActorTest, HeartbeatsKeepTheLease) {
  ASSERT_TRUE(Register().ok());
  for (int i = 0; i < 10; ++i) {
    Advance(std::chrono::seconds(1));
    ASSERT_TRUE(Beat().ok());
  }
  EXPECT_EQ(Health(), "healthy");
}

TEST_F(ControllerActorTest, AHeartbeatOfAnotherBootMustRegister) {
  ASSERT_TRUE(Register().ok());
  EXPECT_EQ(Ask<Done>(controller, Heartbeat{NodeId("n1"), BootId("other")}).status().code(), StatusCode::kNotFound);
}

TEST_F(ControllerActorTest, AnAgentThatSaysGoodbyeIsAwayAtOnce) {
  ASSERT_TRUE(Register().ok());
  Send(controller, Goodbye{NodeId("n1"), BootId("other")});
  EXPECT_EQ(Health(), "healthy") << "a goodbye of an earlier boot";
  Send(controller, Goodbye{NodeId("n1"), BootId("boot")});
  EXPECT_EQ(Health(), "away");
  EXPECT_EQ(EventsOf("node_away"), std::vector<std::string>{"its agent was stopped"});
  Advance(std::chrono::seconds(5));
  EXPECT_EQ(EventsOf("node_away").size(), 1U) << "its lease is no more";
}

TEST_F(ControllerActorTest, ANamesakeIsRefusedWithAReasonUntilTheLeaseIsOver) {
  ASSERT_TRUE(Register({.session = 1, .instance = 7, .peer = "ipv4:10.0.0.1:4000"}).ok());
  const Claimant other{.session = 2, .instance = 8, .peer = "ipv4:10.0.0.2:4000"};
  for (int i = 0; i < 3; ++i) {
    const auto refused = Register(other);
    EXPECT_EQ(refused.code(), StatusCode::kAlreadyExists);
    EXPECT_NE(refused.message().find("10.0.0.1"), std::string::npos) << refused.message();
  }
  ASSERT_EQ(EventsOf("node_refused").size(), 1U) << "once, although it goes on trying";
  EXPECT_NE(EventsOf("node_refused")[0].find("10.0.0.2"), std::string::npos);
  EXPECT_EQ(EventsOf("node_up").size(), 1U);
  for (int i = 0; i < 5; ++i) // the first one is silent
    Advance(std::chrono::seconds(1));
  EXPECT_TRUE(Register(other).ok());
  EXPECT_EQ(Health(), "healthy");
}

TEST_F(ControllerActorTest, ARestartedAgentIsLetInAtOnce) {
  ASSERT_TRUE(Register({.session = 1, .instance = 7, .peer = "ipv4:10.0.0.1:4000"}).ok());
  EXPECT_TRUE(Register({.session = 2, .instance = 7, .peer = "ipv4:10.0.0.1:4001"}).ok());
  EXPECT_TRUE(EventsOf("node_refused").empty());
}

TEST_F(ControllerActorTest, RoutesWindowsToTheirDevice) {
  ASSERT_TRUE(Register().ok());
  MeasurementWindow window{
      .device = DeviceId("n1/gpu0"), .boot = BootId("boot"), .sequence = 1, .length = FromMillis(200)};
  MeasurementWindow stray = window;
  stray.device = DeviceId("n1/unknown");
  Send(controller, ReportWindows{NodeId("n1"), {{window, 0}, {stray, 0}}, BootId("boot")});
  for (int i = 0; i < 3; ++i) { // past the time of the next commit, within the lease
    Advance(std::chrono::seconds(1));
    ASSERT_TRUE(Beat().ok());
  }
  int acks = 0;
  bool more = true;
  self->receive_while(more)([&](const WindowAck& ack) { acks += ack.device == DeviceId("n1/gpu0") ? 1 : 100; },
                            caf::after(std::chrono::seconds(0)) >> [&] { more = false; });
  EXPECT_EQ(acks, 1);
}

TEST_F(ControllerActorTest, StopsInOrderAndKeepsItsState) {
  ASSERT_TRUE(Register().ok());
  ASSERT_TRUE(Ask<Done>(controller, StopActor{}).ok());
  EXPECT_EQ(Ask<NodeList>(controller, ListNodes{}).status().code(), StatusCode::kUnavailable);
  Start();
  EXPECT_EQ(Health(), "away") << "known from the store, not registered yet";
}

TEST_F(ControllerActorTest, StartsAgainAfterMoreNamesThanAFitMayList) {
  ASSERT_TRUE(Register().ok());
  constexpr uint64_t kWindows = kMaxAppsPerDevice / 100 + 2;
  for (uint64_t sequence = 1; sequence <= kWindows; ++sequence)
    Send(controller, ReportWindows{NodeId("n1"), {WindowOfNewNames(sequence)}, BootId("boot")});
  ASSERT_EQ(Ask<DeviceList>(controller, ListDevices{})->devices.size(), 1U);
  Restart();
  const DeviceFit fit = FitOnDisk();
  EXPECT_EQ(fit.covered_sequence, kWindows);
  EXPECT_EQ(fit.apps.size(), kMaxAppsPerDevice);
  EXPECT_EQ(fit.models.size(), kMaxAppsPerDevice);
  EXPECT_EQ(Health(), "away");
  EXPECT_TRUE(EventsOf("record_set_aside").empty());
}

TEST_F(ControllerActorTest, StartsAgainAfterTheLongestReason) {
  Store(kApplications, MakeApp("cam", "pose"));
  Store(kPlacements, PlacedCam());
  Restart();
  ASSERT_TRUE(Register().ok());
  Placement failed = RunningCam();
  failed.phase = PlacementPhase::kFailed;
  failed.reason = std::string(kMaxTextBytes, 'r');
  ASSERT_TRUE(Report(failed).ok());
  ASSERT_EQ(EventsOf("app_failed").size(), 1U);
  failed.reason += 'r';
  EXPECT_EQ(Report(failed).code(), StatusCode::kInvalidArgument);
  Restart();
  EXPECT_EQ(EventsOf("app_failed").at(0).size(), kMaxTextBytes);
}

TEST_F(ControllerActorTest, StartsAgainAfterTheLargestEpochs) {
  Store(kApplications, MakeApp("cam", "pose"));
  Store(kPlacements, PlacedCam());
  Restart();
  for (const uint64_t epoch : {kMaxClaimedEpoch + 1, kMaxEpoch, std::numeric_limits<uint64_t>::max() - 1}) {
    EXPECT_EQ(Register({RunningCam(epoch)}).code(), StatusCode::kInvalidArgument) << epoch;
    EXPECT_TRUE(fake->commands.empty()) << epoch;
  }
  ASSERT_TRUE(Register({RunningCam(kMaxClaimedEpoch)}).ok()) << "a controller from an old copy knows less";
  Restart();
  EXPECT_EQ(**Load(control->memory, kLastEpoch), kMaxClaimedEpoch + 1);
  ASSERT_TRUE(Register({RunningCam(kMaxClaimedEpoch + 1)}).ok()) << "it handed out this one itself";
}

TEST_F(ControllerActorTest, AnAgentDoesNotStopAnothersApplication) {
  Store(kApplications, MakeApp("cam", "pose"));
  Store(kPlacements, PlacedCam("n2/gpu0"));
  Restart();
  ASSERT_TRUE(Ask<Welcome>(controller, RegisterAgent{TestNode("n2"), {}, agent, {}}).ok());
  fake->commands.clear();
  Placement others = RunningCam(9);
  others.device = DeviceId("n2/gpu0");
  EXPECT_EQ(Register({others}).code(), StatusCode::kDenied);
  EXPECT_EQ(Health(), "healthy");
  ASSERT_TRUE(Register().ok());
  EXPECT_EQ(Report(others).code(), StatusCode::kDenied);
  EXPECT_TRUE(fake->commands.empty());
}

TEST_F(ControllerActorTest, AnAgentDoesNotMeasureForAnother) {
  ASSERT_TRUE(Ask<Welcome>(controller, RegisterAgent{TestNode("n2"), {}, agent, {}}).ok());
  ASSERT_TRUE(Register().ok());
  SentWindow others = WindowOfNewNames(1);
  others.window.device = DeviceId("n2/gpu0");
  Send(controller, ReportWindows{NodeId("n1"), {others}, BootId("boot")});
  Advance(std::chrono::seconds(3));
  EXPECT_EQ(*Load(control->memory, kDeviceFits, "n2/gpu0"), std::nullopt);
}

TEST_F(ControllerActorTest, ReadsOnPastRecordsWhoseLossCostsNoDecision) {
  ASSERT_TRUE(Register().ok());
  const auto before = Ask<EventList>(controller, ListEvents{})->events;
  Restart();
  StoreRaw("event/" + EventId(before.back().sequence + 7), "junk");
  StoreRaw("fit/n1/gpu0", "\xff");
  StoreRaw("decision/cam", "");
  StoreRaw("profile/pose:1|onnx|a type", "\xff");
  StoreRaw("node/n2", "\xff");
  ASSERT_TRUE(Register().ok());
  Restart();
  const auto events = Ask<EventList>(controller, ListEvents{})->events;
  std::vector<std::string> subjects;
  for (const auto& event : events) {
    if (event.kind == "record_set_aside") subjects.push_back(event.subject);
  }
  EXPECT_EQ(subjects.size(), 5U);
  EXPECT_NE(std::find(subjects.begin(), subjects.end(), "'fit/n1/gpu0'"), subjects.end());
  EXPECT_GT(events.back().sequence, before.back().sequence + 7) << "a number is not given twice";
  EXPECT_EQ(*control->memory.Get("aside/fit/n1/gpu0"), "\xff");
  EXPECT_EQ(*control->memory.Get("fit/n1/gpu0"), std::nullopt);
  Restart();
  EXPECT_EQ(EventsOf("record_set_aside").size(), 5U) << "once";
}

TEST_F(ControllerActorTest, NamesABoundedNumberOfRecordsThatItSetsAside) {
  for (size_t i = 0; i < kMaxSetAsideEvents + 3; ++i)
    StoreRaw("event/" + EventId(100 + i), "junk");
  ASSERT_TRUE(Register().ok());
  Restart();
  const auto texts = EventsOf("record_set_aside");
  ASSERT_EQ(texts.size(), kMaxSetAsideEvents + 1);
  EXPECT_EQ(texts.back(), "3 more");
}

TEST_F(ControllerActorTest, RefusesToStartWithoutARecordThatDecides) {
  for (const std::string key : {"app/cam", "placement/cam", "model/pose:1", "meta/last_epoch"}) {
    auto store = std::make_shared<FaultyStore::Control>();
    WriteBatch batch;
    batch.Put(key, "\xff\xff");
    batch.Put("event/" + EventId(1), "\xff");
    ASSERT_TRUE(store->memory.Write(batch, Sync::kYes).ok());
    auto spawned = SpawnController(system, std::make_unique<FaultyStore>(store), std::nullopt, {});
    ASSERT_FALSE(spawned.ok());
    EXPECT_EQ(spawned.status().code(), StatusCode::kCorruption);
    EXPECT_NE(spawned.status().message().find("'" + key + "'"), std::string::npos) << spawned.status().message();
    EXPECT_NE(spawned.status().message().find("restore its data_dir"), std::string::npos);
    EXPECT_EQ(store->writes, 0) << "nothing is changed where the start is refused";
  }
}

} // namespace
} // namespace avocet
