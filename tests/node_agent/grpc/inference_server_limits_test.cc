// What one client can cost the others over gRPC, and health.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "inference/health.grpc.pb.h"
#include "node_agent/grpc/answer_watch.h"
#include "node_agent/grpc/peer_client.h"
#include "tests/node_agent/grpc/inference_server_fixture.h"
#include "tests/support/process.h"

namespace avocet {
namespace {

using grpc::health::v1::Health;
using grpc::health::v1::HealthCheckRequest;
using grpc::health::v1::HealthCheckResponse;
using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::HasSubstr;

using InferenceServerLimitsTest = InferenceServerTest;

ModelInferRequest Large(size_t bytes) {
  ModelInferRequest request;
  request.set_model_name("large");
  auto& input = *request.add_inputs();
  input.set_name("in");
  input.set_datatype("UINT8");
  input.add_shape(static_cast<int64_t>(bytes));
  request.add_raw_input_contents(std::string(bytes, 'x'));
  return request;
}

TEST(TimeFor, FollowsFromTheSizeOfAnAnswer) {
  const AnswerWatchOptions options{.grace = seconds(10), .least_rate = 1000, .longest = seconds(60)};
  EXPECT_EQ(TimeFor(0, options), seconds(10));
  EXPECT_EQ(TimeFor(5000, options), seconds(15));
  EXPECT_EQ(TimeFor(1 << 30, options), seconds(60));
}

TEST(ClientOfPeer, IsTheAddressWithoutThePort) {
  EXPECT_EQ(ClientOfPeer("ipv4:10.0.0.1:4711"), ClientOfPeer("ipv4:10.0.0.1:4712"));
  EXPECT_NE(ClientOfPeer("ipv4:10.0.0.1:4711"), ClientOfPeer("ipv4:10.0.0.2:4711"));
  EXPECT_EQ(ClientOfPeer("ipv4:10.0.0.1:1"), ClientOfPeer("ipv6:%5B::ffff:10.0.0.1%5D:2"));
  EXPECT_EQ(ClientOfPeer("ipv6:[2001:db8::1]:1"), ClientOfPeer("ipv6:%5B2001:db8::2%5D:1")) << "one host, one /64";
  EXPECT_NE(ClientOfPeer("ipv6:%5Bfe80::1%25eth0%5D:1"), ClientOfPeer("ipv6:%5Bfe80::2%25eth0%5D:1"));
  EXPECT_EQ(ClientOfPeer("unix:/a"), "unix:/a");
}

TEST_F(InferenceServerLimitsTest, AnAnswerBeyondItsBoundFailsAlone) {
  ServeLarge(DataType::kUint8);
  core_ = std::make_shared<InferenceCore>(InferenceCoreOptions{.max_answer_bytes = 1000}, router_);
  InferenceServerOptions options;
  options.grpc_address = "127.0.0.1:0";
  server_ = InferenceServer::Start(options, core_).value();
  stub_ = NewStub();
  EXPECT_TRUE(Infer(Large(1000)).ok());
  const grpc::Status refused = Infer(Large(1001));
  EXPECT_EQ(refused.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_THAT(refused.error_message(), HasSubstr("more than 1000 bytes of outputs (max_answer_mb"));
  EXPECT_TRUE(Infer(GoodRequest()).ok());
  server_->Stop();
  EXPECT_EQ(core_->budget().used(), 0u);
}

// It opens a stream and reads nothing: flow control stops the answers, which wait in memory.
TEST_F(InferenceServerLimitsTest, AnAnswerThatNobodyTakesIsCutOff) {
  InferenceServerOptions options;
  options.answers = {.grace = milliseconds(100), .least_rate = 1 << 30, .longest = milliseconds(200)};
  Start(options);
  ServeLarge(DataType::kUint8);
  grpc::ClientContext context;
  LimitTo(context, kPatience);
  const auto stream = stub_->ModelStreamInfer(&context);
  for (int i = 0; i < 4; ++i)
    stream->Write(Large(8 << 20));
  // The answers are cut off without being read, and their memory is free again.
  EXPECT_TRUE(Eventually([&] { return core_->budget().used() > 0; }, kPatience));
  EXPECT_TRUE(Eventually([&] { return core_->budget().used() == 0; }, kPatience));
  inference::ModelStreamInferResponse response;
  while (stream->Read(&response)) {
  }
  EXPECT_EQ(stream->Finish().error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_TRUE(Infer(GoodRequest()).ok());
}

TEST_F(InferenceServerLimitsTest, StopDoesNotWaitForIdleStreamsAndChannels) {
  InferenceServerOptions options;
  options.drain_deadline = kPatience;
  Start(options);
  grpc::ClientContext context;
  LimitTo(context, 10 * kPatience);
  const auto stream = stub_->ModelStreamInfer(&context);
  ASSERT_TRUE(stream->Write(GoodRequest()));
  inference::ModelStreamInferResponse response;
  ASSERT_TRUE(stream->Read(&response));
  const auto idle = NewStub();
  grpc::ClientContext live_context;
  inference::ServerLiveResponse live;
  ASSERT_TRUE(idle->ServerLive(&live_context, {}, &live).ok());

  const MonotonicTime begin = MonotonicTime::clock::now();
  server_->Stop();
  EXPECT_LT(MonotonicTime::clock::now() - begin, kPatience / 2) << "the deadline of draining was waited for";
  EXPECT_FALSE(stream->Read(&response));
  EXPECT_EQ(stream->Finish().error_code(), grpc::StatusCode::UNAVAILABLE);
}

TEST_F(InferenceServerLimitsTest, StopAnswersWhatAStreamHasInHand) {
  device_->control->Hold();
  grpc::ClientContext context;
  LimitTo(context, kPatience);
  const auto stream = stub_->ModelStreamInfer(&context);
  ASSERT_TRUE(stream->Write(GoodRequest()));
  ASSERT_TRUE(stream->Write(GoodRequest()));
  ASSERT_TRUE(AwaitArrivals(2));
  std::thread stopping([this] { server_->Stop(); });
  EXPECT_TRUE(Eventually([&] { return !TakesNewCalls(); }, kPatience));
  device_->control->LetAllGo();
  inference::ModelStreamInferResponse response;
  int answers = 0;
  while (stream->Read(&response))
    answers += response.error_message().empty() ? 1 : 0;
  EXPECT_EQ(answers, 2);
  EXPECT_EQ(stream->Finish().error_code(), grpc::StatusCode::UNAVAILABLE);
  stopping.join();
}

// ---- health ----

class HealthTest : public InferenceServerTest {
protected:
  void SetUp() override {
    Start({});
    health_ = Health::NewStub(grpc::CreateChannel(server_->address(), grpc::InsecureChannelCredentials()));
  }

  grpc::Status Check(const std::string& service, HealthCheckResponse* response) {
    grpc::ClientContext context;
    LimitTo(context, kPatience);
    HealthCheckRequest request;
    request.set_service(service);
    return health_->Check(&context, request, response);
  }
  HealthCheckResponse::ServingStatus HealthOf(const std::string& service) {
    HealthCheckResponse response;
    const grpc::Status status = Check(service, &response);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return response.status();
  }

  std::unique_ptr<Health::Stub> health_;
};

TEST_F(HealthTest, IsToldOfTheServerAndOfEachApplication) {
  for (const bool ready : {false, true}) {
    core_->SetReady(ready);
    const auto wanted = ready ? HealthCheckResponse::SERVING : HealthCheckResponse::NOT_SERVING;
    EXPECT_EQ(HealthOf(""), wanted);
    EXPECT_EQ(HealthOf("inference.GRPCInferenceService"), wanted);
    EXPECT_EQ(HealthOf("app-a"), wanted);
  }
  HealthCheckResponse response;
  const grpc::Status unknown = Check("nobody", &response);
  EXPECT_EQ(unknown.error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_THAT(unknown.error_message(), HasSubstr("nobody"));
}

TEST_F(HealthTest, AWatchIsToldOfEveryChange) {
  core_->SetReady(true);
  grpc::ClientContext context;
  LimitTo(context, kPatience);
  HealthCheckRequest request;
  request.set_service("app-a");
  const auto watch = health_->Watch(&context, request);
  HealthCheckResponse response;
  ASSERT_TRUE(watch->Read(&response));
  EXPECT_EQ(response.status(), HealthCheckResponse::SERVING);
  router_->Withdraw(kAppA);
  ASSERT_TRUE(watch->Read(&response));
  EXPECT_EQ(response.status(), HealthCheckResponse::SERVICE_UNKNOWN);
  router_->Publish(kAppA, {shared_device_, kModelA, false});
  ASSERT_TRUE(watch->Read(&response));
  EXPECT_EQ(response.status(), HealthCheckResponse::SERVING);

  core_->SetReady(false);
  server_->Stop();
  while (watch->Read(&response)) {
  }
  EXPECT_EQ(response.status(), HealthCheckResponse::NOT_SERVING) << "the last word";
  EXPECT_EQ(watch->Finish().error_code(), grpc::StatusCode::UNAVAILABLE);
}

} // namespace
} // namespace avocet
