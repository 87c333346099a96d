#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "actors/controller/controller_actor.h"
#include "storage/records.h"
#include "tests/support/actor_fixture.h"
#include "tests/support/fake_agent.h"

namespace avocet {

/// A controller on a store that can be made to fail, and an agent that says what a test wants.
class ControllerActorTest : public ActorTest {
protected:
  ControllerActorTest() {
    agent = Keep(system.spawn(FakeAgent::Behavior, fake));
    Start();
  }

  void Start() {
    ControllerOptions options;
    options.detached = false;
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
    uint64_t cluster = 0;
  };
  Status Register(const Claimant& who) {
    return Ask<Welcome>(controller, RegisterAgent{TestNode(),
                                                  {},
                                                  agent,
                                                  caf::actor_cast<window_ack_handle>(self),
                                                  who.session,
                                                  who.instance,
                                                  who.peer,
                                                  0,
                                                  who.cluster})
        .status();
  }
  Status Register() { return Register(Claimant()); }

  Status Register(const std::vector<Placement>& running) {
    return Ask<Welcome>(controller, RegisterAgent{TestNode(), running, agent, caf::actor_cast<window_ack_handle>(self)})
        .status();
  }
  Status Report(const Placement& running) {
    return Ask<Done>(controller, ReportRunning{NodeId("n1"), running, BootId("boot")}).status();
  }

  /// Stops in order, with what was measured on disk, and starts from the disk. Fails the test where it does not start.
  void Restart() {
    for (int i = 0; i < 3; ++i) { // past the time of the next commit
      Advance(std::chrono::seconds(1));
      (void)Beat(); // within the lease, if it is registered
    }
    ASSERT_TRUE(Ask<Done>(controller, StopActor{}).ok());
    Start();
  }

  template <class T> void Store(Table<T> table, const T& value) {
    WriteBatch batch;
    ASSERT_EQ(Put(batch, table, value), Status());
    ASSERT_TRUE(control->memory.Write(batch, Sync::kYes).ok());
  }
  void StoreRaw(const std::string& key, const std::string& bytes) {
    WriteBatch batch;
    batch.Put(key, bytes);
    ASSERT_TRUE(control->memory.Write(batch, Sync::kYes).ok());
  }

  /// The fit of n1/gpu0 that is on disk.
  DeviceFit FitOnDisk() {
    const auto fit = Load(control->memory, kDeviceFits, "n1/gpu0");
    return fit.ok() && *fit ? **fit : DeviceFit();
  }

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
    return nodes.ok() && !nodes->nodes.empty() ? std::string(ToString(nodes->nodes[0].health)) : "unknown";
  }

  std::shared_ptr<FaultyStore::Control> control = std::make_shared<FaultyStore::Control>();
  std::shared_ptr<FakeAgent> fake = std::make_shared<FakeAgent>();
  agent_handle agent;
  controller_actor controller;
};

inline Placement RunningCam(uint64_t epoch = 3) {
  const Command start = StartOfCam().command;
  return {.app = start.app,
          .device = start.device,
          .model = start.model,
          .format = start.format,
          .file = start.file,
          .epoch = epoch,
          .phase = PlacementPhase::kReady};
}

inline Placement PlacedCam(const std::string& device = "n1/gpu0") {
  const Command start = StartOfCam().command;
  return {.app = start.app,
          .device = DeviceId(device),
          .model = start.model,
          .format = start.format,
          .file = start.file,
          .epoch = start.epoch};
}

/// A window of 100 applications and models, whose names no other window has.
inline SentWindow WindowOfNewNames(uint64_t sequence) {
  SentWindow sent{
      {.device = DeviceId("n1/gpu0"), .boot = BootId("boot"), .sequence = sequence, .length = FromMillis(200)}, 0};
  for (int i = 0; i < 100; ++i) {
    const std::string name = "w" + std::to_string(sequence) + "-" + std::to_string(i);
    AppWindow app{.app = AppId(name), .model = MakeModelId(name, "1"), .arrivals = 1, .completions = 1};
    app.service.Add(0.01);
    sent.window.apps.push_back(app);
  }
  return sent;
}

} // namespace avocet
