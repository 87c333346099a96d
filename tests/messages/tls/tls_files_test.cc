#include "messages/tls/tls_files.h"

#include <sys/stat.h>

#include <fstream>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "tests/support/test_authority.h"

namespace avocet {
namespace {

namespace fs = std::filesystem;
using std::chrono::hours;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

std::string TextOf(const fs::path& file) {
  std::ostringstream text;
  text << std::ifstream(file, std::ios::binary).rdbuf();
  return text.str();
}

mode_t ModeOf(const fs::path& file) {
  struct stat info {};
  EXPECT_EQ(stat(file.c_str(), &info), 0) << file;
  return info.st_mode & 07777;
}

class TlsFilesTest : public testing::Test {
protected:
  Result<TlsFiles> Read(const TlsOptions& files) const { return ReadTlsFiles(files, authority.now + after); }
  /// The refusal must name the file and what it says.
  void ExpectRefused(const TlsOptions& files, const fs::path& named, const std::string& text) const {
    const Status status = Read(files).status();
    EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
    EXPECT_THAT(status.message(), AllOf(HasSubstr("'" + named.string() + "'"), HasSubstr(text)));
  }
  static void Write(const fs::path& file, const std::string& text) { std::ofstream(file, std::ios::trunc) << text; }

  TestAuthority authority;
  hours after{0}; ///< from issuing to reading
};

TEST_F(TlsFilesTest, GiveTheIdentityAndTheEnd) {
  const auto files = authority.Issue(Role::kAgent, "jetson-1", {.days = 30});
  const auto read = Read(files);
  ASSERT_TRUE(read.ok()) << read.status().ToString();
  EXPECT_EQ(read->identity, (PeerIdentity{Role::kAgent, "jetson-1"}));
  EXPECT_EQ(read->not_after, std::chrono::floor<std::chrono::seconds>(authority.now + hours(24 * 30)));
  EXPECT_EQ(read->key_pem, TextOf(files.key));
}

TEST_F(TlsFilesTest, MissingOnesAreNamed) {
  const auto files = authority.Issue(Role::kAdmin, "ann");
  for (const auto& file : {files.ca, files.certificate, files.key}) {
    fs::rename(file, file.string() + ".away");
    ExpectRefused(files, file, "No such file");
    fs::rename(file.string() + ".away", file);
  }
  EXPECT_TRUE(Read(files).ok());
}

TEST_F(TlsFilesTest, AFolderInPlaceOfAFileIsRefused) {
  auto files = authority.Issue(Role::kAdmin, "ann");
  files.ca = authority.folder();
  ExpectRefused(files, files.ca, "Is a directory");
}

TEST_F(TlsFilesTest, GarbageIsRefusedByName) {
  const auto files = authority.Issue(Role::kAdmin, "ann");
  for (const std::string garbage : {"", "garbage", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"}) {
    for (const auto& file : {files.ca, files.certificate, files.key}) {
      const std::string good = TextOf(file);
      Write(file, garbage);
      ExpectRefused(files, file,
                    file == files.key     ? "no private key"
                    : garbage.size() > 10 ? "damaged"
                                          : "no certificate");
      Write(file, good);
    }
  }
  EXPECT_TRUE(Read(files).ok());
}

TEST_F(TlsFilesTest, AFileBeyondTheBoundIsRefused) {
  const auto files = authority.Issue(Role::kAdmin, "ann");
  const std::string good = TextOf(files.ca);
  Write(files.ca, good + std::string(kMaxTlsFileBytes - good.size(), '\n'));
  EXPECT_TRUE(Read(files).ok());
  Write(files.ca, good + std::string(kMaxTlsFileBytes - good.size() + 1, '\n'));
  ExpectRefused(files, files.ca, "longer than 1048576 bytes");
}

TEST_F(TlsFilesTest, AKeyOfAnotherCertificateIsRefused) {
  auto files = authority.Issue(Role::kAdmin, "ann");
  files.key = authority.Issue(Role::kAdmin, "bob").key;
  ExpectRefused(files, files.key, "is not the key of the certificate in '" + files.certificate.string());
}

TEST_F(TlsFilesTest, AKeyThatOthersCanReadOrReplaceIsRefused) {
  const auto files = authority.Issue(Role::kAdmin, "ann");
  for (const mode_t mode : {0644, 0604, 0602, 0620, 0777}) {
    ASSERT_EQ(chmod(files.key.c_str(), mode), 0);
    ExpectRefused(files, files.key, "chmod 600");
  }
  for (const mode_t mode : {0600, 0400, 0640}) {
    ASSERT_EQ(chmod(files.key.c_str(), mode), 0);
    EXPECT_TRUE(Read(files).ok()) << mode;
  }
}

TEST_F(TlsFilesTest, ACertificateOutsideItsTimeIsRefused) {
  const auto files = authority.Issue(Role::kAdmin, "ann", {.days = 1});
  after = hours(-1);
  ExpectRefused(files, files.certificate, "clock");
  after = hours(23);
  EXPECT_TRUE(Read(files).ok());
  after = hours(24);
  ExpectRefused(files, files.certificate, "expired at");
}

TEST_F(TlsFilesTest, ACertificateOfAnotherAuthorityIsRefused) {
  const TestAuthority other;
  auto files = authority.Issue(Role::kAdmin, "ann");
  files.ca = other.folder() / "ca.pem";
  ExpectRefused(files, files.certificate, "was not issued by the authority in '" + files.ca.string());
}

TEST_F(TlsFilesTest, ACertificateWithoutIdentityIsRefused) {
  auto files = authority.Issue(Role::kAdmin, "ann");
  files.certificate = files.ca; // of the authority: it has no names
  files.key = authority.folder() / "ca.key";
  ExpectRefused(files, files.certificate, "no avocet:// name");
}

TEST_F(TlsFilesTest, FingerprintChangesWithEveryReplacement) {
  const auto files = authority.Issue(Role::kAdmin, "ann");
  const std::string before = FingerprintOf(files);
  EXPECT_EQ(FingerprintOf(files), before);
  authority.Issue(Role::kAdmin, "ann");
  EXPECT_NE(FingerprintOf(files), before);
  fs::remove(files.ca);
  EXPECT_EQ(FingerprintOf(files), "");
}

RC_GTEST_FIXTURE_PROP(TlsFilesTest, DamagedBytesAreRefusedOrHarmless, ()) {
  const auto files = authority.Issue(Role::kAdmin, "ann");
  const auto& file = *rc::gen::element(files.ca, files.certificate, files.key);
  std::string text = TextOf(file);
  text[*rc::gen::inRange<size_t>(0, text.size())] = *rc::gen::arbitrary<char>();
  Write(file, text.substr(0, *rc::gen::inRange<size_t>(0, text.size() + 1)));
  const auto read = Read(files);
  RC_ASSERT(read.ok() || read.status().code() == StatusCode::kInvalidArgument);
  if (read.ok()) RC_ASSERT(read->identity == (PeerIdentity{Role::kAdmin, "ann"}));
}

// The authority.

TEST(Authority, KeepsKeysToTheOwner) {
  const TestAuthority authority;
  const auto files = authority.Issue(Role::kController, "ctl");
  EXPECT_EQ(ModeOf(authority.folder() / "ca.key"), 0600U);
  EXPECT_EQ(ModeOf(files.key), 0600U);
  EXPECT_EQ(ModeOf(files.key.parent_path()), 0700U);
}

TEST(Authority, IsNotReplacedUnlessToldSo) {
  TestAuthority authority;
  const auto files = authority.Issue(Role::kAdmin, "ann");
  const std::string before = TextOf(authority.folder() / "ca.pem") + TextOf(authority.folder() / "ca.key");
  const auto again = CreateAuthority({.directory = authority.folder(), .now = authority.now});
  EXPECT_EQ(again.status().code(), StatusCode::kAlreadyExists);
  EXPECT_THAT(again.status().message(), AllOf(HasSubstr("--rotate"), HasSubstr("--force")));
  EXPECT_EQ(TextOf(authority.folder() / "ca.pem") + TextOf(authority.folder() / "ca.key"), before);

  authority.Create({.force = true});
  TlsOptions mixed = files;
  mixed.ca = authority.folder() / "ca.pem";
  EXPECT_FALSE(ReadTlsFiles(mixed, authority.now).ok());
}

TEST(Authority, StaysTrustedWhenItIsRotated) {
  TestAuthority authority;
  TlsOptions files = authority.Issue(Role::kAdmin, "ann");
  authority.Create({.rotate = true});
  const auto renewed = authority.Issue(Role::kAdmin, "bob");
  EXPECT_TRUE(ReadTlsFiles(renewed, authority.now).ok());
  files.ca = renewed.ca;
  EXPECT_TRUE(ReadTlsFiles(files, authority.now).ok());
  authority.Create({.rotate = true}); // the one before the last is gone
  files.ca = authority.Issue(Role::kAdmin, "eve").ca;
  EXPECT_FALSE(ReadTlsFiles(files, authority.now).ok());
}

TEST(Authority, DoesNotReplaceACertificateUnlessToldSo) {
  const TestAuthority authority;
  const auto files = authority.Issue(Role::kAdmin, "ann");
  const std::string before = TextOf(files.key);
  IssueOptions options{.directory = authority.folder(), .identity = {Role::kAdmin, "ann"}, .now = authority.now};
  EXPECT_EQ(IssueCertificate(options).status().code(), StatusCode::kAlreadyExists);
  EXPECT_EQ(TextOf(files.key), before);
  options.force = true;
  EXPECT_TRUE(IssueCertificate(options).ok());
  EXPECT_NE(TextOf(files.key), before);
}

TEST(Authority, IssuesNothingThatOutlivesIt) {
  TestAuthority authority;
  authority.now += hours(24 * (kAuthorityDays - 10));
  const auto issued = IssueCertificate(
      {.directory = authority.folder(), .identity = {Role::kAdmin, "ann"}, .days = 365, .now = authority.now});
  ASSERT_TRUE(issued.ok()) << issued.status().ToString();
  EXPECT_LE(issued->not_after, authority.now + hours(24 * 10));
  authority.now += hours(24 * 11);
  const auto late =
      IssueCertificate({.directory = authority.folder(), .identity = {Role::kAdmin, "bob"}, .now = authority.now});
  EXPECT_THAT(late.status().message(), HasSubstr("expired"));
}

TEST(Authority, CoversTheHostsOfServers) {
  const TestAuthority authority;
  const auto hosts = [&](Role role) {
    return IssueCertificate({.directory = authority.folder(),
                             .identity = {role, "box"},
                             .hosts = {"10.0.0.5", "box.example.org", "localhost"},
                             .now = authority.now})
        ->hosts;
  };
  EXPECT_THAT(hosts(Role::kController),
              ElementsAre("box", "localhost", "127.0.0.1", "::1", "10.0.0.5", "box.example.org"));
  EXPECT_THAT(hosts(Role::kAdmin), ElementsAre("10.0.0.5", "box.example.org", "localhost"));
}

TEST(Authority, RefusesWhatDoesNotFitIntoACertificate) {
  const TestAuthority authority;
  const IssueOptions good{.directory = authority.folder(), .identity = {Role::kAgent, "a"}, .now = authority.now};
  EXPECT_EQ(Validate(good), Status());
  const auto expect = [&](auto change, const std::string& text) {
    IssueOptions options = good;
    change(options);
    const Status status = IssueCertificate(options).status();
    EXPECT_EQ(status.code(), StatusCode::kInvalidArgument) << text;
    EXPECT_THAT(status.message(), HasSubstr(text));
  };
  expect([](auto& o) { o.identity.name = "a,DNS:evil"; }, "'name'");
  expect([](auto& o) { o.identity.name = "../a"; }, "'name'");
  expect([](auto& o) { o.identity.role = Role::kLocal; }, "'role'");
  expect([](auto& o) { o.days = 0; }, "'days'");
  expect([](auto& o) { o.days = kMaxCertificateDays + 1; }, "'days'");
  for (const std::string& host :
       std::vector<std::string>{"", "a,URI:avocet://admin/x", "a:7400", "a b", "-a", std::string(254, 'a')})
    expect([&](auto& o) { o.hosts = {host}; }, "'host'");
}

TEST(Authority, ThatIsAbsentIsNamedWithWhatToDo) {
  const TempDir empty;
  const auto issued = IssueCertificate({.directory = empty.path(), .identity = {Role::kAgent, "a"}});
  EXPECT_EQ(issued.status().code(), StatusCode::kNotFound);
  EXPECT_THAT(issued.status().message(), AllOf(HasSubstr("ca.pem"), HasSubstr("avocet tls init")));
}

TEST(ServerPem, AKeyThatOthersCanReadIsRefused) {
  const TestAuthority authority;
  const TlsOptions files = authority.Issue(Role::kController, "edge");
  EXPECT_TRUE(ReadServerPem(files.certificate, files.key, authority.now).ok());
  std::filesystem::permissions(files.key, std::filesystem::perms(0644));
  const auto refused = ReadServerPem(files.certificate, files.key, authority.now);
  EXPECT_EQ(refused.status().code(), StatusCode::kInvalidArgument);
  EXPECT_THAT(refused.status().message(), testing::HasSubstr("chmod 600"));
}

} // namespace
} // namespace avocet
