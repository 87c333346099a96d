#include "messages/address.h"

#include <gtest/gtest.h>

namespace avocet {
namespace {

TEST(Address, SplitsHostAndPort) {
  const auto named = ParseAddress("jetson-1.local:8001");
  ASSERT_TRUE(named.ok());
  EXPECT_EQ(named->host, "jetson-1.local");
  EXPECT_EQ(named->port, 8001);
  const auto v6 = ParseAddress("[::1]:0");
  ASSERT_TRUE(v6.ok());
  EXPECT_EQ(v6->host, "::1");
  EXPECT_EQ(v6->port, 0);
  EXPECT_EQ(ParseAddress("h:65535")->port, 65535);
}

TEST(Address, RefusesTheRestByName) {
  for (const char* bad :
       {"", ":", "h", ":1", "h:", "h:x", "h:65536", "h:-1", "h:+1", "h:1 ", "::1:80", "[]:1", "[:1"}) {
    const Status status = ParseAddress(bad).status();
    EXPECT_EQ(status.code(), StatusCode::kInvalidArgument) << bad;
    EXPECT_NE(status.message().find("'" + std::string(bad) + "'"), std::string::npos) << bad;
  }
}

TEST(Address, KnowsLoopback) {
  for (const char* host : {"localhost", "127.0.0.1", "127.255.255.254", "::1"}) {
    EXPECT_TRUE(IsLoopback({host, 1})) << host;
  }
  for (const char* host : {"", "0.0.0.0", "::", "10.0.0.1", "128.0.0.1", "127.0.0.1.example.org", "127.example.org",
                           "127.", "localhost.example.org"}) {
    EXPECT_FALSE(IsLoopback({host, 1})) << host;
  }
}

TEST(Address, RequiringLoopbackNamesTheEndpoint) {
  EXPECT_EQ(RequireLoopback("127.0.0.1:7400", "control"), Status());
  EXPECT_NE(RequireLoopback("0.0.0.0:7400", "control").message().find("control address '0.0.0.0:7400'"),
            std::string::npos);
  EXPECT_EQ(RequireLoopback("nonsense", "control").code(), StatusCode::kInvalidArgument);
}

TEST(Address, ReplacesThePort) {
  EXPECT_EQ(WithPort("127.0.0.1:0", 41234), "127.0.0.1:41234");
  EXPECT_EQ(WithPort("[::1]:0", 1), "[::1]:1");
}

} // namespace
} // namespace avocet
