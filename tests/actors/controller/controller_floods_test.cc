// What an agent costs that says as much as it can: devices, records, events; and what it may fetch.

#include <string>
#include <vector>

#include "tests/actors/controller/controller_actor_fixture.h"

namespace avocet {
namespace {

/// The node n1 with a device of that name.
NodeInfo NodeWithDevice(const std::string& device) {
  NodeInfo node = TestNode();
  node.devices[0].name = device;
  return node;
}

size_t Records(const MemoryStore& store, std::string_view prefix) {
  size_t count = 0;
  EXPECT_TRUE(store.Scan(prefix, [&](std::string_view, std::string_view) { return ++count, true; }).ok());
  return count;
}

/// Says Hello with another device in every one of them, and measures there, so that each has a fit and totals.
TEST_F(ControllerActorTest, AnAgentThatRenamesItsDeviceInEveryHelloCostsOneDevice) {
  const auto actors = system.registry().running();
  for (int i = 0; i < 1000; ++i) {
    const std::string device = "gpu" + std::to_string(i);
    ASSERT_TRUE(Ask<Welcome>(controller, RegisterAgent{NodeWithDevice(device), {}, agent, {}}).ok()) << i;
    SentWindow sent = WindowOfNewNames(1);
    sent.window.device = DeviceId("n1/" + device);
    Send(controller, ReportWindows{NodeId("n1"), {sent}, BootId("boot")});
    Advance(std::chrono::seconds(3)); // past the time of the commit
  }
  EXPECT_EQ(Ask<DeviceList>(controller, ListDevices{})->devices.size(), 1U);
  EXPECT_EQ(Records(control->memory, "fit/"), 1U);
  EXPECT_EQ(Records(control->memory, "totals/n1/gpu999/"), Records(control->memory, "totals/"));
  EXPECT_GT(Records(control->memory, "totals/"), 0U);
  EXPECT_EQ(Records(control->memory, "node/"), 1U);
  EXPECT_LE(system.registry().running(), actors + 1);
}

TEST_F(ControllerActorTest, ADeviceThatComesBackWhileItIsForgottenMeasuresAndIsAcknowledged) {
  const auto acks = caf::actor_cast<window_ack_handle>(self);
  for (const char* device : {"gpu0", "gpu1", "gpu0"}) // not run in between
    caf::anon_send(controller, RegisterAgent{NodeWithDevice(device), {}, agent, acks});
  Run();
  Send(controller, ReportWindows{NodeId("n1"), {WindowOfNewNames(1)}, BootId("boot")});
  for (int i = 0; i < 3; ++i) {
    Advance(std::chrono::seconds(1));
    (void)Beat();
  }
  EXPECT_EQ(FitOnDisk().covered_sequence, 1U);
  size_t told = 0;
  bool more = true;
  self->receive_while(more)([&](const WindowAck& ack) { told += ack.device == DeviceId("n1/gpu0") ? 1 : 0; },
                            caf::after(std::chrono::seconds(0)) >> [&] { more = false; });
  EXPECT_EQ(told, 1U);
}

TEST_F(ControllerActorTest, RegistrationsOfANodeAreLimited) {
  int taken = 0;
  for (int i = 0; i < 100; ++i)
    taken += Register().ok() ? 1 : 0;
  EXPECT_EQ(taken, 30);
  const auto refused = Register();
  EXPECT_EQ(refused.code(), StatusCode::kResourceExhausted);
  EXPECT_NE(refused.message().find("too often"), std::string::npos) << refused.message();
  EXPECT_TRUE(Ask<Welcome>(controller, RegisterAgent{TestNode("n2"), {}, agent, {}}).ok()) << "others are let in";
  Advance(std::chrono::seconds(2));
  EXPECT_TRUE(Register().ok());
}

/// One agent registers, and reports an application ready and failed, as often as it can for ten minutes.
TEST_F(ControllerActorTest, AFloodOfHellosAndReportsLeavesTheRecordOfDecisions) {
  Store(kApplications, MakeApp("cam", "pose"));
  Store(kPlacements, PlacedCam());
  Store(kModels, Model{.name = "pose", .variants = {{ModelFormat::kEmulated, FakeDigest("pose"), 1}}});
  Restart();
  (void)Ask<Decision>(controller, ApplyApp{MakeApp("other", "pose")}); // no device is there
  ASSERT_EQ(EventsOf("app_rejected").size(), 1U);
  Placement failed = RunningCam();
  failed.phase = PlacementPhase::kFailed;
  for (int i = 0; i < 2000; ++i) {
    failed.reason = "attempt " + std::to_string(i);
    (void)Register();
    (void)Report(failed);
    (void)Report(RunningCam());
    Advance(std::chrono::milliseconds(300), std::chrono::milliseconds(300));
  }
  EXPECT_EQ(EventsOf("app_rejected").size(), 1U);
  const size_t events = Ask<EventList>(controller, ListEvents{})->events.size();
  EXPECT_LT(events, 400U) << "100 at once, then one in five seconds, with one each for those that were left out";
  EXPECT_GT(events, 100U);
  EXPECT_FALSE(EventsOf("events_left_out").empty());
}

TEST_F(ControllerActorTest, WhatAnAgentWritesIsSpelledOutInEvents) {
  Store(kApplications, MakeApp("cam", "pose"));
  Store(kPlacements, PlacedCam());
  Restart();
  ASSERT_TRUE(Register().ok());
  Placement failed = RunningCam();
  failed.phase = PlacementPhase::kFailed;
  failed.reason = "no\n\x1b[2J";
  ASSERT_TRUE(Report(failed).ok());
  EXPECT_EQ(EventsOf("app_failed"), std::vector<std::string>{"no\\n\\x1b[2J"});
}

TEST_F(ControllerActorTest, FitsAndTotalsOfDevicesThatNobodyListsAreClearedAwayAtTheStart) {
  ASSERT_TRUE(Register().ok());
  Restart();
  Store(kDeviceFits, DeviceFit{.device = DeviceId("n1/gone"), .boot = BootId("boot"), .covered_sequence = 3});
  Store(kTotals, TotalsSlot{.device = DeviceId("n1/gone"), .span = TotalsSpan::kMinute, .number = 5, .apps = {}});
  Restart();
  EXPECT_EQ(Records(control->memory, "fit/n1/gone"), 0U);
  EXPECT_EQ(Records(control->memory, "totals/n1/gone/"), 0U);
}

TEST_F(ControllerActorTest, ANodeMayFetchWhatItWasToldToUse) {
  const auto may_fetch = [&](const std::string& node, const Sha256& file) {
    return Ask<Done>(controller, MayFetch{NodeId(node), file}).status();
  };
  Store(kApplications, MakeApp("cam", "pose"));
  Store(kPlacements, PlacedCam());
  ASSERT_TRUE(Register().ok());
  Restart();
  EXPECT_EQ(may_fetch("n1", FakeDigest("pose")), Status()) << "placed there; nothing was commanded yet";
  EXPECT_EQ(may_fetch("n1", FakeDigest("other")).code(), StatusCode::kDenied);
  EXPECT_EQ(may_fetch("n2", FakeDigest("pose")).code(), StatusCode::kDenied);
  ASSERT_TRUE(Register().ok());
  ASSERT_EQ(fake->commands.size(), 1U);
  ASSERT_TRUE(Ask<RemovedApp>(controller, RemoveApp{AppId("cam")}).ok());
  EXPECT_EQ(may_fetch("n1", FakeDigest("pose")), Status()) << "it was commanded, and may still fetch";
  EXPECT_EQ(may_fetch("n2", FakeDigest("pose")).code(), StatusCode::kDenied);
}

} // namespace
} // namespace avocet
