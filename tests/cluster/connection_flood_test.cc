#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/process_cluster.h"
#include "tests/support/raw_connection.h"

// A controller and an agent with few descriptors, and strangers that open more connections than that without a word:
// others are served meanwhile, and everybody afterwards.
namespace avocet {
namespace {

using testing::HasSubstr;

constexpr int kDescriptors = 256;
constexpr int kFlood = 400;
const std::string kStranger = "127.0.0.9"; ///< all others come from 127.0.0.1

class ConnectionFlood : public testing::Test {
protected:
  void SetUp() override {
    cluster.LimitDescriptors(kDescriptors);
    cluster.StartAll();
  }

  bool AdminIsServed() const { return cluster.Run({"version"}).exit_code == 0; }

  /// Whether gRPC answers a new client.
  bool AnswersGrpc() const {
    const RawConnection client(cluster.inference("edge"));
    return client.is_open() && client.Send(Http2Greeting()) && client.Receive().size() >= kHttp2FrameHeader;
  }

  bool AnswersHttp(const std::string& endpoint, const std::string& path) const {
    const RawConnection client(cluster.endpoint("edge", endpoint));
    return client.is_open() && client.Send("GET " + path + " HTTP/1.1\r\nHost: x\r\n\r\n") &&
           client.Receive().starts_with("HTTP/1.1 200");
  }

  static constexpr size_t kHttp2FrameHeader = 9;
  ProcessCluster cluster{{{.name = "edge", .kinds = {"gpu"}}}};
};

TEST_F(ConnectionFlood, OfTheControlPortKeepsNobodyElseOut) {
  {
    const auto flood = Flood(cluster.control(), kStranger, kFlood);
    EXPECT_TRUE(AdminIsServed());
    EXPECT_THAT(cluster.LogOf("controller"), HasSubstr("connection refused reason=\"more than"));
    EXPECT_THAT(cluster.LogOf("controller"), HasSubstr("peer=" + kStranger));
  }
  EXPECT_TRUE(AdminIsServed());
}

TEST_F(ConnectionFlood, FromAllAddressesLeavesTheControlPortHearing) {
  {
    std::vector<std::vector<RawConnection>> floods;
    for (int i = 1; i <= 8; ++i)
      floods.push_back(Flood(cluster.control(), "127.0.0." + std::to_string(i), kFlood / 8));
  }
  EXPECT_TRUE(Eventually([&] { return AdminIsServed(); }, kPatience));
  EXPECT_TRUE(cluster.WaitUntilServing());
}

TEST_F(ConnectionFlood, OfTheInferencePortKeepsNobodyElseOut) {
  {
    const auto flood = Flood(cluster.inference("edge"), kStranger, kFlood);
    EXPECT_TRUE(AnswersGrpc());
    EXPECT_TRUE(AnswersHttp("rest", "/v2/health/live"));
  }
  EXPECT_TRUE(AnswersGrpc());
}

TEST_F(ConnectionFlood, OfRestAndMetricsKeepsNobodyElseOut) {
  const auto rest = Flood(cluster.endpoint("edge", "rest"), kStranger, kFlood);
  const auto metrics = Flood(cluster.endpoint("edge", "metrics"), kStranger, kFlood);
  EXPECT_TRUE(AnswersHttp("rest", "/v2/health/live"));
  EXPECT_TRUE(AnswersHttp("metrics", "/metrics"));
  EXPECT_TRUE(AnswersGrpc());
}

} // namespace
} // namespace avocet
