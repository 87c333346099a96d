#include "actors/wire/link_client.h"

#include "tests/support/actor_fixture.h"
#include "tests/support/fake_agent.h"
#include "tests/support/view_builder.h"

namespace avocet {
namespace {

/// The agent, as far as its link knows it.
struct LinkedAgent {
  std::vector<agent_link_actor> controllers; ///< as they were given
  std::vector<Command> commands;
  std::vector<SetPredictions> predictions;
  Status answer;

  static agent_actor::behavior_type Behavior(agent_actor::pointer self, const std::shared_ptr<LinkedAgent>& fake) {
    return {
        [fake](const RunCommand& run) -> caf::result<Done> {
          fake->commands.push_back(run.command);
          if (!fake->answer.ok()) return MakeError(fake->answer);
          return Done{};
        },
        [](const ProfileOnDevice& order) -> caf::result<Profile> {
          return Profile{.model = order.model,
                         .format = order.variant.format,
                         .device_type = "test device",
                         .service_mean = FromMillis(10),
                         .runs = 5};
        },
        [](const RegisterAgain&) {},
        [fake](const SetPredictions& predictions) { fake->predictions.push_back(predictions); },
        [fake](const ConnectTo& connect) { fake->controllers.push_back(connect.controller); },
        [](SessionTick) {},
        [self](StopActor) -> caf::result<Done> { return self->quit(), Done{}; },
    };
  }
};

class LinkClientTest : public ActorTest {
protected:
  LinkClientTest() {
    agent = Keep(system.spawn(LinkedAgent::Behavior, fake));
    auto args = std::make_shared<LinkClientArgs>();
    args->address = "far:7400";
    args->agent = agent;
    args->wire = {.send = [this](v1::AgentMessage m) { return up.push_back(std::move(m)), wire_open; },
                  .welcomed = [this] { ++welcomed; },
                  .fetch = [](const FetchModel& f) -> Result<ModelChunk> { return ModelChunk{f.file.str()}; }};
    args->max_batch_bytes = 200;
    args->detached_fetch = false;
    link = Keep(system.spawn(LinkClientBehavior, std::shared_ptr<const LinkClientArgs>(args)));
    Run();
  }

  void Hear(v1::ControllerMessage message) {
    Send(link, ControllerSaid{std::make_shared<const v1::ControllerMessage>(std::move(message))});
  }
  void HearWelcome() {
    v1::ControllerMessage message;
    message.mutable_welcome()->set_cluster(7);
    Hear(std::move(message));
  }
  void HearRequest(uint64_t id, const LinkRequest& request) {
    v1::ControllerMessage message;
    *message.mutable_request() = ToProto(request);
    message.mutable_request()->set_id(id);
    message.mutable_request()->set_oldest_id(1);
    Hear(std::move(message));
  }

  Pending<Welcome> Register() {
    return Begin<Welcome>(
        link,
        RegisterAgent{TestNode(), {}, caf::actor_cast<agent_handle>(agent), caf::actor_cast<window_ack_handle>(self)});
  }
  /// An open session with a registered agent.
  void OpenSession() {
    Send(link, LinkUp{});
    (void)Register();
    HearWelcome();
    up.clear();
  }

