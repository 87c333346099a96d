#include "actors/wire/link_session.h"

#include "messages/codec/codec.h"
#include "tests/support/actor_fixture.h"
#include "tests/support/fake_agent.h"
#include "tests/support/view_builder.h"

namespace avocet {
namespace {

/// The controller, as far as a session knows it.
struct FakeController {
  std::vector<RegisterAgent> registrations;
  std::vector<Heartbeat> heartbeats;
  std::vector<ReportRunning> reports;
  std::vector<ReportWindows> windows;
  std::vector<Goodbye> goodbyes;
  Status answer;
  bool is_slow = false; ///< registrations are answered when a goodbye comes
  std::vector<caf::typed_response_promise<Welcome>> unanswered;
  uint64_t cluster = 7;

  caf::result<Done> Answer() const {
    if (!answer.ok()) return MakeError(answer);
    return Done{};
  }

  caf::result<Welcome> Register(agent_link_actor::pointer self, const RegisterAgent& registration) {
    registrations.push_back(registration);
    if (is_slow) return unanswered.emplace_back(self->make_response_promise<Welcome>());
    if (!answer.ok()) return MakeError(answer);
    return Welcome{cluster};
  }

  static agent_link_actor::behavior_type Behavior(agent_link_actor::pointer self,
                                                  const std::shared_ptr<FakeController>& fake) {
    return {
        [self, fake](const RegisterAgent& m) { return fake->Register(self, m); },
        [fake](const Heartbeat& m) { return fake->heartbeats.push_back(m), fake->Answer(); },
        [fake](const ReportRunning& m) { return fake->reports.push_back(m), fake->Answer(); },
        [fake](const ReportWindows& m) { fake->windows.push_back(m); },
        [fake](const Goodbye& m) {
          fake->goodbyes.push_back(m);
          for (auto& promise : fake->unanswered)
            promise.deliver(Welcome{fake->cluster});
        },
        [](const FetchModel&) -> caf::result<ModelChunk> { return ModelChunk{}; },
    };
  }
};

class LinkSessionTest : public ActorTest {
protected:
  LinkSessionTest() { Open({}); }

  void Open(std::optional<NodeId> only_node) {
    controller = Keep(system.spawn(FakeController::Behavior, fake));
    auto args = std::make_shared<LinkSessionArgs>();
    args->session = 7;
    args->peer = "test";
    args->only_node = std::move(only_node);
    args->controller = controller;
    args->stream = {.send = [this](v1::ControllerMessage m) { return down.push_back(std::move(m)), true; },
                    .handled = [this] { ++handled; },
                    .end = [this](const Status& status) { end = status; }};
    session = Keep(system.spawn(LinkSessionBehavior, std::shared_ptr<const LinkSessionArgs>(args)));
    Run();
  }

  void Say(v1::AgentMessage message) {
    Send(session, AgentSaid{std::make_shared<const v1::AgentMessage>(std::move(message))});
  }
  void SayHello(const NodeInfo& node = TestNode()) {
    v1::AgentMessage message;
    *message.mutable_hello() = ToProto(LinkHello{node, {}});
    Say(std::move(message));
  }
  void SayAlive() {
    v1::AgentMessage message;
    message.mutable_alive();
    Say(std::move(message));
  }
  void SayGoodbye() {
    v1::AgentMessage message;
    message.mutable_goodbye();
    Say(std::move(message));
  }
  void SayWindow(const std::string& device) {
    v1::AgentMessage message;
    *message.mutable_windows()->add_windows() = ToProto(
        SentWindow{{.device = DeviceId(device), .boot = BootId("boot"), .sequence = 4, .length = FromMillis(200)}, 3});
    Say(std::move(message));
  }
  void SayAnswer(uint64_t id, const LinkAnswer& answer) {
    v1::AgentMessage message;
    *message.mutable_answer() = ToProto(answer);
    message.mutable_answer()->set_id(id);
    Say(std::move(message));
  }

