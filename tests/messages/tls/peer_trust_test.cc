#include "messages/tls/peer_trust.h"

#include <filesystem>

#include <gtest/gtest.h>

#include "messages/files.h"
#include "tests/support/test_authority.h"

namespace avocet {
namespace {

using std::chrono::hours;

std::string ChainOf(const TlsOptions& files) {
  return *ReadWholeFile(files.certificate, 1 << 20);
}

class PeerTrustTest : public testing::Test {
protected:
  TestAuthority authority;
  TlsOptions own = authority.Issue(Role::kController, "ctl");
  PeerTrust trust{own};
};

TEST_F(PeerTrustTest, TrustsWhatTheAuthorityIssued) {
  const std::string peer = ChainOf(authority.Issue(Role::kAgent, "n1"));
  for (int i = 0; i < 3; ++i)
    EXPECT_EQ(trust.Check(peer, authority.now), Status());
  const TestAuthority other;
  EXPECT_EQ(trust.Check(ChainOf(other.Issue(Role::kAgent, "n1")), authority.now).code(), StatusCode::kDenied);
  EXPECT_EQ(trust.Check("no certificate", authority.now).code(), StatusCode::kInvalidArgument);
}

TEST_F(PeerTrustTest, ACertificateThatEndedIsTrustedNoMore) {
  const std::string peer = ChainOf(authority.Issue(Role::kAgent, "n1", {.days = 2}));
  EXPECT_EQ(trust.Check(peer, authority.now + hours(47)), Status());
  const Status ended = trust.Check(peer, authority.now + hours(49));
  EXPECT_EQ(ended.code(), StatusCode::kDenied);
  EXPECT_NE(ended.message().find("expired"), std::string::npos) << ended.message();
}

TEST_F(PeerTrustTest, ACertificateOfTomorrowIsTrustedTomorrow) {
  const auto yesterday = authority.now - hours(24 * 30);
  const std::string peer = ChainOf(authority.Issue(Role::kAgent, "n1"));
  PeerTrust fresh(own);
  ASSERT_EQ(fresh.Check(peer, authority.now), Status());
  EXPECT_EQ(fresh.Check(peer, yesterday).code(), StatusCode::kDenied) << "the clock was set back";
  EXPECT_EQ(fresh.Check(peer, authority.now), Status()) << "and is right again";
}

TEST_F(PeerTrustTest, AnAuthorityThatWasReplacedIsTrustedNoMore) {
  const std::string peer = ChainOf(authority.Issue(Role::kAgent, "n1"));
  EXPECT_EQ(trust.Check(peer, authority.now), Status());
  authority.Create({.force = true});
  EXPECT_EQ(trust.Check(peer, authority.now), Status()) << "the controller's files are the old ones still";
  authority.Issue(Role::kController, "ctl");
  EXPECT_EQ(trust.Check(peer, authority.now).code(), StatusCode::kDenied);
  EXPECT_EQ(trust.Check(ChainOf(authority.Issue(Role::kAgent, "n1")), authority.now), Status());
}

TEST_F(PeerTrustTest, HalfWrittenFilesChangeNothing) {
  const std::string peer = ChainOf(authority.Issue(Role::kAgent, "n1"));
  EXPECT_EQ(trust.Check(peer, authority.now), Status());
  std::filesystem::remove(own.ca);
  EXPECT_EQ(trust.Check(peer, authority.now), Status());
}

TEST_F(PeerTrustTest, ARotatedAuthorityIsTrustedBesideTheOld) {
  const std::string peer = ChainOf(authority.Issue(Role::kAgent, "n1"));
  authority.Create({.rotate = true});
  authority.Issue(Role::kController, "ctl");
  EXPECT_EQ(trust.Check(peer, authority.now), Status());
}

} // namespace
} // namespace avocet
