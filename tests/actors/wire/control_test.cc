// The Control service end to end in one process: ConnectController -> gRPC -> ControlServer -> the actor.

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "actors/actor_system.h"
#include "actors/ask.h"
#include "actors/controller/controller_process.h"
#include "actors/wire/control_client.h"
#include "actors/wire/control_server.h"
#include "node_agent/model_files.h"
#include "tests/support/emulated_text.h"
#include "tests/support/temp_dir.h"
#include "tests/support/view_builder.h"

namespace avocet {
namespace {

constexpr Duration kPatience = std::chrono::seconds(30);

class ControlTest : public ::testing::Test {
protected:
  void SetUp() override {
    ControllerProcessOptions options{.data_dir = dir.path()};
    options.control.address = "127.0.0.1:0";
    auto started = ControllerProcess::Start(system, options);
    ASSERT_TRUE(started.ok()) << started.status().ToString();
    process = std::move(*started);
    client = ConnectController(system, {process->address(), kPatience});
  }

  template <class Reply, class Message> Result<Reply> Ask(Message message) {
    return AskAndWait<Reply>(system, client, std::move(message), kPatience, "client");
  }

  Sha256 Upload(const std::string& bytes) {
    Sha256 file = Sha256Of(bytes);
    EXPECT_EQ(Ask<ModelChunkStored>(PutModelChunk{file, 0, bytes.size(), bytes})->next_offset, bytes.size());
    return file;
  }

