// Controller and agent as processes of their own, as an operator meets them: signals, certificates, what is refused at
// the start and by whom, and what commands say when one of them does not answer.
#include <fstream>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/process_cluster.h"

namespace avocet {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::ContainsRegex;
using testing::HasSubstr;
using testing::Not;

class Daemons : public testing::Test {
protected:
  void SetUp() override { cluster.StartAll(); }
  ProcessCluster cluster{{{.name = "edge", .kinds = {"gpu"}}}};
};

TEST_F(Daemons, SighupEndsNeither) {
  cluster.controller().Signal(SIGHUP);
  cluster.agent("edge").Signal(SIGHUP);
  for (const std::string name : {"controller", "edge"})
    EXPECT_TRUE(Eventually([&] { return cluster.LogOf(name).find("SIGHUP noted") != std::string::npos; }, kPatience));
  EXPECT_EQ(cluster.Json({"node", "list"})["nodes"][0]["health"], "healthy");
  EXPECT_FALSE(cluster.controller().Wait({}).has_value());
  EXPECT_FALSE(cluster.agent("edge").Wait({}).has_value());
}

TEST_F(Daemons, LogInUtcAndSaySo) {
  EXPECT_THAT(cluster.LogOf("controller"), ContainsRegex("20[0-9-]+T[0-9:.]+Z info "));
}

TEST_F(Daemons, AControllerThatStandsStillIsNamed) {
  cluster.controller().Signal(SIGSTOP);
  const auto asked = cluster.Run({"node", "list", "--timeout", "1"});
  cluster.controller().Signal(SIGCONT);
  EXPECT_EQ(asked.exit_code, 4);
  EXPECT_THAT(asked.err, AllOf(HasSubstr(cluster.control()), HasSubstr("ListNodes"), HasSubstr("within 1 s"),
                               Not(HasSubstr("Deadline Exceeded"))));
}

TEST_F(Daemons, APortInUseNamesWhoListens) {
  const auto second =
      RunAvocet({"controller", "--data-dir", (cluster.folder() / "second").string(), "--listen", cluster.control()});
  EXPECT_EQ(second.exit_code, 1);
  EXPECT_THAT(second.err, HasSubstr("Address already in use by process " + std::to_string(cluster.controller().pid())));
  EXPECT_THAT(second.err, Not(HasSubstr("{"))) << "gRPC's JSON";
}

TEST_F(Daemons, LoadOnAnApplicationWhoseNodeIsAwaySaysSinceWhen) {
  ASSERT_TRUE(cluster.Json({"model", "import", EmulatedModel("resnet18.toml").string()}).is_object());
  ASSERT_EQ(cluster.Run({"app", "apply", cluster.Write({.name = "cam", .model = "resnet18"})}).exit_code, 0);
  cluster.agent("edge").Kill();
  ASSERT_TRUE(Eventually([&] { return cluster.Json({"app", "status", "cam"})["phase"] == "lost"; }, kPatience));
  const auto load = cluster.Run({"load", "cam", "--duration", "1"});
  EXPECT_EQ(load.exit_code, 1);
  EXPECT_THAT(load.err, AllOf(HasSubstr("application 'cam' is lost"), HasSubstr("node 'edge' is away since 20"),
                              HasSubstr("start the agent")));
}

/// A program that is started by hand, and its log.
class ByHand : public testing::Test {
protected:
  std::filesystem::path Write(const std::string& name, const std::string& text) const {
    std::ofstream(folder_.path() / name) << text;
    return folder_.path() / name;
  }
  std::string Certificate(const std::string& role, const std::string& name) const {
    const std::string dir = (folder_.path() / "tls").string();
    (void)RunAvocet({"tls", "init", "--dir", dir});
    EXPECT_EQ(RunAvocet({"tls", "issue", "--role", role, name, "--dir", dir}).exit_code, 0);
    return dir + "/" + role + "-" + name;
  }
  std::filesystem::path data() const { return folder_.path() / "data"; }
  std::filesystem::path log() const { return folder_.path() / "log"; }
  std::string Log() const {
    std::ostringstream text;
    text << std::ifstream(log()).rdbuf();
    return text.str();
  }
  std::unique_ptr<Process> Start(const std::vector<std::string>& arguments,
                                 const std::map<std::string, std::string>& environment = {}) const {
    ProcessOptions options{.command = {AVOCET_BINARY}, .stderr_file = log(), .environment = environment};
    options.command.insert(options.command.end(), arguments.begin(), arguments.end());
    auto process = std::make_unique<Process>(options);
    for (auto line = process->ReadLine(kPatience); line; line = process->ReadLine(kPatience))
      if (line->starts_with("ready")) return process;
    ADD_FAILURE() << "did not start: " << Log();
    return process;
  }

