// Clients that do nothing but list, over mutual TLS, beside an admin who changes things: with real threads and sockets.
#include <atomic>
#include <thread>
#include <vector>

#include "node_agent/model_files.h"
#include "tests/actors/wire/control_tls_fixture.h"
#include "tests/support/emulated_text.h"
#include "tests/support/fake_agent.h"

namespace avocet {
namespace {

constexpr int kFlooders = 8;
constexpr int kApps = 12;

class ControlFloodTest : public ControlTlsTest {
protected:
  void SetUp() override {
    ControllerProcessOptions options{.data_dir = dir.path(), .control = {}, .controller = {}};
    options.control.address = "127.0.0.1:0";
    options.control.tls = authority.Issue(Role::kController, "ctl");
    options.controller.lease = std::chrono::hours(1); // the node below sends no heartbeats
    auto started = ControllerProcess::Start(system, options);
    ASSERT_TRUE(started.ok()) << started.status().ToString();
    process = std::move(*started);
    admin = authority.Issue(Role::kAdmin, "ann");

    node = system.spawn(FakeAgent::Behavior, std::make_shared<FakeAgent>());
    ASSERT_TRUE(
        AskAndWait<Welcome>(system, process->actor(), RegisterAgent{TestNode(), {}, node, {}}, kPatience, "node").ok());
    const std::string file = EmulatedText("pose");
    ASSERT_TRUE(Ask<ModelChunkStored>(admin, PutModelChunk{Sha256Of(file), 0, file.size(), file}).ok());
    const Model model{.name = "pose", .variants = {{ModelFormat::kEmulated, Sha256Of(file), file.size()}}};
    ASSERT_TRUE(Ask<Model>(admin, ImportModel{model}).ok());
  }

  void TearDown() override { caf::anon_send_exit(node, caf::exit_reason::kill); }

  /// Lists until it is stopped; more than its share is refused.
  std::jthread Flood(int number) {
    const auto client =
        ConnectController(system, {.address = process->address(), .deadline = kPatience, .tls = Client(number)});
    return std::jthread([this, client](const std::stop_token& stop) {
      while (!stop.stop_requested()) {
        const auto list = AskAndWait<AppList>(system, client, ListApps{}, 2 * kPatience, "client");
        ++(list.ok() || list.status().code() == StatusCode::kResourceExhausted ? answered : failed);
      }
    });
  }

  TlsOptions Client(int number) const { return authority.Issue(Role::kClient, "dash-" + std::to_string(number)); }

  size_t CountApps() { return Ask<AppList>(admin, ListApps{})->apps.size(); }

  TlsOptions admin;
  agent_handle node;
  std::atomic<int> answered = 0, failed = 0;
};

TEST_F(ControlFloodTest, AnAdminGoesOnAndSeesWhatHeWasTold) {
  std::vector<std::jthread> flood;
  for (int i = 0; i < kFlooders; ++i)
    flood.push_back(Flood(i));
  while (answered < kFlooders)
    std::this_thread::yield();

  for (int i = 0; i < kApps; ++i) {
    const auto decision = Ask<Decision>(admin, ApplyApp{MakeApp("cam-" + std::to_string(i), "pose"), {}});
    ASSERT_TRUE(decision.ok()) << decision.status().ToString();
    ASSERT_EQ(decision->kind, DecisionKind::kAdmit);
    ASSERT_EQ(CountApps(), static_cast<size_t>(i + 1));
  }
  for (int i = kApps; i-- > 0;) {
    ASSERT_TRUE(Ask<RemovedApp>(admin, RemoveApp{AppId("cam-" + std::to_string(i))}).ok());
    ASSERT_EQ(CountApps(), static_cast<size_t>(i));
  }

  flood.clear();
  EXPECT_GE(answered, kFlooders);
  EXPECT_EQ(failed, 0);
}

} // namespace
} // namespace avocet
