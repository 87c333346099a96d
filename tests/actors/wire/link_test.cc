// Agents and a controller over a real connection, in one process: AgentLink -> gRPC -> LinkService -> the actors.

#include <algorithm>
#include <future>
#include <mutex>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <caf/scoped_actor.hpp>
#include <caf/send.hpp>

#include "actors/actor_system.h"
#include "actors/agent/agent_actor.h"
#include "actors/ask.h"
#include "actors/controller/controller_process.h"
#include "actors/stop.h"
#include "actors/store_actor.h"
#include "actors/wire/link_client.h"
#include "messages/codec/codec.h"
#include "node_agent/model_files.h"
#include "storage/memory_store.h"
#include "storage/records.h"
#include "storage/rocks_store.h"
#include "tests/support/emulated_text.h"
#include "tests/support/fake_agent.h"
#include "tests/support/process.h"
#include "tests/support/temp_dir.h"
#include "tests/support/test_authority.h"
#include "tests/support/view_builder.h"

namespace avocet {
namespace {

constexpr Duration kPatience = std::chrono::seconds(60);

/// An agent whose device is played by functions, linked to a controller.
class TestAgent {
public:
  TestAgent(caf::actor_system& system, const std::string& name, const std::string& controller) : system_(system) {
    auto args = std::make_shared<AgentActorArgs>();
    args->node = TestNode(name);
    args->store = SpawnStore(system, std::make_unique<MemoryStore>(), std::nullopt, true);
    args->driver = std::make_shared<const DeviceDriver>(
        DeviceDriver{.start = [this](const Command&) { return ++started, Status(); },
                     .stop = [](const Command&) { return Status(); },
                     .profile = [](const ProfileOnDevice& order) -> Result<Profile> {
                       return Profile{.model = order.model,
                                      .format = order.variant.format,
                                      .device_type = "test device",
                                      .service_mean = FromMillis(10),
                                      .memory_bytes = kMiB,
                                      .runs = 5,
                                      .emulated = true};
                     }});
    args->close_windows = [this, device = TestGpu(name).id()] {
      return std::vector<MeasurementWindow>{
          {.device = device, .boot = BootId("boot"), .sequence = ++windows, .length = FromMillis(20)}};
    };
    args->options.window = std::chrono::milliseconds(20);
    args->options.heartbeat = std::chrono::milliseconds(100);
    actor_ = system.spawn(AgentBehavior, std::shared_ptr<const AgentActorArgs>(args));
    link_ = std::make_unique<AgentLink>(system, LinkConnectionOptions{.address = controller, .tls = {}}, actor_);
  }
  ~TestAgent() {
    (void)StopAndWait(system_, actor_, kPatience);
    link_->Stop();
  }
  AgentLink& link() { return *link_; }

  std::atomic<int> started = 0;
  std::atomic<uint64_t> windows = 0;

private:
  caf::actor_system& system_;
  agent_actor actor_;
  std::unique_ptr<AgentLink> link_;
};

class LinkTest : public ::testing::Test {
protected:
  void SetUp() override { StartController("127.0.0.1:0"); }

  void StartController(const std::string& address) {
    ControllerProcessOptions options{.data_dir = dir.path()};
    options.control.address = address;
    options.controller.persist_every = std::chrono::milliseconds(100);
    auto started = ControllerProcess::Start(system, options);
    ASSERT_TRUE(started.ok()) << started.status().ToString();
    process = std::move(*started);
  }

  template <class Reply, class Message> Result<Reply> Ask(Message message) {
    return AskAndWait<Reply>(system, process->actor(), std::move(message), kPatience, "controller");
  }

  std::string Health(const std::string& node) {
    const auto nodes = Ask<NodeList>(ListNodes{});
    if (!nodes.ok()) return nodes.status().ToString();
    for (const auto& one : nodes->nodes) {
      if (one.info.id == NodeId(node)) return std::string(ToString(one.health));
    }
    return "unknown";
  }
  bool BecomesHealthy(const std::string& node) {
    return Eventually([&] { return Health(node) == "healthy"; }, kPatience);
  }

