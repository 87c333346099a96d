#pragma once

#include <memory>
#include <thread>

#include <gtest/gtest.h>

#include "node_agent/inference/inference_core.h"
#include "node_agent/inference/router.h"
#include "tests/node_agent/scheduling/scheduler_fixture.h"

namespace avocet {

/// What the servers of both protocols stand on: one fake device with app-a and app-b, both routes
/// published. That of app-b is told to be emulated.
class ServedDeviceTest : public testing::Test {
protected:
  void TearDown() override { device_->control->LetAllGo(); } // or a failed test would stop at its held run

  void Serve(SchedulerOptions scheduler, InferenceCoreOptions core) {
    scheduler.short_run = short_run_;
    device_ = std::make_unique<FakeDevice>(Discipline::kFifo, scheduler);
    ASSERT_TRUE(device_->Started());
    shared_device_ = std::shared_ptr<DeviceScheduler>(device_->scheduler.get(), [](DeviceScheduler*) {});
    router_ = std::make_shared<Router>();
    router_->Publish(kAppA, {shared_device_, kModelA, false});
    router_->Publish(kAppB, {shared_device_, kModelB, true});
    core.server_version = "1.2.3";
    core_ = std::make_shared<InferenceCore>(core, router_);
    arrivals_ = 0;
  }

  /// Serves "large" too, whose answer is its input, of any length.
  void ServeLarge(DataType type) {
    FakeBehaviour large;
    large.signature = {{TensorSpec{"in", type, {-1}}}, {TensorSpec{"out", type, {-1}}}};
    device_->control->Behave(ModelId("large:1"), large);
    ASSERT_TRUE(device_->scheduler->Load({ModelId("large:1"), "file"}).ok());
    ASSERT_TRUE(device_->scheduler->Attach(AppId("large"), ModelId("large:1")).ok());
    router_->Publish(AppId("large"), {shared_device_, ModelId("large:1"), false});
    device_->warm_ups = device_->control->runs().size();
  }

  /// Waits until app-a's queue has accepted so many requests since the start.
  bool AwaitArrivals(uint64_t count) {
    const MonotonicTime give_up = MonotonicTime::clock::now() + kPatience;
    while ((arrivals_ += device_->scheduler->CloseWindow().apps[0].arrivals) < count) {
      if (MonotonicTime::clock::now() > give_up) return false;
      std::this_thread::yield();
    }
    return true;
  }

  Duration short_run_{}; ///< none by default: a run that a test holds would hold the server's thread
  uint64_t arrivals_ = 0;
  std::unique_ptr<FakeDevice> device_;
  std::shared_ptr<DeviceScheduler> shared_device_;
  std::shared_ptr<Router> router_;
  std::shared_ptr<InferenceCore> core_;
};

} // namespace avocet
