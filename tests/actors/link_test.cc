// Agents and a controller over a real connection, in one process: AgentLink -> gRPC -> LinkService -> the actors.

#include <algorithm>
#include <future>
#include <mutex>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <caf/scoped_actor.hpp>
#include <caf/send.hpp>

#include "actors/actor_system.h"
#include "actors/agent_actor.h"
#include "actors/ask.h"
#include "actors/controller_process.h"
#include "actors/link_client.h"
#include "actors/stop.h"
#include "actors/store_actor.h"
#include "node_agent/model_files.h"
#include "storage/memory_store.h"
#include "tests/support/fake_agent.h"
#include "tests/support/process.h"
#include "tests/support/temp_dir.h"
#include "tests/support/test_authority.h"
#include "tests/support/view_builder.h"

namespace avocet::testing {
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
                     .profile = [](const DeviceId&, const ModelId& model, const Variant& variant) -> Result<Profile> {
                       return Profile{.model = model,
                                      .format = variant.format,
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
      if (one.info.id == NodeId(node)) return one.health;
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
    const std::string bytes = "a model file";
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
  EXPECT_EQ(ask(2)->data, "model file");
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

  TestAuthority authority;
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
} // namespace avocet::testing