  std::vector<std::string> EventTexts() {
    std::vector<std::string> texts;
    const auto events = Ask<EventList>(ListEvents{});
    for (const auto& event : events->events)
      texts.push_back(event.detail);
    return texts;
  }

  Sha256 Import() {
    const std::string bytes = EmulatedText("pose");
    const Sha256 file = Sha256Of(bytes);
    EXPECT_TRUE(Ask<ModelChunkStored>(PutModelChunk{file, 0, bytes.size(), bytes}).ok());
    EXPECT_TRUE(
        Ask<Model>(ImportModel{{.name = "pose", .variants = {{ModelFormat::kEmulated, file, bytes.size()}}}}).ok());
    return file;
  }

  PlacementPhase Phase(const std::string& app) {
    const auto status = Ask<AppStatus>(GetApp{AppId(app)});
    return status.ok() && status->placement ? status->placement->phase : PlacementPhase::kLost;
  }
  bool BecomesReady(const std::string& app) {
    return Eventually([&] { return Phase(app) == PlacementPhase::kReady; }, kPatience);
  }

  TempDir dir;
  ActorSystemConfig config{4};
  caf::actor_system system{config};
  std::unique_ptr<ControllerProcess> process;
};

TEST_F(LinkTest, ProfilesAdmitsAndStartsOnARemoteAgent) {
  TestAgent agent(system, "n1", process->address());
  ASSERT_TRUE(BecomesHealthy("n1"));
  Import();
  const auto decision = Ask<Decision>(ApplyApp{MakeApp("cam", "pose")});
  ASSERT_TRUE(decision.ok()) << decision.status().ToString();
  EXPECT_EQ(decision->kind, DecisionKind::kAdmit) << "its profile came over the link";
  EXPECT_TRUE(BecomesReady("cam"));
  EXPECT_EQ(agent.started, 1);
}

TEST_F(LinkTest, FetchesModelFilesFromAnyOffset) {
  const Sha256 file = Import();
  TestAgent agent(system, "n1", process->address());
  ASSERT_TRUE(BecomesHealthy("n1"));
  const auto ask = [&](uint64_t offset) {
    return AskAndWait<ModelChunk>(system, agent.link().controller(), FetchModel{file, offset}, kPatience, "link");
  };
  EXPECT_EQ(ask(2)->data, EmulatedText("pose").substr(2));
  EXPECT_EQ(ask(12)->data, "");
  const auto unknown =
      AskAndWait<ModelChunk>(system, agent.link().controller(), FetchModel{Sha256Of("another"), 0}, kPatience, "link");
  EXPECT_EQ(unknown.status().code(), StatusCode::kNotFound) << unknown.status().ToString();
}

TEST_F(LinkTest, AgentsComeBackAfterARestartOfTheController) {
  TestAgent first(system, "n1", process->address()), second(system, "n2", process->address());
  ASSERT_TRUE(BecomesHealthy("n1") && BecomesHealthy("n2"));
  Import();
  ASSERT_TRUE(Ask<Decision>(ApplyApp{MakeApp("cam", "pose")}).ok());
  ASSERT_TRUE(BecomesReady("cam"));
  const std::string address = process->address();
  process.reset();
  StartController(address);
  EXPECT_TRUE(BecomesHealthy("n1") && BecomesHealthy("n2"));
  EXPECT_TRUE(BecomesReady("cam"));
  EXPECT_EQ(first.started + second.started, 1) << "nothing was started again";
}

TEST_F(LinkTest, ALaterSessionReplacesTheEarlierOne) {
  auto first = std::make_unique<TestAgent>(system, "n1", process->address());
  ASSERT_TRUE(BecomesHealthy("n1"));
  TestAgent second(system, "n1", process->address());
  Import();
  ASSERT_TRUE(Eventually([&] { return Ask<ProfileList>(ProfileModel{"pose", {}}).ok(); }, kPatience));
  first.reset();
  ASSERT_TRUE(Eventually(
      [&] {
        return Health("n1") == "healthy" && Ask<ProfileList>(ProfileModel{"pose", {}}).ok();
      },
      kPatience));
}

TEST_F(LinkTest, AnAgentThatStopsIsAwayBecauseItSaidSo) {
  auto agent = std::make_unique<TestAgent>(system, "n1", process->address());
  ASSERT_TRUE(BecomesHealthy("n1"));
  agent.reset();
  EXPECT_TRUE(Eventually([&] { return Health("n1") == "away"; }, kPatience));
  const auto said = [&] {
    const auto texts = EventTexts();
    return std::find(texts.begin(), texts.end(), "its agent was stopped") != texts.end();
  };
  EXPECT_TRUE(Eventually(said, kPatience)) << "events are listed once they are durable";
}

TEST_F(LinkTest, StopsWithAgentsConnected) {
  TestAgent agent(system, "n1", process->address());
  ASSERT_TRUE(BecomesHealthy("n1"));
  process.reset(); // waits for the sessions, each with a deadline
}

/// The link over mutual TLS: who is let in.
class LinkTlsTest : public LinkTest {
protected:
  void SetUp() override {
    ControllerProcessOptions options{.data_dir = dir.path(), .control = {}, .controller = {}};
    options.control.address = "127.0.0.1:0";
    options.control.tls = authority.Issue(Role::kController, "main");
    auto started = ControllerProcess::Start(system, options);
    ASSERT_TRUE(started.ok()) << started.status().ToString();
    process = std::move(*started);
  }

