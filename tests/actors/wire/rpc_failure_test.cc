#include "actors/wire/rpc_failure.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace avocet {
namespace {

using grpc::StatusCode::DEADLINE_EXCEEDED;
using grpc::StatusCode::UNAVAILABLE;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

// Texts as gRPC 1.51 says them.

constexpr const char* kRefused =
    "failed to connect to all addresses; last error: UNKNOWN: ipv4:127.0.0.1:7400: Failed to "
    "connect to remote host: Connection refused";
constexpr const char* kClosed =
    "failed to connect to all addresses; last error: UNAVAILABLE: ipv4:127.0.0.1:7400: Socket closed";
constexpr const char* kNoTls = "failed to connect to all addresses; last error: UNKNOWN: ipv4:127.0.0.1:7400: Tls "
                               "handshake failed: SSL_ERROR_SSL: error:0A00010B:SSL routines::wrong version number";

RpcAttempt Attempt() {
  return {.address = "127.0.0.1:7400", .asked = "ListNodes", .deadline = std::chrono::seconds(3)};
}

RpcAttempt WithTls() {
  RpcAttempt attempt = Attempt();
  attempt.tls = true;
  return attempt;
}

Status Explained(const grpc::Status& status, const RpcAttempt& attempt, AsksForTls speaks_tls = nullptr) {
  const auto explained = ExplainRpcFailure(status, attempt, speaks_tls);
  EXPECT_TRUE(explained.has_value()) << status.error_message();
  return explained.value_or(Status());
}

bool Yes(const std::string& /*address*/) {
  return true;
}
bool No(const std::string& /*address*/) {
  return false;
}

TEST(RpcFailure, NothingListens) {
  const Status status = Explained({UNAVAILABLE, kRefused}, Attempt());
  EXPECT_EQ(status.code(), StatusCode::kUnavailable);
  EXPECT_THAT(status.message(), AllOf(HasSubstr("nothing listens at 127.0.0.1:7400"), HasSubstr("--addr"),
                                      Not(HasSubstr("ipv4")), Not(HasSubstr("UNKNOWN"))));
}

TEST(RpcFailure, OfTheLinkIsSaidInTheSameWords) {
  constexpr const char* kLink =
      "connections to all backends failing; last error: UNKNOWN: ipv4:127.0.0.1:7400: Failed to "
      "connect to remote host: Connection refused";
  EXPECT_EQ(Explained({UNAVAILABLE, kLink}, Attempt()), Explained({UNAVAILABLE, kRefused}, Attempt()));
}

TEST(RpcFailure, APlainCallToAServerWithTls) {
  EXPECT_THAT(Explained({UNAVAILABLE, kClosed}, Attempt(), Yes).message(),
              AllOf(HasSubstr("controller 127.0.0.1:7400 speaks TLS"), HasSubstr("give --tls-ca")));
  EXPECT_THAT(Explained({UNAVAILABLE, kClosed}, Attempt(), No).message(),
              AllOf(HasSubstr("closed the connection"), HasSubstr("too many"), Not(HasSubstr("TLS"))));
}

TEST(RpcFailure, ACallWithTlsToAPlainServer) {
  EXPECT_THAT(
      Explained({UNAVAILABLE, kNoTls}, WithTls()).message(),
      AllOf(HasSubstr("127.0.0.1:7400 speaks plain text"), HasSubstr("leave out --tls-ca"), Not(HasSubstr("SSL"))));
}

TEST(RpcFailure, ACertificateThatIsNotTrusted) {
  const Status other = Explained(
      {UNAVAILABLE, "failed to connect to all addresses; last error: UNKNOWN: ipv4:127.0.0.1:7400: Tls handshake "
                    "failed: SSL_ERROR_SSL: error:0A000086:SSL routines::certificate verify failed"},
      WithTls());
  EXPECT_THAT(other.message(), HasSubstr("does not descend from the authority"));
  const Status ours =
      Explained({UNAVAILABLE,
                 "failed to connect to all addresses; last error: UNKNOWN: ipv4:127.0.0.1:7400: Custom verification "
                 "check failed with error: UNAUTHENTICATED: the certificate of avocet://controller/ctl does not cover "
                 "'10.0.0.5'; issue one with --host 10.0.0.5"},
                WithTls());
  EXPECT_EQ(ours.message(), "controller 127.0.0.1:7400: the certificate of avocet://controller/ctl does not cover "
                            "'10.0.0.5'; issue one with --host 10.0.0.5");
}

TEST(RpcFailure, AServerThatIsNoController) {
  EXPECT_THAT(Explained({UNAVAILABLE, "failed to connect to all addresses; last error: UNAVAILABLE: "
                                      "ipv4:127.0.0.1:7400: Failed parsing HTTP/2"},
                        Attempt())
                  .message(),
              HasSubstr("is no controller"));
}

TEST(RpcFailure, AHostThatNobodyKnows) {
  EXPECT_THAT(Explained({UNAVAILABLE, "DNS resolution failed for nohost.invalid:1: C-ares status is not ARES_SUCCESS "
                                      "qtype=AAAA name=nohost.invalid is_balancer=0: Domain name not found"},
                        Attempt())
                  .message(),
              AllOf(HasSubstr("Domain name not found"), Not(HasSubstr("ARES"))));
}

TEST(RpcFailure, ADeadlineNamesTheAddressAndWhatWasAsked) {
  RpcAttempt attempt = Attempt();
  const grpc::Status late(DEADLINE_EXCEEDED, "Deadline Exceeded");
  EXPECT_EQ(Explained(late, attempt).message(),
            "no connection to controller 127.0.0.1:7400 within 3 s, for ListNodes: its process stands still, or the "
            "network drops what is sent");
  attempt.connected = true;
  EXPECT_EQ(Explained(late, attempt).message(),
            "controller 127.0.0.1:7400 did not answer ListNodes within 3 s: it is busy, or stands still");
  EXPECT_EQ(Explained(late, attempt).code(), StatusCode::kDeadlineExceeded);
}

TEST(RpcFailure, AConnectionThatWasLost) {
  EXPECT_THAT(Explained({UNAVAILABLE, "Socket closed"}, Attempt()).message(),
              AllOf(HasSubstr("127.0.0.1:7400 ended before it answered ListNodes"), Not(HasSubstr("Socket"))));
}

TEST(RpcFailure, NoTextIsEverEmpty) {
  EXPECT_THAT(Explained({grpc::StatusCode::INTERNAL, ""}, Attempt()).message(),
              AllOf(HasSubstr("127.0.0.1:7400"), HasSubstr("ListNodes"), HasSubstr("internal")));
}

TEST(RpcFailure, WhatTheControllerItselfSaysStands) {
  for (const auto code : {UNAVAILABLE, DEADLINE_EXCEEDED, grpc::StatusCode::NOT_FOUND})
    EXPECT_EQ(ExplainRpcFailure({code, "agent n1 did not answer in time"}, Attempt(), Yes), std::nullopt);
}

} // namespace
} // namespace avocet
