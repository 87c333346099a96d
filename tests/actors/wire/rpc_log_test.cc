#include "actors/wire/rpc_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "messages/log_budget.h"

namespace avocet {
namespace {

using std::chrono::seconds;
using testing::HasSubstr;
using testing::StartsWith;

// Lines as gRPC 1.51 writes them.

TEST(RpcLog, FindsTheReasonOfAFailedHandshake) {
  const auto plain = ParseFailedHandshake(
      "Handshaking failed: UNKNOWN:Ssl handshake failed: SSL_ERROR_SSL: error:0A00010B:SSL routines::wrong version "
      "number {file:\"./security_handshaker.cc\", file_line:393, tsi_error:\"TSI_PROTOCOL_FAILURE\", tsi_code:10}");
  ASSERT_TRUE(plain);
  EXPECT_THAT(plain->reason, StartsWith("not TLS: plain text or garbage (Ssl handshake failed: SSL_ERROR_SSL: "));
  EXPECT_THAT(plain->reason, HasSubstr("wrong version number)"));
  EXPECT_EQ(plain->peer, "");
}

TEST(RpcLog, FindsTheInnermostReasonAndThePeer) {
  const auto closed = ParseFailedHandshake(
      "Handshaking failed: UNKNOWN:Handshake read failed {file_line:487, file:\"./security_handshaker.cc\", "
      "children:[INTERNAL:Socket closed {fd:8, grpc_status:14, target_address:\"ipv4:127.0.0.1:60970\"}]}");
  ASSERT_TRUE(closed);
  EXPECT_THAT(closed->reason, StartsWith("the peer gave up"));
  EXPECT_EQ(closed->peer, "ipv4:127.0.0.1:60970");
  const auto late = ParseFailedHandshake(
      "Handshaking failed: UNKNOWN:Handshake read failed {children:[UNKNOWN:FD Shutdown {file_line:200, "
      "children:[UNKNOWN:Handshake timed out {file_line:167}]}]}");
  EXPECT_EQ(late->reason, "handshake not finished in time (Handshake timed out)");
}

TEST(RpcLog, KeepsReasonsThatItDoesNotKnow) {
  EXPECT_EQ(ParseFailedHandshake("Handshaking failed: UNKNOWN:something new {a:1}")->reason, "something new");
}

TEST(RpcLog, IgnoresOtherLines) {
  EXPECT_FALSE(ParseFailedHandshake("Security handshake failed: UNKNOWN:Socket closed"));
  EXPECT_FALSE(ParseFailedHandshake("grpc epoll fd: 3"));
  EXPECT_FALSE(ParseFailedHandshake(""));
}

RC_GTEST_PROP(RpcLog, SurvivesRandomErrors, (const std::string& bytes)) {
  const auto failed = ParseFailedHandshake("Handshaking failed: " + bytes);
  RC_ASSERT(failed.has_value());
  RC_ASSERT(failed->reason.size() <= 500U);
}

TEST(LogBudget, AllowsABurstAndThenOnePerInterval) {
  LogBudget budget(2, seconds(1));
  LogBudget::Time now{seconds(100)};
  EXPECT_TRUE(budget.Take(now));
  EXPECT_TRUE(budget.Take(now));
  EXPECT_FALSE(budget.Take(now));
  EXPECT_FALSE(budget.Take(now + std::chrono::milliseconds(999)));
  EXPECT_EQ(budget.TakeDropped(), 2U);
  EXPECT_EQ(budget.TakeDropped(), 0U);
  now += seconds(1);
  EXPECT_TRUE(budget.Take(now));
  EXPECT_FALSE(budget.Take(now));
  now += seconds(1000);
  EXPECT_TRUE(budget.Take(now));
  EXPECT_TRUE(budget.Take(now));
  EXPECT_FALSE(budget.Take(now));
}

} // namespace
} // namespace avocet