  /// Says Hello as the node, with those certificates; success is the Welcome, else why the session ended.
  Status Hello(const std::optional<TlsOptions>& tls, const std::string& node) {
    std::promise<Status> first;
    std::once_flag once;
    const auto conclude = [&](const Status& status) { std::call_once(once, [&] { first.set_value(status); }); };
    LinkConnection connection({.address = process->address(), .tls = tls});
    v1::AgentMessage hello;
    *hello.mutable_hello() = ToProto(LinkHello{TestNode(node), {}});
    connection.Begin({.up = [&] { (void)connection.Send(hello); },
                      .said =
                          [&](const v1::ControllerMessage& message) {
                            if (message.has_welcome()) conclude({});
                          },
                      .down = conclude});
    auto outcome = first.get_future();
    const bool concluded = outcome.wait_for(kPatience) == std::future_status::ready;
    connection.Stop();
    return concluded ? outcome.get() : DeadlineExceeded("neither welcomed nor refused");
  }

  /// An application on n2/gpu0, from a controller's earlier life.
  void PlaceCamOnN2() {
    process.reset();
    auto store = RocksStore::Open({.directory = dir.path() / "db"});
    ASSERT_TRUE(store.ok()) << store.status().ToString();
    WriteBatch batch;
    Put(batch, kApplications, MakeApp("cam", "pose"));
    Put(batch, kPlacements,
        Placement{.app = AppId("cam"),
                  .device = DeviceId("n2/gpu0"),
                  .model = ModelId("pose:1"),
                  .format = ModelFormat::kEmulated,
                  .file = FakeDigest("pose"),
                  .epoch = 3});
    ASSERT_EQ((*store)->Write(batch, Sync::kYes), Status());
    store->reset();
    SetUp();
  }

  TestAuthority authority;
};

Placement CamOnN2() {
  return {.app = AppId("cam"),
          .device = DeviceId("n2/gpu0"),
          .model = ModelId("pose:1"),
          .format = ModelFormat::kEmulated,
          .file = FakeDigest("pose"),
          .epoch = 3,
          .phase = PlacementPhase::kReady};
}

/// A connection that stays, and what the controller commanded over it.
class Session {
public:
  Session(const std::string& address, const TlsOptions& tls, const LinkHello& hello)
      : connection_({.address = address, .tls = tls}) {
    v1::AgentMessage message;
    *message.mutable_hello() = ToProto(hello);
    connection_.Begin({.up = [this, message] { (void)connection_.Send(message); },
                       .said =
                           [this](const v1::ControllerMessage& said) {
                             const std::lock_guard lock(mutex_);
                             welcome_ = welcome_ || said.has_welcome();
                             if (said.request().has_command()) commands_.push_back(said.request().command());
                           },
                       .down =
                           [this](const Status& why) {
                             const std::lock_guard lock(mutex_);
                             if (end_.ok()) end_ = why;
                           }});
  }
  ~Session() { connection_.Stop(); }
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  void Say(v1::AgentMessage message) { (void)connection_.Send(std::move(message)); }
  bool BecomesWelcome() {
    return Eventually([this] { return Locked(welcome_); }, kPatience);
  }
  /// Why the controller ended it.
  Status End() {
    (void)Eventually([this] { return !Locked(end_).ok(); }, kPatience);
    return Locked(end_);
  }
  std::vector<v1::Command> commands() { return Locked(commands_); }

private:
  template <class T> T Locked(const T& value) {
    const std::lock_guard lock(mutex_);
    return value;
  }

