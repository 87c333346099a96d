#include "actors/controller/device_actor.h"

#include "actors/store_actor.h"
#include "storage/records.h"
#include "tests/support/actor_fixture.h"

namespace avocet {
namespace {

const DeviceId kDevice{"n1/gpu0"};

MeasurementWindow Window(uint64_t sequence, uint64_t arrivals = 20) {
  MeasurementWindow window{.device = kDevice, .boot = BootId("b1"), .sequence = sequence, .length = FromMillis(200)};
  AppWindow app{.app = AppId("cam"), .model = ModelId("pose:1"), .arrivals = arrivals, .completions = arrivals};
  for (uint64_t i = 0; i < arrivals; ++i) {
    app.interarrival.Add(0.01);
    app.service.Add(0.004);
    app.response.Add(0.005);
    app.response_sketch.Add(FromMillis(5));
  }
  window.apps.push_back(app);
  return window;
}

class DeviceActorTest : public ActorTest {
protected:
  DeviceActorTest() {
    store = Keep(SpawnStore(system, std::make_unique<FaultyStore>(control), std::nullopt, false));
    device = Spawn({.device = kDevice});
  }

  device_actor Spawn(const DeviceFit& fit, std::vector<TotalsSlot> totals = {}) {
    auto actor = Keep(system.spawn(DeviceBehavior, DeviceActorArgs{.fit = fit,
                                                                   .totals = std::move(totals),
                                                                   .store = store,
                                                                   .placement = Listener(),
                                                                   .options = {},
                                                                   .wall_clock = [this] { return now; }}));
    Send(actor, SetAckTarget{caf::actor_cast<window_ack_handle>(self)});
    return actor;
  }

  /// This test plays the placement actor.
  placement_actor Listener() { return caf::actor_cast<placement_actor>(self); }

  void Report(uint64_t sequence) { Send(device, ReportWindow{{Window(sequence), 0}}); }
  void PersistOnce() { Advance(std::chrono::seconds(2)); }

  /// As a controller that reads its records again.
  void Restart() {
    Kill(device);
    const auto fit = Load(control->memory, kDeviceFits, kDevice.str());
    ASSERT_TRUE(fit.ok() && fit->has_value());
    auto totals = LoadAll(control->memory, kTotals);
    ASSERT_TRUE(totals.ok()) << totals.status().ToString();
    device = Spawn(**fit, *totals);
  }

  AppMeasured Measured() {
    const auto totals = Ask<DeviceTotals>(device, GetTotals{});
    const auto found = totals->apps.find(AppId("cam"));
    return found == totals->apps.end() ? AppMeasured{} : found->second;
  }

  /// What reached this test since it last looked.
  struct Heard {
    std::vector<uint64_t> acks;
    int fits = 0;
  };
  Heard Listen() {
    Heard heard;
    bool more = true;
    self->receive_while(more)([&](const WindowAck& ack) { heard.acks.push_back(ack.sequence); },
                              [&](const FitChanged&) { ++heard.fits; },
                              caf::after(std::chrono::seconds(0)) >> [&] { more = false; });
    return heard;
  }

  std::shared_ptr<FaultyStore::Control> control = std::make_shared<FaultyStore::Control>();
  WallTime now{std::chrono::hours(500'000)};
  store_actor store;
  device_actor device;
};

TEST_F(DeviceActorTest, AcknowledgesOnlyWhatIsOnDisk) {
  Report(1);
  Report(2);
  EXPECT_TRUE(Listen().acks.empty());
  PersistOnce();
  EXPECT_EQ(Listen().acks, (std::vector<uint64_t>{2}));
  const auto fit = Load(control->memory, kDeviceFits, kDevice.str());
  ASSERT_TRUE(fit.ok() && fit->has_value());
  EXPECT_EQ((*fit)->covered_sequence, 2U);
}

TEST_F(DeviceActorTest, KeepsTryingWhileTheDiskFails) {
  control->fail = true;
  Report(1);
  PersistOnce();
  EXPECT_TRUE(Listen().acks.empty());
  control->fail = false;
  PersistOnce();
  EXPECT_EQ(Listen().acks, (std::vector<uint64_t>{1}));
}

TEST_F(DeviceActorTest, AcknowledgesAgainWhatWasSentTwice) {
  Report(1);
  PersistOnce();
  (void)Listen();
  Report(1);
  EXPECT_EQ(Listen().acks, (std::vector<uint64_t>{1}));
  EXPECT_EQ(Measured().total.completions, 20U) << "counted once";
}

TEST_F(DeviceActorTest, GoesOnFromThePersistedFit) {
  device = Spawn({.device = kDevice, .boot = BootId("b1"), .covered_sequence = 7});
  Report(7);
  EXPECT_EQ(Listen().acks, (std::vector<uint64_t>{7}));
  EXPECT_TRUE(Ask<DeviceTotals>(device, GetTotals{})->apps.empty());
}

TEST_F(DeviceActorTest, NotifiesOfSignificantMoves) {
  Report(1);
  EXPECT_GE(Listen().fits, 1);
}

TEST_F(DeviceActorTest, IgnoresInvalidWindows) {
  auto window = Window(1);
  window.length = Duration(0);
  Send(device, ReportWindow{{window, 0}});
  PersistOnce();
  EXPECT_TRUE(Listen().acks.empty());
}

TEST_F(DeviceActorTest, SumsUpAndForgets) {
  Report(1);
  Report(2);
  EXPECT_EQ(Measured().total.arrivals, 40U);
  Send(device, ForgetApp{AppId("cam")});
  EXPECT_TRUE(Ask<DeviceTotals>(device, GetTotals{})->apps.empty());
}

TEST_F(DeviceActorTest, TotalsSurviveARestartAndCountWindowsOnce) {
  Report(1);
  Report(2);
  PersistOnce();
  Report(3); // not on disk when the controller dies: the agent still has it
  Restart();
  EXPECT_EQ(Measured().total.completions, 40U);
  for (const uint64_t sequence : {1, 2, 3})
    Report(sequence);
  EXPECT_EQ(Measured().total.completions, 60U);
  EXPECT_EQ(Measured().recent.minute.completions, 60U);
  EXPECT_EQ(Measured().total.response_sketch.total(), 60U);

  now += std::chrono::minutes(2);
  Report(4);
  PersistOnce();
  Restart();
  Report(4);
  EXPECT_EQ(Measured().recent.minute.completions, 20U);
  EXPECT_EQ(Measured().recent.five_minutes.completions, 80U);
  EXPECT_EQ(Measured().total.completions, 80U);
}

TEST_F(DeviceActorTest, TotalsThatWereNotWrittenAreWrittenLater) {
  control->fail = true;
  Report(1);
  PersistOnce();
  control->fail = false;
  now += std::chrono::seconds(10); // the slot that the failed write was about is not the current one any more
  Report(2);
  PersistOnce();
  Restart();
  EXPECT_EQ(Measured().total.completions, 40U);
}

TEST_F(DeviceActorTest, ForgottenTotalsStayForgotten) {
  Report(1);
  PersistOnce();
  Send(device, ForgetApp{AppId("cam")});
  PersistOnce();
  Restart();
  EXPECT_TRUE(Ask<DeviceTotals>(device, GetTotals{})->apps.empty());
}

TEST_F(DeviceActorTest, OutlivesItsStore) {
  Kill(store);
  Report(1);
  PersistOnce();
  EXPECT_TRUE(Listen().acks.empty());
  EXPECT_TRUE(Ask<DeviceTotals>(device, GetTotals{}).ok());
}

} // namespace
} // namespace avocet
