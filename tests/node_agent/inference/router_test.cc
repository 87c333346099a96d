#include "node_agent/inference/router.h"

#include <gtest/gtest.h>

#include "tests/node_agent/scheduling/scheduler_fixture.h"

namespace avocet {
namespace {

std::shared_ptr<DeviceScheduler> MakeDevice() {
  return std::make_shared<DeviceScheduler>(FakeSpec(Discipline::kFifo), BootId("boot1"),
                                           std::make_unique<FakeEngine>(std::make_shared<FakeControl>()));
}

TEST(Router, FindsWhatWasPublished) {
  Router router;
  const auto device = MakeDevice();
  router.Publish(kAppA, {device, kModelA, true});
  const Route route = router.Find(kAppA);
  EXPECT_EQ(route.device, device);
  EXPECT_EQ(route.model, kModelA);
  EXPECT_TRUE(route.emulated);
}

TEST(Router, AnUnknownApplicationHasNoDevice) {
  EXPECT_EQ(Router().Find(kAppA).device, nullptr);
}

TEST(Router, ALaterPublicationReplacesTheRoute) {
  Router router;
  router.Publish(kAppA, {MakeDevice(), kModelA, false});
  const auto device = MakeDevice();
  router.Publish(kAppA, {device, kModelB, false});
  EXPECT_EQ(router.Find(kAppA).device, device);
  EXPECT_EQ(router.snapshot()->size(), 1u);
}

TEST(Router, WithdrawingIsIdempotentAndSparesOthers) {
  Router router;
  router.Publish(kAppA, {MakeDevice(), kModelA, false});
  router.Publish(kAppB, {MakeDevice(), kModelB, false});
  router.Withdraw(kAppA);
  router.Withdraw(kAppA);
  EXPECT_EQ(router.Find(kAppA).device, nullptr);
  EXPECT_NE(router.Find(kAppB).device, nullptr);
}

TEST(Router, TellsStatisticsTheirObjective) {
  Router router;
  const auto device = MakeDevice();
  const DeviceId id = device->spec().id();
  const auto objective = [&](const AppId& app) { return router.Find(app).statistics->Snapshot().response.objective(); };
  router.Publish(kAppA, {device, kModelA, false});
  router.SetLimits(id, {{kAppA, std::chrono::milliseconds(40)}, {kAppB, std::chrono::milliseconds(50)}});
  router.Publish(kAppB, {device, kModelB, false});
  EXPECT_EQ(objective(kAppA), std::chrono::milliseconds(40));
  EXPECT_EQ(objective(kAppB), std::chrono::milliseconds(50)) << "it was known before the application came";
  router.SetLimits(id, {{kAppB, std::chrono::milliseconds(60)}});
  EXPECT_EQ(objective(kAppA), std::chrono::milliseconds(40)) << "the last one stays";
  EXPECT_EQ(objective(kAppB), std::chrono::milliseconds(60));
  router.SetLimits(DeviceId("other/gpu0"), {{kAppB, std::chrono::milliseconds(1)}});
  EXPECT_EQ(objective(kAppB), std::chrono::milliseconds(60));
}

TEST(Router, ASnapshotNeverChanges) {
  Router router;
  router.Publish(kAppA, {MakeDevice(), kModelA, false});
  const auto snapshot = router.snapshot();
  router.Withdraw(kAppA);
  EXPECT_EQ(snapshot->size(), 1u);
  EXPECT_TRUE(router.snapshot()->empty());
}

} // namespace
} // namespace avocet