  static std::string Agent(const std::string& device) {
    return "name = \"edge\"\n[inference]\ngrpc = \"127.0.0.1:0\"\n[[device]]\nname = \"d\"\n" + device;
  }
  std::string RefusalOf(const std::string& agent_toml) const {
    const auto refused = RunAvocet({"agent", "--config", Write("agent.toml", agent_toml), "--data-dir", data()});
    EXPECT_EQ(refused.exit_code, 1);
    EXPECT_FALSE(std::filesystem::exists(data())) << "nothing has begun";
    return refused.err;
  }

private:
  TempDir folder_;
};

TEST_F(ByHand, TheFilesCertificateGoesBeforeThatOfTheShell) {
  const std::string own = Certificate("controller", "ctl"), admin = Certificate("admin", "ann");
  const auto file =
      Write("controller.toml", "listen = \"127.0.0.1:0\"\n[tls]\nca = \"" + own + "/ca.pem\"\ncertificate = \"" + own +
                                   "/cert.pem\"\nkey = \"" + own + "/key.pem\"\n");
  const auto controller =
      Start({"controller", "--config", file, "--data-dir", data()}, {{"AVOCET_TLS_CA", admin + "/ca.pem"},
                                                                     {"AVOCET_TLS_CERT", admin + "/cert.pem"},
                                                                     {"AVOCET_TLS_KEY", admin + "/key.pem"}});
  EXPECT_THAT(Log(), HasSubstr("certificate file=" + own + "/cert.pem named_by=" + file.string()));
  EXPECT_THAT(Log(), HasSubstr("AVOCET_TLS_* of the environment not used"));
}

TEST_F(ByHand, ACoreThatTheMachineLacksIsRefusedAtTheStart) {
  const std::string cpu = "kind = \"cpu\"\nengine = \"tflite\"\nmemory_mb = ";
  EXPECT_THAT(RefusalOf(Agent(cpu + "1\ncores = [1000]\n")), HasSubstr("device 'd': field 'cores' names core 1000"));
  EXPECT_THAT(RefusalOf(Agent(cpu + "1048576\ncores = [0]\n")), HasSubstr("device 'd': field 'memory_mb' is 1048576"));
}

TEST_F(ByHand, ACertificateThatDoesNotCoverTheAdvertisedAddressIsWarnedAbout) {
  const std::string own = Certificate("agent", "edge");
  const auto file = Write("agent.toml", "name = \"edge\"\nadvertise_address = \"10.9.8.7:8001\"\n[inference]\ngrpc = "
                                        "\"127.0.0.1:0\"\ntls = { certificate = \"" +
                                            own + "/cert.pem\", key = \"" + own +
                                            "/key.pem\" }\n[[device]]\nname = \"d\"\nkind = \"gpu\"\nengine = "
                                            "\"emulated\"\nmemory_mb = 100\n");
  const auto agent = Start({"agent", "--config", file, "--data-dir", data(), "--controller", "127.0.0.1:1"});
  EXPECT_THAT(Log(), AllOf(HasSubstr("the certificate does not cover the address that clients are told"),
                           HasSubstr("address=10.9.8.7:8001"), HasSubstr("--host 10.9.8.7")));
  EXPECT_TRUE(Eventually([&] { return Log().find("nothing listens at 127.0.0.1:1") != std::string::npos; }, kPatience))
      << "why the controller is not reached, in plain words: " << Log();
}

} // namespace
} // namespace avocet
