#pragma once

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

inline constexpr Duration kPatience = std::chrono::seconds(60);

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

} // namespace avocet