  TempDir dir;
  ActorSystemConfig config;
  caf::actor_system system{config};
  std::unique_ptr<ControllerProcess> process;
  control_actor client;
};

TEST_F(ControlTest, EveryMessageReachesTheControllerAndComesBack) {
  const std::string bytes = EmulatedText("pose");
  const Sha256 file = Upload(bytes);
  EXPECT_EQ(Ask<ModelChunk>(FetchModel{file, 2})->data, bytes.substr(2));
  const Model model{.name = "pose", .variants = {{ModelFormat::kEmulated, file, bytes.size()}}};
  auto imported = Ask<Model>(ImportModel{model});
  ASSERT_TRUE(imported.ok()) << imported.status().ToString();
  EXPECT_EQ(imported->variants, model.variants);
  EXPECT_EQ(Ask<ModelList>(ListModels{})->models.at(0).model, *imported);
  EXPECT_TRUE(Ask<NodeList>(ListNodes{})->nodes.empty());
  EXPECT_TRUE(Ask<DeviceList>(ListDevices{})->devices.empty());
  const auto app = MakeApp("cam", "pose");
  auto plan = Ask<Decision>(PlanApp{app});
  ASSERT_TRUE(plan.ok()) << plan.status().ToString();
  EXPECT_EQ(plan->kind, DecisionKind::kReject);
  EXPECT_EQ(Ask<Decision>(ApplyApp{app})->kind, DecisionKind::kReject);
  EXPECT_EQ(Ask<Decision>(ExplainApp{AppId("cam")})->app, app);
  EXPECT_TRUE(Ask<AppList>(ListApps{})->apps.empty());
  EXPECT_EQ(Ask<EventList>(ListEvents{})->events.back().kind, "app_rejected");
  EXPECT_EQ(Ask<VersionInfo>(GetVersion{})->role, "controller");
}

TEST_F(ControlTest, ErrorsKeepTheirCodeAndText) {
  EXPECT_EQ(Ask<AppStatus>(GetApp{AppId("cam")}).status().code(), StatusCode::kNotFound);
  EXPECT_EQ(Ask<AppStatus>(GetApp{AppId("not a name")}).status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(Ask<RemovedApp>(RemoveApp{AppId("cam")}).status(), NotFound("application 'cam' does not exist"));
  EXPECT_EQ(Ask<ProfileList>(ProfileModel{"none", {}}).status().code(), StatusCode::kNotFound);
  auto app = MakeApp("cam", "pose");
  app.rate_rps = -5;
  const auto invalid = Ask<Decision>(PlanApp{app}).status();
  EXPECT_EQ(invalid.code(), StatusCode::kInvalidArgument);
  EXPECT_NE(invalid.message().find("rate_rps"), std::string::npos) << invalid.message();
}

TEST_F(ControlTest, AnAbsentControllerIsUnavailableAndNamed) {
  const std::string address = process->address();
  process->Stop();
  const auto status = Ask<NodeList>(ListNodes{}).status();
  EXPECT_EQ(status.code(), StatusCode::kUnavailable);
  EXPECT_NE(status.message().find(address), std::string::npos) << status.message();
}

TEST_F(ControlTest, ASecondControllerCannotTakeTheAddressNorTheData) {
  ControllerProcessOptions options{.data_dir = dir.path()};
  options.control.address = "127.0.0.1:0";
  EXPECT_EQ(ControllerProcess::Start(system, options).status().code(), StatusCode::kUnavailable);
  TempDir other;
  options.data_dir = other.path();
  options.control.address = process->address();
  EXPECT_EQ(ControllerProcess::Start(system, options).status().code(), StatusCode::kUnavailable);
}

TEST_F(ControlTest, OnlyLoopbackIsServedWithoutEncryption) {
  auto server = ControlServer::Start({.address = "0.0.0.0:0"}, system, process->actor());
  EXPECT_EQ(server.status().code(), StatusCode::kInvalidArgument);
}

/// What a watcher heard, on a thread of its own.
class Watcher {
public:
  Watcher(const std::string& address, uint64_t after)
      : thread_([=, this](const std::stop_token& stop) {
          end_ = WatchEvents(
              {address, kPatience}, after, [this](const Event& event) { Take(event); }, stop);
        }) {}

  /// Waits for an event of that kind.
  bool Hears(const std::string& kind) {
    std::unique_lock lock(mutex_);
    return heard_.wait_for(lock, kPatience, [&] {
      return std::any_of(events_.begin(), events_.end(), [&](const Event& event) { return event.kind == kind; });
    });
  }
  Status Stop() {
    thread_.request_stop();
    return Wait();
  }
  Status Wait() {
    thread_.join();
    return end_;
  }

private:
  void Take(const Event& event) {
    const std::lock_guard lock(mutex_);
    events_.push_back(event);
    heard_.notify_all();
  }
  std::mutex mutex_;
  std::condition_variable heard_;
  std::vector<Event> events_;
  Status end_;
  std::jthread thread_;
};

TEST_F(ControlTest, WatchersHearOfEventsPastAndFuture) {
  const std::string bytes = EmulatedText("pose");
  const Sha256 file = Upload(bytes);
  ASSERT_TRUE(
      Ask<Model>(ImportModel{{.name = "pose", .variants = {{ModelFormat::kEmulated, file, bytes.size()}}}}).ok());
  Watcher first(process->address(), 0), second(process->address(), 1);
  EXPECT_TRUE(first.Hears("model_imported"));
  ASSERT_TRUE(Ask<Decision>(ApplyApp{MakeApp("cam", "pose")}).ok()) << "an answer: there is no device";
  EXPECT_TRUE(first.Hears("app_rejected"));
  EXPECT_TRUE(second.Hears("app_rejected")) << "after the first event, so not that one";
  EXPECT_EQ(first.Stop().code(), StatusCode::kCancelled);
  process->Stop();
  EXPECT_EQ(second.Wait().code(), StatusCode::kUnavailable) << "it hears that the controller stops";
}

TEST_F(ControlTest, KeepsItsStateAcrossARestart) {
  const std::string bytes = EmulatedText("pose");
  const Sha256 file = Upload(bytes);
  ASSERT_TRUE(
      Ask<Model>(ImportModel{{.name = "pose", .variants = {{ModelFormat::kEmulated, file, bytes.size()}}}}).ok());
  process.reset();
  SetUp();
  EXPECT_EQ(Ask<ModelList>(ListModels{})->models.size(), 1U);
  EXPECT_EQ(Ask<ModelChunk>(FetchModel{file, 0})->data, bytes);
}

} // namespace
} // namespace avocet
