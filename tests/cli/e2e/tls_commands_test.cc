#include <sys/stat.h>

#include <fstream>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/dev_cluster.h"

// `avocet tls`, and a controller that is only reached with what it made.
namespace avocet {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using Arguments = std::vector<std::string>;

constexpr int kError = 1;
constexpr int kDenied = 5;
constexpr int kUsage = 64;

std::string TextOf(const fs::path& file) {
  std::ostringstream text;
  text << std::ifstream(file).rdbuf();
  return text.str();
}

/// `avocet tls` on a folder of its own.
class TlsCommands : public testing::Test {
protected:
  CommandResult Tls(Arguments arguments) const {
    arguments.insert(arguments.begin(), "tls");
    arguments.insert(arguments.end(), {"--dir", dir()});
    return RunAvocet(arguments);
  }
  json Made(Arguments arguments) const {
    arguments.insert(arguments.end(), {"-o", "json"});
    const auto result = Tls(arguments);
    EXPECT_EQ(result.exit_code, 0) << result.out << result.err;
    return json::parse(result.out, nullptr, false);
  }
  std::string dir() const { return (folder_.path() / "tls").string(); }

private:
  TempDir folder_;
};

TEST_F(TlsCommands, MakeAnAuthorityAndCertificates) {
  const json made = Made({"init"});
  EXPECT_EQ(made["v"], 1);
  EXPECT_EQ(made["ca"], dir() + "/ca.pem");
  EXPECT_TRUE(fs::exists(made["ca_key"].get<std::string>()));
  const json issued = Made({"issue", "--role", "agent", "--host", "10.0.0.5", "--host", "box.example", "box"});
  EXPECT_EQ(issued["identity"], "avocet://agent/box");
  EXPECT_THAT(issued["hosts"].get<Arguments>(),
              ElementsAre("box", "localhost", "127.0.0.1", "::1", "10.0.0.5", "box.example"));
  struct stat key {};
  ASSERT_EQ(stat(issued["key"].get<std::string>().c_str(), &key), 0);
  EXPECT_EQ(key.st_mode & 0777, 0600U);
  EXPECT_EQ(TextOf(issued["ca"].get<std::string>()), TextOf(made["ca"].get<std::string>()));
}

TEST_F(TlsCommands, SayWhatToDoNext) {
  EXPECT_THAT(Tls({"init"}).out, HasSubstr("avocet tls issue --role controller"));
  EXPECT_THAT(Tls({"issue", "--role", "controller", "ctl"}).out,
              AllOf(HasSubstr("avocet://controller/ctl"), HasSubstr("[tls]"), HasSubstr("controller.toml")));
  EXPECT_THAT(Tls({"issue", "--role", "admin", "ann"}).out,
              HasSubstr("AVOCET_TLS_KEY=" + dir() + "/admin-ann/key.pem"));
}

TEST_F(TlsCommands, ReplaceNothingUnlessToldSo) {
  Made({"init"});
  Made({"issue", "--role", "admin", "ann"});
  const std::string authority = TextOf(dir() + "/ca.key"), key = TextOf(dir() + "/admin-ann/key.pem");
  for (const Arguments& command : {Arguments{"init"}, Arguments{"issue", "--role", "admin", "ann"}}) {
    const auto again = Tls(command);
    EXPECT_EQ(again.exit_code, kError);
    EXPECT_THAT(again.err, AllOf(HasSubstr(dir()), HasSubstr("--force")));
  }
  EXPECT_EQ(TextOf(dir() + "/ca.key"), authority);
  EXPECT_EQ(TextOf(dir() + "/admin-ann/key.pem"), key);
  Made({"issue", "--role", "admin", "ann", "--force"});
  EXPECT_NE(TextOf(dir() + "/admin-ann/key.pem"), key);
  Made({"init", "--rotate"});
  EXPECT_NE(TextOf(dir() + "/ca.key"), authority);
}

TEST_F(TlsCommands, ARenewalKeepsTheHosts) {
  Made({"init"});
  Made({"issue", "--role", "agent", "box", "--host", "10.0.0.5", "--host", "box.example", "--host", "fe80::1"});
  const json renewed = Made({"issue", "--role", "agent", "box", "--force", "--host", "10.0.0.6"});
  EXPECT_THAT(renewed["hosts"].get<Arguments>(), testing::IsSupersetOf({"10.0.0.5", "box.example", "10.0.0.6"}));
  EXPECT_THAT(renewed["kept_hosts"].get<Arguments>(),
              testing::UnorderedElementsAre("10.0.0.5", "box.example", "fe80::1"));
  EXPECT_THAT(Tls({"issue", "--role", "agent", "box", "--force"}).out, HasSubstr("kept        10.0.0.6, 10.0.0.5"));
}

TEST_F(TlsCommands, RefuseWrongInputWithTheRemedy) {
  const auto early = Tls({"issue", "--role", "admin", "ann"});
  EXPECT_EQ(early.exit_code, kError);
  EXPECT_THAT(early.err, HasSubstr("avocet tls init"));
  Made({"init"});
  EXPECT_EQ(Tls({"issue", "--role", "king", "ann"}).exit_code, kUsage);
  EXPECT_EQ(Tls({"issue", "ann"}).exit_code, kUsage);
  EXPECT_EQ(Tls({"init", "--force", "--rotate"}).exit_code, kUsage);
  for (const auto& [command, named] : std::vector<std::pair<Arguments, std::string>>{
           {{"issue", "--role", "admin", "a/b"}, "a/b"},
           {{"issue", "--role", "admin", "ann", "--days", "0"}, "days"},
           {{"issue", "--role", "agent", "box", "--host", "10.0.0.5:7400"}, "10.0.0.5:7400"}}) {
    const auto result = Tls(command);
    EXPECT_EQ(result.exit_code, kError) << named;
    EXPECT_THAT(result.err, HasSubstr(named));
  }
}

/// A controller with certificates, and the commands of people with and without.
class SecuredController : public TlsCommands {
protected:
  void SetUp() override {
    Made({"init"});
    Issue("controller", "ctl");
    cluster.Write("dev.toml", TextOf(cluster.folder() / "dev.toml") + "[tls]\nca = \"" + dir() +
                                  "/controller-ctl/ca.pem\"\ncertificate = \"" + dir() +
                                  "/controller-ctl/cert.pem\"\nkey = \"" + dir() + "/controller-ctl/key.pem\"\n");
    cluster.Start();
  }
  void Issue(const std::string& role, const std::string& name) const { Made({"issue", "--role", role, name}); }
  CommandResult As(const std::string& who, Arguments arguments) const {
    const std::string folder = dir() + "/" + who;
    arguments.insert(arguments.end(), {"--tls-ca", folder + "/ca.pem", "--tls-cert", folder + "/cert.pem", "--tls-key",
                                       folder + "/key.pem"});
    return cluster.Run(arguments);
  }
  DevCluster cluster;
};

TEST_F(SecuredController, AnswersAnAdminAndRefusesTheRestWithReasons) {
  Issue("admin", "ann");
  Issue("client", "dashboard");
  Issue("agent", "box");
  EXPECT_EQ(As("admin-ann", {"node", "list"}).exit_code, 0);
  EXPECT_EQ(As("client-dashboard", {"node", "list"}).exit_code, 0);
  const auto change = As("client-dashboard", {"app", "rm", "cam"});
  EXPECT_EQ(change.exit_code, kDenied);
  EXPECT_THAT(change.err, AllOf(HasSubstr("avocet://client/dashboard"), HasSubstr("role admin")));
  const auto agent = As("agent-box", {"node", "list"});
  EXPECT_EQ(agent.exit_code, kDenied);
  EXPECT_THAT(agent.err, HasSubstr("avocet://agent/box"));
  const auto plain = cluster.Run({"node", "list"});
  EXPECT_EQ(plain.exit_code, kError);
  EXPECT_THAT(plain.err, AllOf(HasSubstr(cluster.control() + " speaks TLS"), HasSubstr("--tls-ca")));
  EXPECT_EQ(As("admin-ann", {"node", "list"}).exit_code, 0);
}

TEST_F(SecuredController, IsNamedWhenTheFilesOfTheClientAreWrong) {
  Issue("admin", "ann");
  const auto missing = cluster.Run({"node", "list", "--tls-ca", dir() + "/ca.pem"});
  EXPECT_EQ(missing.exit_code, kUsage);
  EXPECT_THAT(missing.err, HasSubstr("--tls-cert (or AVOCET_TLS_CERT) is missing"));
  ASSERT_EQ(chmod((dir() + "/admin-ann/key.pem").c_str(), 0644), 0);
  const auto open = As("admin-ann", {"node", "list"});
  EXPECT_EQ(open.exit_code, kError);
  EXPECT_THAT(open.err, HasSubstr("chmod 600"));
}

TEST_F(TlsCommands, AControllerInPlainTextIsNamed) {
  Made({"init"});
  Made({"issue", "--role", "admin", "ann"});
  DevCluster cluster;
  cluster.Start();
  const std::string folder = dir() + "/admin-ann";
  const auto asked = cluster.Run({"node", "list", "--tls-ca", folder + "/ca.pem", "--tls-cert", folder + "/cert.pem",
                                  "--tls-key", folder + "/key.pem"});
  EXPECT_EQ(asked.exit_code, kError);
  EXPECT_THAT(asked.err, AllOf(HasSubstr(cluster.control() + " speaks plain text"), HasSubstr("leave out --tls-ca")));
  EXPECT_THAT(asked.err, testing::Not(HasSubstr(".cc:"))) << "a line of gRPC's sources";
}

TEST(Plaintext, IsRefusedBeyondLoopbackBeforeAnythingIsSent) {
  const auto client = RunAvocet({"node", "list", "--addr", "10.255.255.1:7400"});
  EXPECT_EQ(client.exit_code, kError);
  EXPECT_THAT(client.err, AllOf(HasSubstr("10.255.255.1:7400"), HasSubstr("[tls]"), HasSubstr("--tls-ca")));
  const TempDir data;
  const auto server = RunAvocet({"dev", "--data-dir", data.path().string(), "--listen", "0.0.0.0:0"});
  EXPECT_EQ(server.exit_code, kError);
  EXPECT_THAT(server.err, AllOf(HasSubstr("0.0.0.0:0"), HasSubstr("[tls]")));
}

} // namespace
} // namespace avocet