  std::shared_ptr<FakeController> fake = std::make_shared<FakeController>();
  agent_link_actor controller;
  link_session_actor session;
  std::vector<v1::ControllerMessage> down;
  int handled = 0;
  Status end;
};

TEST_F(LinkSessionTest, RegistersTheAgentAndWelcomesIt) {
  SayHello();
  ASSERT_EQ(fake->registrations.size(), 1U);
  EXPECT_EQ(fake->registrations[0].node, TestNode());
  EXPECT_EQ(fake->registrations[0].session, 7U);
  ASSERT_EQ(down.size(), 1U);
  ASSERT_TRUE(down[0].has_welcome());
  EXPECT_EQ(down[0].welcome().cluster(), 7U);
  EXPECT_EQ(handled, 1) << "another message may be read";
}

TEST_F(LinkSessionTest, EndsWhenTheRegistrationIsRefused) {
  fake->answer = InvalidArgument("no devices");
  SayHello();
  EXPECT_EQ(end, InvalidArgument("no devices"));
  EXPECT_TRUE(down.empty());
}

TEST_F(LinkSessionTest, BeginsWithHelloOnly) {
  SayAlive();
  EXPECT_EQ(end.code(), StatusCode::kInvalidArgument);
  EXPECT_TRUE(fake->heartbeats.empty());
}

TEST_F(LinkSessionTest, AdmitsOnlyTheNodeThatTheCertificateNames) {
  Open(NodeId("n2"));
  SayHello();
  EXPECT_EQ(end.code(), StatusCode::kDenied);
  EXPECT_NE(end.message().find("n2"), std::string::npos) << end.message();
  EXPECT_TRUE(fake->registrations.empty());
}

TEST_F(LinkSessionTest, CarriesWhatTheAgentSaysWithTheSessionsNumber) {
  SayHello();
  SayAlive();
  ASSERT_EQ(fake->heartbeats.size(), 1U);
  EXPECT_EQ(fake->heartbeats[0].session, 7U);
  EXPECT_EQ(fake->heartbeats[0].boot, BootId("boot"));
  SayWindow("n1/gpu0");
  ASSERT_EQ(fake->windows.size(), 1U);
  EXPECT_EQ(fake->windows[0].session, 7U);
  EXPECT_EQ(fake->windows[0].windows.at(0).window.sequence, 4U);
  EXPECT_EQ(fake->windows[0].windows.at(0).oldest, 3U);
}

TEST_F(LinkSessionTest, CarriesTheInstanceAndTheGoodbye) {
  v1::AgentMessage hello;
  *hello.mutable_hello() = ToProto(LinkHello{TestNode(), {}, 42});
  Say(std::move(hello));
  ASSERT_EQ(fake->registrations.size(), 1U);
  EXPECT_EQ(fake->registrations[0].instance, 42U);
  EXPECT_EQ(fake->registrations[0].peer, "test");
  SayGoodbye();
  ASSERT_EQ(fake->goodbyes.size(), 1U);
  EXPECT_EQ(fake->goodbyes[0].node, NodeId("n1"));
  EXPECT_EQ(fake->goodbyes[0].boot, BootId("boot"));
  EXPECT_EQ(fake->goodbyes[0].session, 7U);
}

TEST_F(LinkSessionTest, CarriesAGoodbyeBeforeTheWelcome) {
  fake->is_slow = true;
  SayHello();
  SayAlive();
  SayGoodbye();
  EXPECT_TRUE(fake->heartbeats.empty());
  EXPECT_EQ(fake->goodbyes.size(), 1U) << "the agent may be stopped while it registers";
  EXPECT_EQ(down.size(), 1U) << "welcomed afterwards";
}

TEST_F(LinkSessionTest, AnAgentSpeaksForItsOwnNodeOnly) {
  SayHello();
  SayWindow("n10/gpu0");
  EXPECT_EQ(end.code(), StatusCode::kDenied);
  EXPECT_TRUE(fake->windows.empty());
  end = {};
  SayWindow("n1/gpu9");
  EXPECT_EQ(end.code(), StatusCode::kDenied) << "not among the devices that it registered";
  end = {};
  SayHello(TestNode("n2"));
  EXPECT_EQ(end.code(), StatusCode::kInvalidArgument) << "a session belongs to one node";
}

TEST_F(LinkSessionTest, AsksAForgottenAgentToRegisterAgain) {
  SayHello();
  fake->answer = NotFound("the lease ran out");
  SayAlive();
  ASSERT_EQ(down.size(), 2U);
  EXPECT_EQ(down[1].register_again().reason(), "the lease ran out");
  SayAlive();
  EXPECT_EQ(fake->heartbeats.size(), 1U) << "nothing counts until it registered";
  fake->answer = {};
  SayHello();
  EXPECT_TRUE(down.back().has_welcome());
}

TEST_F(LinkSessionTest, EndsWhenALaterSessionReplacedIt) {
  SayHello();
  fake->answer = Cancelled("a later session replaced this one");
  SayAlive();
  EXPECT_EQ(end, fake->answer);
}

TEST_F(LinkSessionTest, EndsWhenTheAgentSaysWhatItMayNot) {
  for (const Status& refusal : {Denied("not your device"), InvalidArgument("no such epoch")}) {
    SayHello();
    fake->answer = refusal;
    SayAlive();
    EXPECT_EQ(end, refusal) << "it would say so again";
    fake->answer = end = {};
  }
}

TEST_F(LinkSessionTest, SendsACommandUntilItIsAnswered) {
  SayHello();
  down.clear();
  const auto answer = Begin<Done>(session, StartOfCam());
  Advance(std::chrono::milliseconds(2500));
  EXPECT_FALSE(answer.answered());
  ASSERT_GE(down.size(), 2U) << "sent again";
  EXPECT_EQ(down[0].request().id(), 1U);
  EXPECT_EQ(down[1].request().id(), 1U);
  EXPECT_EQ(FromProto(down[0].request().command())->epoch, 3U);
  SayAnswer(1, {});
  EXPECT_TRUE(answer.get().ok());
  const size_t before = down.size();
  Advance(std::chrono::seconds(5));
  EXPECT_EQ(down.size(), before);
  SayAnswer(1, {}); // a second copy
  EXPECT_TRUE(end.ok());
}

TEST_F(LinkSessionTest, HandsOnWhyAnAgentRefuses) {
  SayHello();
  const auto answer = Begin<Done>(session, StartOfCam());
  SayAnswer(1, {NotFound("no such device"), {}});
  EXPECT_EQ(answer.get().status(), NotFound("no such device"));
}

TEST_F(LinkSessionTest, EndsWhenACommandIsNotAnsweredInTime) {
  SayHello();
  const auto answer = Begin<Done>(session, StartOfCam());
  Advance(RequestDeadlines().command + std::chrono::seconds(1));
  EXPECT_EQ(answer.get().status().code(), StatusCode::kDeadlineExceeded);
  EXPECT_EQ(end.code(), StatusCode::kDeadlineExceeded) << "the next session finds what is missing";
}

TEST_F(LinkSessionTest, CarriesProfiles) {
  SayHello();
  const ProfileOnDevice order{DeviceId("n1/gpu0"), ModelId("pose:1"), {ModelFormat::kEmulated, FakeDigest("pose"), 7}};
  const auto answer = Begin<Profile>(session, order);
  ASSERT_TRUE(down.back().request().has_profile());
  SayAnswer(1, {{},
                Profile{.model = ModelId("pose:1"),
                        .format = ModelFormat::kEmulated,
                        .device_type = "test device",
                        .service_mean = FromMillis(10),
                        .runs = 5}});
  EXPECT_EQ(answer.get()->device_type, "test device");
  const auto other = Begin<Profile>(session, order);
  SayAnswer(2, {});
  EXPECT_EQ(other.get().status().code(), StatusCode::kCorruption) << "a success without a profile";
}

TEST_F(LinkSessionTest, AcknowledgesDownTheStream) {
  SayHello();
  Send(session, WindowAck{DeviceId("n1/gpu0"), BootId("boot"), 9});
  EXPECT_EQ(down.back().ack().sequence(), 9U);
}

TEST_F(LinkSessionTest, SendsPredictionsDownTheStream) {
  SayHello();
  Send(session, SetPredictions{DeviceId("n1/gpu0"), {{AppId("cam"), {.p95 = FromMillis(7)}}}});
  ASSERT_EQ(down.back().predictions().apps_size(), 1);
  EXPECT_EQ(down.back().predictions().apps(0).latency().p95_ns(), 7'000'000);
}

TEST_F(LinkSessionTest, FailsWhatIsOpenWhenTheStreamEnds) {
  SayHello();
  const auto answer = Begin<Done>(session, StartOfCam());
  Send(session, StreamEnded{});
  EXPECT_EQ(answer.get().status().code(), StatusCode::kUnavailable);
  EXPECT_EQ(Ask<Done>(session, StartOfCam()).status().code(), StatusCode::kUnavailable) << "the actor ended";
}

TEST_F(LinkSessionTest, EndsOnWhatDoesNotDecode) {
  SayHello();
  v1::AgentMessage message;
  message.mutable_windows()->add_windows();
  Say(std::move(message));
  EXPECT_EQ(end.code(), StatusCode::kCorruption);
}

} // namespace
} // namespace avocet
