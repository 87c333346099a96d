// Start, stop, and the connections of the port.
#include "node_agent/grpc/inference_server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "tests/node_agent/grpc/inference_server_fixture.h"
#include "tests/support/process.h"
#include "tests/support/raw_connection.h"

namespace avocet {
namespace {

using std::chrono::milliseconds;

TEST_F(InferenceServerTest, StopLetsCallsInFlightFinish) {
  device_->control->Hold();
  Call call(*stub_, GoodRequest());
  ASSERT_TRUE(device_->control->AwaitHeld(1));
  std::thread stopping([this] { server_->Stop(); });
  const MonotonicTime give_up = MonotonicTime::clock::now() + kPatience;
  while (TakesNewCalls() && MonotonicTime::clock::now() < give_up)
    std::this_thread::yield();
  device_->control->LetAllGo();
  EXPECT_TRUE(call.Await().ok());
  stopping.join();
  EXPECT_FALSE(Infer(GoodRequest()).ok());
}

TEST_F(InferenceServerTest, StopCancelsWhatIsLeftAtItsDeadline) {
  InferenceServerOptions options;
  options.drain_deadline = milliseconds(50);
  Start(options);
  device_->control->Hold();
  Call running(*stub_, GoodRequest());
  ASSERT_TRUE(device_->control->AwaitHeld(1));
  std::vector<std::unique_ptr<Call>> queued;
  for (int i = 0; i < 5; ++i)
    queued.push_back(std::make_unique<Call>(*stub_, GoodRequest()));
  ASSERT_TRUE(AwaitArrivals(6));
  std::thread stopping([this] { server_->Stop(); });
  for (const auto& call : queued)
    EXPECT_FALSE(call->Await().ok()); // although the run is still held
  device_->control->LetAllGo();
  stopping.join();
  EXPECT_FALSE(running.Await().ok());
}

TEST_F(InferenceServerTest, AConnectionThatSaysNothingIsClosed) {
  Start({.handshake_deadline = milliseconds(200)});
  const RawConnection silent(server_->address());
  const RawConnection half(server_->address());
  ASSERT_TRUE(half.Send(Http2Greeting().substr(0, 10)));
  EXPECT_TRUE(silent.IsClosedByPeer());
  EXPECT_TRUE(half.IsClosedByPeer());
  EXPECT_TRUE(Eventually([&] { return server_->connections().connections == 0; }, kPatience));
  EXPECT_TRUE(TakesNewCalls());
}

TEST_F(InferenceServerTest, ConnectionsBeyondTheBoundsAreClosedAndPlacesComeFree) {
  Start({.connections = {.max_connections = 4, .max_per_address = 2}});
  {
    const auto flood = Flood(server_->address(), "127.0.0.2", 2);
    EXPECT_TRUE(RawConnection(server_->address(), "127.0.0.2").IsClosedByPeer());
    EXPECT_EQ(server_->connections().refused, 1u);
    EXPECT_TRUE(TakesNewCalls()) << "from another address";
  }
  EXPECT_TRUE(Eventually(
      [&] {
        const RawConnection again(server_->address(), "127.0.0.2");
        return again.Send(Http2Greeting()) && !again.Receive().empty();
      },
      kPatience));
}

TEST_F(InferenceServerTest, AConnectionWithoutACallIsClosedInTheEnd) {
  Start({.max_idle = milliseconds(100)});
  const RawConnection idle(server_->address());
  ASSERT_TRUE(idle.Send(Http2Greeting()));
  EXPECT_TRUE(idle.IsClosedByPeer());
}

TEST_F(InferenceServerTest, StopTwiceIsFine) {
  server_->Stop();
  server_->Stop();
}

TEST_F(InferenceServerTest, TheAddressHasTheRealPort) {
  EXPECT_THAT(server_->address(), testing::StartsWith("127.0.0.1:"));
  EXPECT_NE(server_->address(), "127.0.0.1:0");
}

TEST_F(InferenceServerTest, APortInUseIsUnavailable) {
  InferenceServerOptions options;
  options.grpc_address = server_->address();
  EXPECT_EQ(InferenceServer::Start(options, core_).status().code(), StatusCode::kUnavailable);
}

std::shared_ptr<InferenceCore> EmptyCore() {
  return std::make_shared<InferenceCore>(InferenceCoreOptions(), std::make_shared<Router>());
}

TEST(InferenceServer, RefusesAddressesBeyondLoopback) {
  for (const char* address : {"0.0.0.0:0", "10.0.0.1:0", "[::]:0", "example.org:0", "127.0.0.1.example.org:0", ":0"}) {
    InferenceServerOptions options;
    options.grpc_address = address;
    const auto server = InferenceServer::Start(options, EmptyCore());
    EXPECT_EQ(server.status().code(), StatusCode::kInvalidArgument) << address;
  }
}

TEST(InferenceServer, RefusesAMessageBoundThatGrpcCannotHold) {
  for (const uint64_t bytes : {uint64_t{0}, uint64_t{1} << 31}) {
    InferenceServerOptions options;
    options.grpc_address = "127.0.0.1:0";
    options.max_message_bytes = bytes;
    EXPECT_EQ(InferenceServer::Start(options, EmptyCore()).status().code(), StatusCode::kInvalidArgument);
  }
}

} // namespace
} // namespace avocet