  std::mutex mutex_;
  bool welcome_ = false;
  Status end_;
  std::vector<v1::Command> commands_;
  LinkConnection connection_;
};

TEST_F(LinkTlsTest, AnAgentIsWelcomeUnderTheNameInItsCertificate) {
  const auto agent = authority.Issue(Role::kAgent, "n1");
  EXPECT_EQ(Hello(agent, "n1"), Status());
  EXPECT_EQ(Health("n1"), "healthy");
  const auto other = Hello(agent, "n2");
  EXPECT_EQ(other.code(), StatusCode::kDenied) << other.message();
  EXPECT_NE(other.message().find("'n1'"), std::string::npos) << other.message();
  EXPECT_EQ(Health("n2"), "unknown");
}

/// Whoever stole a certificate of n1 says that it runs what runs on n2: the controller would stop it there.
TEST_F(LinkTlsTest, AStolenCertificateStopsNothingOnOtherNodes) {
  PlaceCamOnN2();
  Session victim(process->address(), authority.Issue(Role::kAgent, "n2"), {TestNode("n2"), {CamOnN2()}});
  ASSERT_TRUE(victim.BecomesWelcome());
  const auto stolen = authority.Issue(Role::kAgent, "n1");
  Placement claim = CamOnN2();
  claim.epoch = 9;
  {
    Session thief(process->address(), stolen, {TestNode("n1"), {claim}});
    const Status end = thief.End();
    EXPECT_EQ(end.code(), StatusCode::kDenied) << end.message();
    EXPECT_NE(end.message().find("'n2/gpu0'"), std::string::npos) << end.message();
  }
  {
    Session thief(process->address(), stolen, {TestNode("n1"), {}});
    ASSERT_TRUE(thief.BecomesWelcome());
    v1::AgentMessage report;
    *report.mutable_running() = ToProto(claim);
    thief.Say(report);
    const Status end = thief.End();
    EXPECT_EQ(end.code(), StatusCode::kDenied) << end.message();
  }
  EXPECT_EQ(Phase("cam"), PlacementPhase::kReady);
  ASSERT_TRUE(Ask<RemovedApp>(RemoveApp{AppId("cam")}).ok());
  ASSERT_TRUE(Eventually([&] { return !victim.commands().empty(); }, kPatience));
  const auto commands = victim.commands();
  EXPECT_EQ(commands.size(), 1U) << "the removal, and nothing before it";
  EXPECT_LT(commands[0].epoch(), claim.epoch);
}

TEST_F(LinkTlsTest, NobodyButAgentsMayLink) {
  for (const Role role : {Role::kAdmin, Role::kClient}) {
    const auto status = Hello(authority.Issue(role, "n1"), "n1");
    EXPECT_EQ(status.code(), StatusCode::kDenied) << ToString(role) << ": " << status.message();
  }
  EXPECT_EQ(Health("n1"), "unknown");
}

TEST_F(LinkTlsTest, StrangersAreRefusedAndTheServerGoesOn) {
  const TestAuthority stranger;
  EXPECT_FALSE(Hello(stranger.Issue(Role::kAgent, "n1"), "n1").ok()) << "of another authority";
  EXPECT_FALSE(Hello(std::nullopt, "n1").ok()) << "in plain text";
  EXPECT_EQ(Health("n1"), "unknown");
  EXPECT_EQ(Hello(authority.Issue(Role::kAgent, "n1"), "n1"), Status());
}

} // namespace
} // namespace avocet
