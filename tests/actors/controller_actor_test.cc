#include "actors/controller_actor.h"

#include "storage/records.h"
#include "tests/support/actor_fixture.h"
#include "tests/support/fake_agent.h"

namespace avocet::testing {
namespace {

class ControllerActorTest : public ActorTest {
protected:
  ControllerActorTest() {
    agent = Keep(system.spawn(FakeAgent::Behavior, fake));
    Start();
  }

  void Start() {
    ControllerOptions options;
    options.detached_store = false;
    auto spawned = SpawnController(system, std::make_unique<FaultyStore>(control), std::nullopt, options);
    ASSERT_TRUE(spawned.ok()) << spawned.status().ToString();
    controller = Keep(*spawned);
    Run();
  }

  /// Who registers as node n1.
  struct Claimant {
    uint64_t session = 0;
    uint64_t instance = 0;
    std::string peer;
  };
  Status Register(const Claimant& who) {
    return Ask<Done>(controller, RegisterAgent{TestNode(),
                                               {},
                                               agent,
                                               caf::actor_cast<window_ack_handle>(self),
                                               who.session,
                                               who.instance,
                                               who.peer})
        .status();
  }
  Status Register() { return Register(Claimant()); }

  /// The texts of the events of that kind.
  std::vector<std::string> EventsOf(const std::string& kind) {
    std::vector<std::string> texts;
    const auto events = Ask<EventList>(controller, ListEvents{});
    for (const auto& event : events->events) {
      if (event.kind == kind) texts.push_back(event.detail);
    }
    return texts;
  }

  Status Beat() { return Ask<Done>(controller, Heartbeat{NodeId("n1"), BootId("boot")}).status(); }

  std::string Health() {
    auto nodes = Ask<NodeList>(controller, ListNodes{});
    return nodes.ok() && !nodes->nodes.empty() ? nodes->nodes[0].health : "unknown";
  }

  std::shared_ptr<FaultyStore::Control> control = std::make_shared<FaultyStore::Control>();
  std::shared_ptr<FakeAgent> fake = std::make_shared<FakeAgent>();
  agent_handle agent;
  controller_actor controller;
};

TEST_F(ControllerActorTest, RegistersAnAgentAndItsDevices) {
  ASSERT_TRUE(Register().ok());
  EXPECT_EQ(Health(), "healthy");
  EXPECT_EQ(Ask<DeviceList>(controller, ListDevices{})->devices.size(), 1U);
}

TEST_F(ControllerActorTest, RefusesAnInvalidNode) {
  NodeInfo node = TestNode();
  node.devices.clear();
  EXPECT_EQ(Ask<Done>(controller, RegisterAgent{node, {}, agent, {}}).status().code(), StatusCode::kInvalidArgument);
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

TEST_F(ControllerActorTest, ANamesakeIsRefusedAndToldWhyUntilTheLeaseIsOver) {
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

TEST_F(ControllerActorTest, StopsInOrderAndRemembers) {
  ASSERT_TRUE(Register().ok());
  ASSERT_TRUE(Ask<Done>(controller, StopActor{}).ok());
  EXPECT_EQ(Ask<NodeList>(controller, ListNodes{}).status().code(), StatusCode::kUnavailable);
  Start();
  EXPECT_EQ(Health(), "away") << "known from the store, not registered yet";
}

TEST_F(ControllerActorTest, RefusesToStartOnRecordsThatDoNotDecode) {
  WriteBatch batch;
  batch.Put(std::string(kApplications.prefix) + "cam", "\xff\xff");
  ASSERT_TRUE(control->memory.Write(batch, Sync::kYes).ok());
  auto spawned = SpawnController(system, std::make_unique<FaultyStore>(control), std::nullopt, {});
  ASSERT_FALSE(spawned.ok());
  EXPECT_EQ(spawned.status().code(), StatusCode::kCorruption);
  EXPECT_NE(spawned.status().message().find("cam"), std::string::npos);
}

} // namespace
} // namespace avocet::testing