  std::shared_ptr<LinkedAgent> fake = std::make_shared<LinkedAgent>();
  agent_actor agent;
  link_client_actor link;
  std::vector<v1::AgentMessage> up;
  bool wire_open = true;
  int welcomed = 0;
};

TEST_F(LinkClientTest, GivesTheAgentItsControllerAndTakesItAway) {
  Send(link, LinkUp{});
  ASSERT_EQ(fake->controllers.size(), 1U);
  EXPECT_TRUE(fake->controllers[0]);
  Send(link, LinkDown{Unavailable("cut")});
  ASSERT_EQ(fake->controllers.size(), 2U);
  EXPECT_FALSE(fake->controllers[1]);
  Send(link, LinkDown{Unavailable("still away")});
  EXPECT_EQ(fake->controllers.size(), 2U) << "it knows already";
}

TEST_F(LinkClientTest, ARegistrationIsDoneWithTheWelcome) {
  Send(link, LinkUp{});
  const auto registration = Register();
  ASSERT_EQ(up.size(), 1U);
  EXPECT_EQ(FromProto(up[0].hello())->node, TestNode());
  EXPECT_FALSE(registration.answered());
  HearWelcome();
  EXPECT_TRUE(registration.get().ok());
  EXPECT_EQ(welcomed, 1);
  EXPECT_EQ(registration.get()->cluster, 7U);
}

TEST_F(LinkClientTest, NothingIsTakenWithoutASession) {
  EXPECT_EQ(Register().get().status().code(), StatusCode::kUnavailable);
  Send(link, LinkDown{Unavailable("controller far:7400: connection refused")});
  EXPECT_EQ(Ask<Done>(link, Heartbeat{NodeId("n1"), BootId("boot")}).status(),
            Unavailable("controller far:7400: connection refused"));
  EXPECT_TRUE(up.empty());
}

TEST_F(LinkClientTest, ARegistrationFailsWithItsSession) {
  Send(link, LinkUp{});
  const auto registration = Register();
  Send(link, LinkDown{Unavailable("cut")});
  EXPECT_EQ(registration.get().status(), Unavailable("cut"));
}

TEST_F(LinkClientTest, CarriesReportsAndHeartbeats) {
  OpenSession();
  EXPECT_TRUE(Ask<Done>(link, Heartbeat{NodeId("n1"), BootId("boot")}).ok());
  EXPECT_TRUE(up.at(0).has_alive());
  const Placement running{.app = AppId("cam"), .device = DeviceId("n1/gpu0"), .epoch = 3};
  EXPECT_TRUE(Ask<Done>(link, ReportRunning{NodeId("n1"), running}).ok());
  EXPECT_EQ(up.at(1).running().app(), "cam");
  wire_open = false;
  EXPECT_EQ(Ask<Done>(link, ReportRunning{NodeId("n1"), running}).status().code(), StatusCode::kUnavailable);
}

/// A driver may say anything, also of a device type.
TEST_F(LinkClientTest, WhatItSendsIsUtf8) {
  OpenSession();
  Placement running{.app = AppId("cam"), .device = DeviceId("n1/gpu0"), .model = ModelId("pose:1"), .epoch = 1};
  running.reason = "caf\xC3\xA9 \xFF";
  ASSERT_TRUE(Ask<Done>(link, ReportRunning{NodeId("n1"), running}).ok());
  EXPECT_EQ(up.back().running().reason(), "caf\xC3\xA9 ?");
}

TEST_F(LinkClientTest, SaysGoodbyeBehindTheLastWindows) {
  OpenSession();
  Send(link, ReportWindows{NodeId("n1"),
                           {{{.device = DeviceId("n1/gpu0"), .boot = BootId("boot"), .sequence = 1}, 1}},
                           BootId("boot")});
  Send(link, Goodbye{NodeId("n1"), BootId("boot")});
  ASSERT_TRUE(Ask<Done>(link, StopActor{}).ok()) << "all that was said is with the connection";
  ASSERT_EQ(up.size(), 2U);
  EXPECT_TRUE(up[0].has_windows());
  EXPECT_TRUE(up[1].has_goodbye());
}

TEST_F(LinkClientTest, SendsWindowsInBatchesOfABoundedSize) {
  OpenSession();
  std::vector<SentWindow> windows;
  for (uint64_t i = 1; i <= 10; ++i)
    windows.push_back(
        {{.device = DeviceId("n1/gpu0"), .boot = BootId("boot"), .sequence = i, .length = FromMillis(200)}, 1});
  Send(link, ReportWindows{NodeId("n1"), windows, BootId("boot")});
  EXPECT_GT(up.size(), 1U);
  uint64_t next = 1;
  for (const auto& message : up) {
    EXPECT_LE(message.ByteSizeLong(), 220U);
    for (const auto& sent : message.windows().windows())
      EXPECT_EQ(sent.window().sequence(), next++);
  }
  EXPECT_EQ(next, 11U);
}

TEST_F(LinkClientTest, CarriesOutARequestOnceAndAnswersEveryCopy) {
  OpenSession();
  HearRequest(1, StartOfCam());
  HearRequest(1, StartOfCam());
  EXPECT_EQ(fake->commands.size(), 1U);
  ASSERT_EQ(up.size(), 2U);
  for (const auto& message : up) {
    EXPECT_EQ(message.answer().id(), 1U);
    EXPECT_TRUE(FromProto(message.answer())->status.ok());
  }
}

TEST_F(LinkClientTest, SaysWhyTheAgentRefuses) {
  OpenSession();
  fake->answer = NotFound("no such device");
  HearRequest(1, StartOfCam());
  EXPECT_EQ(FromProto(up.at(0).answer())->status, fake->answer);
  v1::ControllerMessage unknown;
  unknown.mutable_request()->set_id(2);
  Hear(std::move(unknown));
  EXPECT_EQ(FromProto(up.at(1).answer())->status.code(), StatusCode::kUnsupported);
}

TEST_F(LinkClientTest, AnswersProfiles) {
  OpenSession();
  HearRequest(1,
              ProfileOnDevice{DeviceId("n1/gpu0"), ModelId("pose:1"), {ModelFormat::kEmulated, FakeDigest("pose"), 7}});
  EXPECT_EQ(FromProto(up.at(0).answer())->profile->model, ModelId("pose:1"));
}

TEST_F(LinkClientTest, ANewSessionCountsItsRequestsFromOne) {
  OpenSession();
  HearRequest(1, StartOfCam());
  OpenSession();
  HearRequest(1, StartOfCam());
  EXPECT_EQ(fake->commands.size(), 2U) << "another session's first request is another request";
}

TEST_F(LinkClientTest, HandsAcknowledgementsOn) {
  OpenSession();
  v1::ControllerMessage message;
  *message.mutable_ack() = ToProto(WindowAck{DeviceId("n1/gpu0"), BootId("boot"), 9});
  Hear(std::move(message));
  uint64_t sequence = 0;
  self->receive([&](const WindowAck& ack) { sequence = ack.sequence; },
                caf::after(std::chrono::seconds(0)) >> [] { FAIL() << "no acknowledgement"; });
  EXPECT_EQ(sequence, 9U);
}

TEST_F(LinkClientTest, HandsPredictionsToTheAgent) {
  v1::ControllerMessage message;
  *message.mutable_predictions() =
      ToProto(SetPredictions{DeviceId("n1/gpu0"), {{AppId("cam"), {.mean = FromMillis(5)}}}});
  Hear(message); // before there is an agent
  OpenSession();
  Hear(message);
  ASSERT_EQ(fake->predictions.size(), 1U);
  EXPECT_EQ(fake->predictions[0].device, DeviceId("n1/gpu0"));
  message.mutable_predictions()->set_device("no device");
  Hear(message);
  EXPECT_EQ(fake->predictions.size(), 1U);
}

TEST_F(LinkClientTest, RegistersAgainWhenAsked) {
  OpenSession();
  v1::ControllerMessage message;
  message.mutable_register_again()->set_reason("who are you");
  Hear(std::move(message));
  EXPECT_EQ(fake->controllers.size(), 2U);
  EXPECT_TRUE(fake->controllers.back());
}

TEST_F(LinkClientTest, FetchesModelFiles) {
  EXPECT_EQ(Ask<ModelChunk>(link, FetchModel{FakeDigest("pose"), 0})->data, FakeDigest("pose").str());
}

} // namespace
} // namespace avocet
