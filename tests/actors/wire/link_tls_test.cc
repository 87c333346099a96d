// The link over mutual TLS: who is let in, what a stolen certificate may do, and for how long.

#include <future>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "tests/actors/wire/link_fixture.h"

namespace avocet {
namespace {

/// A controller on mutual TLS.
class LinkTlsTest : public LinkTest {
protected:
  void SetUp() override {
    ControllerProcessOptions options{.data_dir = dir.path(), .control = {}, .controller = {}};
    options.control.address = "127.0.0.1:0";
    options.control.tls = authority.Issue(Role::kController, "main");
    options.control.trust_every = std::chrono::milliseconds(50);
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
  void PlaceCamOnN2(const Sha256& file = FakeDigest("pose")) {
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
                  .file = file,
                  .epoch = 3});
    Put(batch, kNodes, TestNode("n2"));
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
  Result<ModelChunk> Fetch(const FetchModel& fetch) { return connection_.Fetch(fetch); }
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

TEST_F(LinkTlsTest, AnAgentFetchesOnlyModelFilesThatItWasToldToUse) {
  const Sha256 file = Import();
  PlaceCamOnN2(file);
  Session told(process->address(), authority.Issue(Role::kAgent, "n2"), {TestNode("n2"), {}});
  Session other(process->address(), authority.Issue(Role::kAgent, "n1"), {TestNode("n1"), {}});
  ASSERT_TRUE(told.BecomesWelcome());
  ASSERT_TRUE(other.BecomesWelcome());
  for (const uint64_t offset : {0, 2}) {
    EXPECT_EQ(told.Fetch({file, offset})->data, EmulatedText("pose").substr(offset));
    EXPECT_EQ(other.Fetch({file, offset}).status().code(), StatusCode::kDenied) << offset;
  }
}

TEST_F(LinkTlsTest, AnAgentThatFloodsTheControllerWithHellosIsShutOutAndForgetsItsDevices) {
  const auto files = authority.Issue(Role::kAgent, "n1");
  Session flood(process->address(), files, {TestNode("n1"), {}});
  ASSERT_TRUE(flood.BecomesWelcome());
  for (int i = 0; i < 200; ++i) {
    NodeInfo node = TestNode("n1");
    node.devices[0].name = "gpu" + std::to_string(i);
    v1::AgentMessage hello;
    *hello.mutable_hello() = ToProto(LinkHello{node, {}});
    flood.Say(hello);
  }
  EXPECT_EQ(flood.End().code(), StatusCode::kResourceExhausted) << flood.End().ToString();
  EXPECT_EQ(Ask<DeviceList>(ListDevices{})->devices.size(), 1U);
}

TEST_F(LinkTlsTest, SessionsEndWhenTheirAuthorityIsReplaced) {
  const auto stolen = authority.Issue(Role::kAgent, "n1");
  Session thief(process->address(), stolen, {TestNode("n1"), {}});
  ASSERT_TRUE(thief.BecomesWelcome());
  authority.Create({.force = true});
  authority.Issue(Role::kController, "main"); // into the controller's files
  const Status end = thief.End();
  EXPECT_EQ(end.code(), StatusCode::kDenied) << end.message();
  EXPECT_NE(end.message().find("not trusted any more"), std::string::npos) << end.message();
  EXPECT_FALSE(thief.Fetch({FakeDigest("pose"), 0}).ok());
  EXPECT_EQ(Hello(authority.Issue(Role::kAgent, "n1"), "n1"), Status());
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
