#include "messages/tls/tls.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace avocet {
namespace {

using testing::HasSubstr;

constexpr Role kRoles[] = {Role::kController, Role::kAgent, Role::kAdmin, Role::kClient};

TEST(Role, StandsInACertificateUnlessItIsLocal) {
  for (const Role role : kRoles)
    EXPECT_EQ(ParseRole(ToString(role)), role);
  for (const char* text : {"", "local", "Admin", "admin ", "root"})
    EXPECT_FALSE(ParseRole(text)) << text;
}

TEST(Identity, IsRoleAndNameInAUri) {
  EXPECT_EQ(ToUri({Role::kAgent, "jetson-1"}), "avocet://agent/jetson-1");
  EXPECT_EQ(*ParseIdentity("avocet://controller/ctl_1.local"), (PeerIdentity{Role::kController, "ctl_1.local"}));
}

TEST(Identity, RefusesTheRest) {
  for (const std::string uri :
       {"", "avocet:", "avocet://", "avocet://agent", "avocet://agent/", "avocet:///x", "avocet://local/x",
        "avocet://root/x", "avocet://Agent/x", "AVOCET://agent/x", "https://agent/x", " avocet://agent/x",
        "avocet://agent/x ", "avocet://agent/x/y", "avocet://agent/-x", "avocet://agent/x?y", "avocet://agent/%78",
        "avocet://admin@agent/x", "avocet://agent/\xC3\xA4"}) {
    const auto identity = ParseIdentity(uri);
    EXPECT_EQ(identity.status().code(), StatusCode::kInvalidArgument) << uri;
  }
  EXPECT_FALSE(ParseIdentity(std::string_view("avocet://agent/x\0", 17)).ok());
  EXPECT_FALSE(ParseIdentity("avocet://agent/" + std::string(64, 'x')).ok());
}

RC_GTEST_PROP(Identity, ReadsBackWhatItWrites, ()) {
  const auto role = *rc::gen::elementOf(std::vector<Role>(std::begin(kRoles), std::end(kRoles)));
  const auto name = *rc::gen::nonEmpty(rc::gen::container<std::string>(rc::gen::elementOf(std::string("abcXYZ019"))));
  RC_PRE(name.size() <= 63U);
  RC_ASSERT(*ParseIdentity(ToUri({role, name})) == (PeerIdentity{role, name}));
}

RC_GTEST_PROP(Identity, OfRandomBytesIsNoneOrExactlyThem, (const std::string& bytes, bool with_scheme)) {
  const std::string uri = with_scheme ? "avocet://" + bytes : bytes;
  const auto identity = ParseIdentity(uri);
  if (identity.ok()) RC_ASSERT(ToUri(*identity) == uri);
  if (!identity.ok()) RC_ASSERT(identity.status().code() == StatusCode::kInvalidArgument);
}

RC_GTEST_PROP(Identity, AmongRandomUrisIsDeniedOrTheOnlyOneOfOurs, (const std::vector<std::string>& texts)) {
  const auto identity = IdentityAmong({texts.begin(), texts.end()});
  RC_ASSERT(identity.ok() || identity.status().code() == StatusCode::kDenied);
}

TEST(Identity, AmongUrisIsTheOnlyOneOfOurs) {
  EXPECT_EQ(*IdentityAmong({"spiffe://x/y", "avocet://admin/ann"}), (PeerIdentity{Role::kAdmin, "ann"}));
  EXPECT_THAT(IdentityAmong({}).status().message(), HasSubstr("no avocet:// name"));
  EXPECT_THAT(IdentityAmong({"spiffe://x/y"}).status().message(), HasSubstr("no avocet:// name"));
  EXPECT_THAT(IdentityAmong({"avocet://admin/ann", "avocet://agent/a"}).status().message(), HasSubstr("more than one"));
  EXPECT_THAT(IdentityAmong({"avocet://king/ann"}).status().message(), HasSubstr("avocet://king/ann"));
}

TEST(TlsOptions, NeedAllThreeFiles) {
  EXPECT_EQ(Validate(TlsOptions{"ca", "cert", "key"}), Status());
  EXPECT_THAT(Validate(TlsOptions{"", "cert", "key"}).message(), HasSubstr("'tls.ca'"));
  EXPECT_THAT(Validate(TlsOptions{"ca", "", "key"}).message(), HasSubstr("'tls.certificate'"));
  EXPECT_THAT(Validate(TlsOptions{"ca", "cert", ""}).message(), HasSubstr("'tls.key'"));
}

} // namespace
} // namespace avocet
