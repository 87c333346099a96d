#pragma once

#include <memory>
#include <string>
#include <thread>
#include <utility>

#include <gtest/gtest.h>

#include "node_agent/http_server.h"
#include "node_agent/inference_core.h"
#include "node_agent/router.h"
#include "tests/node_agent/http_client.h"
#include "tests/node_agent/scheduler_fixture.h"

namespace avocet::test {

/// A REST server, and behind it one fake device with app-a, app-b; both routes published.
class HttpServerTest : public testing::Test {
protected:
  void SetUp() override { Start({}); }
  void TearDown() override { device_->control->LetAllGo(); } // or a failed test would stop at its held run

  void Start(HttpServerOptions options, SchedulerOptions scheduler = {}, InferenceCoreOptions core = {}) {
    server_.reset();
    device_ = std::make_unique<FakeDevice>(Discipline::kFifo, scheduler);
    ASSERT_TRUE(device_->Started());
    shared_device_ = std::shared_ptr<DeviceScheduler>(device_->scheduler.get(), [](DeviceScheduler*) {});
    router_ = std::make_shared<Router>();
    router_->Publish(kAppA, {shared_device_, kModelA, false});
    router_->Publish(kAppB, {shared_device_, kModelB, true});
    core.server_version = "1.2.3";
    core_ = std::make_shared<InferenceCore>(core, router_);
    core_->SetReady(true);
    options.rest_address = options.metrics_address = "127.0.0.1:0";
    auto server = HttpServer::Start(options, core_, [](const HttpCounters& counters) {
      return "connections " + std::to_string(counters.connections) + "\n";
    });
    ASSERT_TRUE(server.ok()) << server.status().ToString();
    server_ = std::move(*server);
    arrivals_ = 0;
  }

  HttpClient Connect() const { return HttpClient(server_->rest_address()); }
  HttpAnswer Get(const std::string& path) const { return Connect().Get(path); }
  HttpAnswer Post(const std::string& path, std::string_view body, const std::string& fields = {}) const {
    return Connect().Post(path, body, fields);
  }

  /// One request of app-a in JSON: 1, 2.
  static std::string GoodJson() {
    return R"({"id":"7","inputs":[{"name":"in","shape":[2],"datatype":"FP32","data":[1,2]}]})";
  }
  static constexpr const char* kInfer = "/v2/models/app-a/infer";

  /// Waits until app-a's queue has accepted so many requests since the start.
  bool AwaitArrivals(uint64_t count) {
    const MonotonicTime give_up = MonotonicTime::clock::now() + kPatience;
    while ((arrivals_ += device_->scheduler->CloseWindow().apps[0].arrivals) < count) {
      if (MonotonicTime::clock::now() > give_up) return false;
      std::this_thread::yield();
    }
    return true;
  }

  uint64_t arrivals_ = 0;
  std::unique_ptr<FakeDevice> device_;
  std::shared_ptr<DeviceScheduler> shared_device_;
  std::shared_ptr<Router> router_;
  std::shared_ptr<InferenceCore> core_;
  std::unique_ptr<HttpServer> server_;
};

} // namespace avocet::test
