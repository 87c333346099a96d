// Bounds of the REST endpoint: connections in all and of an address, and bytes in flight.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <vector>

#include "tests/node_agent/http/http_server_fixture.h"
#include "tests/support/process.h"
#include "tests/support/raw_connection.h"

namespace avocet {
namespace {

using testing::HasSubstr;

using HttpLimitsTest = HttpServerTest;

/// Makes a connection wait for the rest of its body: it is not idle then.
void MakeBusy(HttpClient& client, InferenceCore& core) {
  const uint64_t before = core.budget().used();
  client.Send("POST /v2/models/app-a/infer HTTP/1.1\r\nContent-Length: 10\r\n\r\n0");
  EXPECT_TRUE(Eventually([&] { return core.budget().used() > before; }, kPatience));
}

TEST_F(HttpLimitsTest, MoreConnectionsThanTheLimitAreToldSoWhenAllAreBusy) {
  HttpServerOptions options;
  options.limits.connections.max_connections = 2;
  Start(options);
  HttpClient one = Connect(), two = Connect();
  MakeBusy(one, *core_);
  MakeBusy(two, *core_);
  HttpClient three = Connect();
  const HttpAnswer refused = three.Get("/v2");
  EXPECT_EQ(refused.status, 503);
  EXPECT_THAT(refused.body, HasSubstr("more than 2 connections; retry"));
  EXPECT_TRUE(three.AwaitClosed());
  EXPECT_EQ(one.Ask("123456789").status, 400) << "those that are in are served";
  EXPECT_EQ(server_->counters().refused, 1u);
  two.Close();
  EXPECT_TRUE(Eventually([&] { return Get("/v2").status == 200; }, kPatience));
}

TEST_F(HttpLimitsTest, ANewConnectionTakesThePlaceOfTheOneThatIsIdleForLongest) {
  HttpServerOptions options;
  options.limits.connections.max_connections = 3;
  Start(options);
  HttpClient busy = Connect();
  MakeBusy(busy, *core_);
  HttpClient older = Connect();
  ASSERT_EQ(older.Get("/v2").status, 200);
  HttpClient newer = Connect();
  ASSERT_EQ(newer.Get("/v2").status, 200);
  HttpClient last = Connect();
  EXPECT_EQ(last.Get("/v2").status, 200);
  EXPECT_TRUE(older.AwaitClosed());
  EXPECT_EQ(newer.Get("/v2").status, 200);
  EXPECT_EQ(busy.Ask("0123456789").status, 400);
  EXPECT_EQ(server_->counters().evicted, 1u);
  EXPECT_EQ(server_->counters().refused, 0u);
}

TEST_F(HttpLimitsTest, AnAddressWithTooManyConnectionsLosesOneOfItsOwn) {
  HttpServerOptions options;
  options.limits.connections = {.max_connections = 3, .max_per_address = 2};
  Start(options);
  const RawConnection other(server_->rest_address(), "127.0.0.2");
  ASSERT_TRUE(other.Send("GET /v2 HTTP/1.1\r\nHost: x\r\n\r\n"));
  ASSERT_THAT(other.Receive(), HasSubstr("200 OK")); // idle for longer than the others
  HttpClient one = Connect();
  ASSERT_EQ(one.Get("/v2").status, 200);
  HttpClient two = Connect();
  ASSERT_EQ(two.Get("/v2").status, 200);
  HttpClient three = Connect();
  EXPECT_EQ(three.Get("/v2").status, 200);
  EXPECT_TRUE(one.AwaitClosed());
  EXPECT_EQ(two.Get("/v2").status, 200);
  EXPECT_TRUE(other.Send("GET /v2 HTTP/1.1\r\nHost: x\r\n\r\n"));
  EXPECT_THAT(other.Receive(), HasSubstr("200 OK"));
}

TEST_F(HttpLimitsTest, ConnectionsToTheMetricsPortTakeNoPlaceOfRest) {
  HttpServerOptions options;
  options.limits.connections.max_connections = 1;
  options.limits.metrics_connections.max_connections = 2;
  Start(options);
  const auto idle = Flood(server_->metrics_address(), "127.0.0.1", 10);
  HttpClient client = Connect();
  EXPECT_EQ(client.Get("/v2").status, 200);
  EXPECT_EQ(HttpClient(server_->metrics_address()).Get("/metrics").status, 200);
  EXPECT_EQ(client.Get("/v2").status, 200);
}

TEST_F(HttpLimitsTest, BytesInFlightAreBoundedOverAllConnections) {
  InferenceCoreOptions core;
  core.max_bytes_in_flight = 1000;
  Start({}, {}, core);
  HttpClient holder = Connect();
  holder.Send("POST /v2/models/app-a/infer HTTP/1.1\r\nContent-Length: 880\r\n\r\n" + std::string(870, ' '));
  ASSERT_TRUE(Eventually([&] { return core_->budget().used() == 870; }, kPatience));
  const HttpAnswer refused = Post(kInfer, GoodJson());
  EXPECT_EQ(refused.status, 503);
  EXPECT_THAT(refused.body, HasSubstr("hold 870 of 1000 bytes"));
  holder.Close();
  EXPECT_TRUE(Eventually([&] { return Post(kInfer, GoodJson()).status == 200; }, kPatience));
  EXPECT_TRUE(Eventually([&] { return core_->budget().used() == 0; }, kPatience));
}

/// A body that was announced and of which only the beginning has come.
void BeginBody(HttpClient& client, const std::string& app, size_t length, size_t come) {
  client.Send("POST /v2/models/" + app + "/infer HTTP/1.1\r\nContent-Length: " + std::to_string(length) + "\r\n\r\n" +
              std::string(come, ' '));
}

TEST_F(HttpLimitsTest, HeadsThatAnnounceLongBodiesStopNobody) {
  InferenceCoreOptions core;
  core.max_bytes_in_flight = 512 * kMiB;
  Start({}, {}, core);
  std::vector<std::unique_ptr<HttpClient>> attackers;
  for (int i = 0; i < 8; ++i) {
    attackers.push_back(std::make_unique<HttpClient>(server_->rest_address()));
    BeginBody(*attackers.back(), "app-a", 64 << 20, 1);
  }
  ASSERT_TRUE(Eventually([&] { return core_->budget().used() == 8; }, kPatience));
  EXPECT_EQ(Post(kInfer, GoodJson()).status, 200);
}

TEST_F(HttpLimitsTest, BodiesThatFillTheirSharesLeaveRoomForSmallRequests) {
  InferenceCoreOptions core;
  core.max_bytes_in_flight = 48 * kMiB;
  Start({}, {}, core);
  std::vector<std::unique_ptr<HttpClient>> attackers;
  // Each sends as much as it may: at some point the budget refuses, and its memory is free again.
  for (int i = 0; i < 12; ++i) {
    attackers.push_back(std::make_unique<HttpClient>(server_->rest_address()));
    BeginBody(*attackers.back(), "app-a", 20 << 20, 19 << 20);
  }
  for (int i = 0; i < 20; ++i)
    EXPECT_EQ(Post(kInfer, GoodJson()).status, 200);
  EXPECT_LE(core_->budget().used(), core_->budget().limit());
}

TEST_F(HttpLimitsTest, ABodyThatComesTooSlowlyIsCutOff) {
  HttpServerOptions options;
  options.limits.least_rate = 1000;
  options.limits.rate_period = std::chrono::milliseconds(200);
  Start(options);
  HttpClient slow = Connect();
  BeginBody(slow, "app-a", 1 << 20, 1);
  // A trickle: each look sends a byte.
  EXPECT_TRUE(Eventually([&] { return !slow.Send(" "); }, kPatience));
  EXPECT_TRUE(Eventually([&] { return server_->counters().slow == 1; }, kPatience));
  EXPECT_TRUE(Eventually([&] { return core_->budget().used() == 0; }, kPatience));
}

TEST_F(HttpLimitsTest, AnAnswerThatIsTakenTooSlowlyIsCutOff) {
  HttpServerOptions options;
  options.limits.least_rate = 1000 * 1000;
  options.limits.rate_period = std::chrono::milliseconds(200);
  Start(options);
  ServeLarge(DataType::kUint8);
  constexpr size_t kBytes = 48 << 20; // more than two sockets' buffers hold
  const std::string json = R"({"inputs":[{"name":"in","shape":[)" + std::to_string(kBytes) +
                           R"(],"datatype":"UINT8","parameters":{"binary_data_size":)" + std::to_string(kBytes) +
                           R"(}}],"parameters":{"binary_data_output":true}})";
  HttpClient slow = Connect();
  slow.Send(HttpClient::PostText("/v2/models/large/infer", json + std::string(kBytes, 'x'),
                                 "Inference-Header-Content-Length: " + std::to_string(json.size()) + "\r\n"));
  EXPECT_TRUE(Eventually([&] { return server_->counters().slow == 1; }, kPatience));
  EXPECT_TRUE(Eventually([&] { return core_->budget().used() == 0; }, kPatience));
}

TEST_F(HttpLimitsTest, AnAnswerBeyondItsBoundFailsAlone) {
  InferenceCoreOptions core;
  core.max_answer_bytes = 1000;
  Start({}, {}, core);
  ServeLarge(DataType::kUint8);
  const auto ask = [this](size_t elements, bool is_binary) {
    std::string data = "0";
    for (size_t i = 1; i < elements; ++i)
      data += ",0";
    return Post("/v2/models/large/infer",
                R"({"inputs":[{"name":"in","shape":[)" + std::to_string(elements) + R"(],"datatype":"UINT8","data":[)" +
                    data + R"(]}],"parameters":{"binary_data_output":)" + (is_binary ? "true" : "false") + "}}");
  };
  EXPECT_EQ(ask(1000, true).status, 200);
  const HttpAnswer long_outputs = ask(1001, true), long_json = ask(600, false);
  EXPECT_EQ(long_outputs.status, 413);
  EXPECT_THAT(long_outputs.body, HasSubstr("more than 1000 bytes of outputs (max_answer_mb"));
  EXPECT_EQ(long_json.status, 413);
  EXPECT_THAT(long_json.body, HasSubstr("more than 1000 bytes of JSON"));
  EXPECT_EQ(long_json.fields.count("retry-after"), 0u);
  EXPECT_EQ(Post(kInfer, GoodJson()).status, 200);
  EXPECT_TRUE(Eventually([&] { return core_->budget().used() == 0; }, kPatience));
}

} // namespace
} // namespace avocet
