// The load generator against real endpoints that speak TLS.
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/load/load_client.h"
#include "node_agent/grpc/inference_server.h"
#include "node_agent/http/http_server.h"
#include "tests/node_agent/scheduling/scheduler_fixture.h"
#include "tests/support/test_authority.h"

namespace avocet {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;

class LoadTls : public testing::TestWithParam<LoadProtocol> {
protected:
  void SetUp() override {
    ASSERT_TRUE(device_.Started());
    const auto router = std::make_shared<Router>();
    router->Publish(kAppA, {{device_.scheduler.get(), [](DeviceScheduler*) {}}, kModelA, false});
    const auto core = std::make_shared<InferenceCore>(InferenceCoreOptions(), router);
    core->SetReady(true);
    options_.protocol = GetParam();
    options_.ca = issued_.ca;
    GetParam() == LoadProtocol::kHttp ? StartHttp(core) : StartGrpc(core);
    plan_.targets = {{kAppA, 100, {ArrivalKind::kPeriodic, 0}}};
    plan_.duration = milliseconds(200);
  }

  void StartHttp(const std::shared_ptr<InferenceCore>& core) {
    auto server =
        HttpServer::Start({.rest_address = "127.0.0.1:0", .metrics_address = "", .tls = certificate()}, core, nullptr);
    ASSERT_TRUE(server.ok()) << server.status().ToString();
    http_ = std::move(*server);
    options_.address = http_->rest_address();
  }
  void StartGrpc(const std::shared_ptr<InferenceCore>& core) {
    auto server = InferenceServer::Start({.grpc_address = "127.0.0.1:0", .tls = certificate()}, core);
    ASSERT_TRUE(server.ok()) << server.status().ToString();
    grpc_ = std::move(*server);
    options_.address = grpc_->address();
  }
  ServerCertificate certificate() const { return {issued_.certificate, issued_.key}; }

  TestAuthority authority_;
  TlsOptions issued_ = authority_.Issue(Role::kAgent, "box");
  FakeDevice device_;
  std::unique_ptr<HttpServer> http_;
  std::unique_ptr<InferenceServer> grpc_;
  LoadClientOptions options_;
  LoadPlan plan_;
};

TEST_P(LoadTls, SendsTheScheduleEncrypted) {
  const auto report = RunLoad(plan_, options_);
  ASSERT_TRUE(report.ok()) << report.status().ToString();
  EXPECT_EQ(report->apps[0].ok, 20U);
  EXPECT_TRUE(report->ok());
}

TEST_P(LoadTls, AStrangersCertificateIsNotBelieved) {
  const TestAuthority stranger;
  options_.ca = stranger.folder() / "ca.pem";
  options_.connect_deadline = milliseconds(500);
  const auto report = RunLoad(plan_, options_);
  EXPECT_EQ(report.status().code(), StatusCode::kUnavailable);
  EXPECT_THAT(report.status().message(), HasSubstr("with a certificate that " + options_.ca.string() + " vouches for"));
}

TEST_P(LoadTls, ACaThatIsNoneIsNamed) {
  options_.ca = authority_.folder() / "nothing.pem";
  EXPECT_THAT(RunLoad(plan_, options_).status().message(), HasSubstr("nothing.pem"));
}

TEST_P(LoadTls, WithoutTheCaNobodyAnswers) {
  options_.ca.clear();
  options_.connect_deadline = milliseconds(500);
  EXPECT_EQ(RunLoad(plan_, options_).status().code(), StatusCode::kUnavailable);
}

INSTANTIATE_TEST_SUITE_P(, LoadTls, testing::Values(LoadProtocol::kGrpc, LoadProtocol::kHttp),
                         [](const auto& info) { return std::string(ToString(info.param)); });

} // namespace
} // namespace avocet
