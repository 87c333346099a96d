// Bounds of the REST endpoint: connections in all and of an address, and bytes in flight.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

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
  client.Send("POST /v2/models/app-a/infer HTTP/1.1\r\nContent-Length: 10\r\n\r\n");
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
  EXPECT_EQ(one.Ask("0123456789").status, 400) << "those that are in are served";
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
  holder.Send("POST /v2/models/app-a/infer HTTP/1.1\r\nContent-Length: 950\r\n\r\n");
  ASSERT_TRUE(Eventually([&] { return core_->budget().used() == 950; }, kPatience));
  const HttpAnswer refused = Post(kInfer, GoodJson());
  EXPECT_EQ(refused.status, 503);
  EXPECT_THAT(refused.body, HasSubstr("of 1000 bytes; retry"));
  holder.Close();
  EXPECT_TRUE(Eventually([&] { return Post(kInfer, GoodJson()).status == 200; }, kPatience));
  EXPECT_TRUE(Eventually([&] { return core_->budget().used() == 0; }, kPatience));
}

} // namespace
} // namespace avocet
